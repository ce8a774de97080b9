"""Where the running gateway of a home is, and whether it is the one that wrote so."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from taxiway.endpoints.gateway.configuration import replace
from taxiway.endpoints.gateway.status import start_ticks

FILE = "address.json"


class Address(Struct, frozen=True):
    """A gateway process and where it answers. Pids come again; pid and start ticks name one process."""

    pid: int
    start_ticks: int
    host: str
    port: int
    started_at: datetime

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        return start_ticks(self.pid) == self.start_ticks


def write_address(home: Path, address: Address) -> None:
    """Makes the gateway findable."""
    replace(home / "gateway" / FILE, msgspec.json.encode(address))


def read_address(home: Path) -> Address | None:
    """The address in the file, if there is one; `is_alive()` tells whether to believe it."""
    try:
        return msgspec.json.decode((home / "gateway" / FILE).read_bytes(), type=Address)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
