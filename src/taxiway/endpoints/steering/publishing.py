"""From what the database says should answer to the signed file that the gateway reads.

What should be served is put together and kept, under a serial that only grows, in the transaction of the change
that asks for it; the file follows once that is durable. A server that was killed in between writes it at its next
start, and one that runs compares both every second, since tokens and roles change, and run out, elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from taxiway.access.secrets import hash_secret
from taxiway.access.service import Access
from taxiway.endpoints import store
from taxiway.endpoints.external import store as external
from taxiway.endpoints.gateway.configuration import (
    Configuration,
    ConfigurationRefused,
    ServedEndpoint,
    ServedRevision,
    Signature,
    Stopped,
    last_accepted,
    read_configuration,
    write_configuration,
)
from taxiway.endpoints.inferences.logs import store as logs_store
from taxiway.endpoints.inferences.policy import LogPolicy, durability_of
from taxiway.projects.contract import Project
from taxiway.projects.service import projects_of
from taxiway.storage.database import Database
from taxiway.storage.keys import Keys
from taxiway.storage.writes import Change, Writer

PathAsks = Callable[[Connection, Project], str]  # which durability a project's path asks of its logs
PURPOSE = b"taxiway: the server's own token at its gateway"
log = logging.getLogger("taxiway.endpoints")


class Front(Struct, frozen=True):
    """How the gateway is reached: whether callers need a token, and by which host names besides loopback's."""

    login: bool = True
    hosts: tuple[str, ...] = ()
    otlp: str = ""  # the collector that spans go to


class Holder(NamedTuple):
    """Whose token may call, and until when."""

    user: str
    expires_at: datetime | None


class Publisher:
    """Keeps the gateway's file equal to what should be served.

    front: set by the server that starts the gateway. Whoever opens the home without one leaves it as it was, so
    that a script working on the home opens no gateway to everybody.
    """

    def __init__(self, home: Path, database: Database, writer: Writer, keys: Keys, access: Access) -> None:
        self.home = home
        self.database = database
        self.writer = writer
        self.keys = keys
        self.access = access
        self.front: Front | None = None
        self.path_asks: PathAsks = asks_nothing
        self.on_disk: int | None = None  # the serial of the file that we know to be in order
        self.lock = threading.Lock()

    @property
    def token(self) -> str:
        """What the server shows its gateway. Only who has the home's signing key can make it (Ed25519 is exact)."""
        made = hashlib.sha256(self.keys.sign(PURPOSE).signature).digest()
        return f"tw_gateway_{base64.urlsafe_b64encode(made).decode().rstrip('=')}"

    def renew(self, change: Change) -> Configuration:
        """Within a change: what should be served from its commit on. Give it to `publish` once it is durable."""
        kept = store.configuration(change.connection, is_locked=True)
        wanted = self._compose(change.connection, kept, change.at)
        if kept is not None and is_same(kept, wanted):
            return kept
        store.keep_configuration(change.connection, wanted)
        return wanted

    def publish(self, configuration: Configuration) -> None:
        """Writes the file, unless a later one is there. A full disk is told in the log and tried again."""
        with self.lock:
            if self.on_disk is not None and self.on_disk >= configuration.serial:
                return
            try:
                write_configuration(self.home / "gateway", configuration, self._sign)
            except OSError as e:
                log.error("The gateway's configuration could not be written: %s", e)  # noqa: TRY400
                return
            self.on_disk = configuration.serial

    def refresh(self) -> None:
        """Brings the file to what should be served now; cheap where it is that already."""
        with self.database.read() as connection:
            kept = store.configuration(connection)
            wanted = self._compose(connection, kept, self.writer.clock())
        if kept is None and not wanted.endpoints:
            return
        if self.on_disk is None:
            self.on_disk = self._serial_on_disk(kept)
        behind = self.on_disk is None and kept is not None and self._is_behind(kept)
        if kept is None or not is_same(kept, wanted) or behind:
            kept = self.writer.write(self._renew_past_accepted if behind else self.renew)
        self.publish(kept)

    def _renew_past_accepted(self, change: Change) -> Configuration:
        """For a database older than its gateway, such as one put back from a copy: its serial must overtake."""
        kept = store.configuration(change.connection, is_locked=True)
        wanted = self._compose(change.connection, kept, change.at)
        accepted = self._accepted()
        if accepted is not None and accepted.serial >= wanted.serial:
            wanted = msgspec.structs.replace(wanted, serial=accepted.serial + 1)
        store.keep_configuration(change.connection, wanted)
        return wanted

    def _compose(self, connection: Connection, kept: Configuration | None, at: datetime) -> Configuration:
        front = self.front or front_of(kept)
        own = hash_secret(self.token)
        outside = external.urls(connection)  # served by others
        found = [each for each in store.all_of(connection, None) if each.name not in outside]
        running = [each for each in store.running_revisions(connection, at) if each.endpoint not in outside]
        names = {each.project for each in found}
        callers = {project: self._callers(project, own) for project in names}
        projects = {each.name: each for each in projects_of(connection, sorted(names))}
        policies = logs_store.policies(connection)
        return Configuration(
            serial=(kept.serial if kept else 0) + 1,
            written_at=at,
            endpoints=tuple(
                ServedEndpoint(
                    e.name,
                    e.project,
                    e.active,
                    front.login,
                    tuple(callers[e.project]),
                    e.is_stopped,
                    Stopped(e.stopped_by, e.stopped_at, e.reason) if e.is_stopped and e.stopped_at else None,
                    e.fallback,
                    e.rollout if e.rollout.is_warm(at) else msgspec.structs.replace(e.rollout, before=None),
                    tuple(held.user for held in callers[e.project].values()),
                    self._settled(connection, policies.get(e.name, LogPolicy()), projects[e.project]),
                    tuple(held.expires_at for held in callers[e.project].values()),
                )
                for e in found
            ),
            revisions=tuple(
                ServedRevision(
                    r.endpoint,
                    r.number,
                    r.model,
                    r.version,
                    f"bundles/{r.bundle.removeprefix('sha256:')}",
                    r.bundle,
                    r.workers,
                    r.may_run_code,
                    r.setup,
                )
                for r in running
            ),
            allowed_hosts=front.hosts,
            otlp=front.otlp,
            status_token_hashes=(own,) if front.login else (),
        )

    def _callers(self, project: str, own: str) -> dict[str, Holder]:
        """The hashes of the tokens that may call, in their order; the server's own has no account, and no end."""
        found = {digest: Holder(held.user, held.expires_at) for digest, held in self.access.invokers(project).items()}
        return dict(sorted({**found, own: Holder("", None)}.items()))

    def _settled(self, connection: Connection, policy: LogPolicy, project: Project) -> LogPolicy:
        """The policy with the durability that holds."""
        durability = durability_of(
            policy, is_high_risk=project.risk == "high", path_asks=self.path_asks(connection, project)
        )
        return msgspec.structs.replace(policy, durability=durability)

    def _serial_on_disk(self, kept: Configuration | None) -> int | None:
        """The serial of the file, if it says what the database says."""
        try:
            found = read_configuration(self.home / "gateway", self.keys.public_file.read_bytes())
        except (ConfigurationRefused, FileNotFoundError):
            return None
        return found.serial if found == kept else None

    def _is_behind(self, kept: Configuration) -> bool:
        """Whether the gateway accepted something later, or something else of that serial."""
        accepted = self._accepted()
        return accepted is not None and accepted.serial >= kept.serial and accepted != kept

    def _accepted(self) -> Configuration | None:
        try:
            return last_accepted(self.home)
        except ConfigurationRefused:
            return None

    def _sign(self, data: bytes) -> Signature:
        made = self.keys.sign(data)
        return Signature(made.key_id, made.signature)


def asks_nothing(connection: Connection, project: Project) -> str:
    return ""


def front_of(kept: Configuration | None) -> Front:
    """The front in force; the strictest where there was none yet."""
    if kept is None or not kept.endpoints:
        return Front()
    return Front(kept.endpoints[0].login_required, kept.allowed_hosts, kept.otlp)


def is_same(one: Configuration, other: Configuration) -> bool:
    """Whether both serve the same, whenever they were written."""
    return msgspec.structs.replace(one, serial=other.serial, written_at=other.written_at) == other
