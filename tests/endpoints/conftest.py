"""A home with keys, bundles and a running gateway whose workers serve the trial model."""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from taxiway.endpoints.gateway.address import Address, read_address
from taxiway.endpoints.gateway.configuration import (
    Configuration,
    ServedEndpoint,
    ServedRevision,
    Signature,
    write_configuration,
)
from taxiway.endpoints.gateway.status import Copies, GatewayStatus, RevisionStatus
from taxiway.models.bundles.bundle import verify_bundle
from tests.endpoints import trial

if TYPE_CHECKING:
    from tests.endpoints.running_server import Platform


class Answer(msgspec.Struct):
    """What the gateway answered. x: what was asked, where a caller of `under_load` did."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]
    x: float = 0.0

    @property
    def predictions(self) -> list[Any]:
        return [row["prediction"] for row in self.body["predictions"]]


class Site:
    """A home as a server would keep it, and a caller of its gateway."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.key = Ed25519PrivateKey.generate()
        self.serial = 0
        self.endpoints: dict[str, ServedEndpoint] = {}
        self.revisions: list[ServedRevision] = []
        self.gateway: subprocess.Popen[bytes] | None = None
        (home / "keys").mkdir(parents=True)
        public = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (home / "keys" / "first.pub.pem").write_bytes(public)

    def sign(self, data: bytes) -> Signature:
        return Signature("first", self.key.sign(data))

    def bundle(self, version: int, says: str) -> Path:
        folder = self.home / "bundles" / f"trial-{version}"
        trial.trial_bundle(folder, says)
        return folder

    def deploy(self, says: str = "1", name: str = "adder", **more: Any) -> ServedRevision:
        """A new revision of the trial model takes the traffic."""
        folder = self.bundle(len(self.revisions) + 1, says)
        return self.deploy_folder(folder, name, **more)

    def add(self, says: str, name: str = "adder") -> ServedRevision:
        """A new revision that is written down with the next change, and takes no traffic by itself."""
        return self.add_folder(self.bundle(len(self.revisions) + 1, says), name)

    def deploy_folder(self, folder: Path, name: str = "adder", **more: Any) -> ServedRevision:
        revision = self.add_folder(folder, name, more.pop("workers", 1))
        self.endpoints[name] = ServedEndpoint(name, "tests", revision.number, **more)
        self.write()
        return revision

    def add_folder(self, folder: Path, name: str, workers: int = 1) -> ServedRevision:
        number = sum(r.endpoint == name for r in self.revisions) + 1
        digest = verify_bundle(folder).digest
        path = str(folder.relative_to(self.home))
        revision = ServedRevision(name, number, "trial", number, path, digest, workers)
        self.revisions.append(revision)
        return revision

    def change(self, name: str, **more: Any) -> None:
        self.endpoints[name] = msgspec.structs.replace(self.endpoints[name], **more)
        self.write()

    def write(self) -> Configuration:
        self.serial += 1
        written = Configuration(self.serial, datetime.now(UTC), tuple(self.endpoints.values()), tuple(self.revisions))
        write_configuration(self.home / "gateway", written, self.sign)
        return written

    def start(self, *more: str) -> Address:
        command = [sys.executable, trial.__file__, "gateway", "--home", str(self.home), "--port", "0", *more]
        log = (self.home / "gateway.log").open("ab")
        with log:
            self.gateway = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        until(self.is_up)
        return self.address

    def is_up(self) -> bool:
        address = read_address(self.home)
        return address is not None and self.gateway is not None and address.pid == self.gateway.pid

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.gateway is not None, "nothing was started"
        if self.gateway.poll() is None:
            self.gateway.send_signal(number)
        code = self.gateway.wait(10)
        self.gateway = None
        return code

    @property
    def address(self) -> Address:
        address = read_address(self.home)
        assert address is not None
        return address

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.address.host, self.address.port, timeout=20)

    def ask(self, body: object, name: str = "adder", **headers: str) -> Answer:
        """One request on a connection of its own; header names with _ for -."""
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return self.request("POST", f"/endpoints/{name}/invocations", data, **headers)

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        with contextlib.closing(self.connection()) as connection:
            return ask(connection, method, path, body, headers)

    def status(self) -> GatewayStatus:
        with contextlib.closing(self.connection()) as connection:
            connection.request("GET", "/status")
            return msgspec.json.decode(connection.getresponse().read(), type=GatewayStatus)

    def revision(self, number: int = 1, name: str = "adder") -> RevisionStatus:
        found = [r for r in self.status().revisions if r.endpoint == name and r.number == number]
        assert found, "no such revision in the status"
        return found[0]

    def copies(self, number: int, name: str) -> Copies | None:
        """What became of the copies of a shadow; None while it is none yet."""
        found = [r for r in self.status().revisions if (r.endpoint, r.number) == (name, number)]
        return found[0].copies if found else None

    def until_state(self, state: str, number: int = 1, name: str = "adder") -> None:
        until(lambda: (name, number, state) in [(r.endpoint, r.number, r.state) for r in self.status().revisions])

    def until_live(self, number: int = 1, name: str = "adder") -> RevisionStatus:
        until(lambda: any(r.is_live and (r.endpoint, r.number) == (name, number) for r in self.status().revisions))
        return self.revision(number, name)


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None,
    headers: dict[str, str] | None = None,
) -> Answer:
    given = {"content-type": "application/json"}
    given |= {name.replace("_", "-"): value for name, value in (headers or {}).items()}
    connection.request(method, path, body, given)
    response = connection.getresponse()
    found = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, msgspec.json.decode(response.read()), found)


def until(holds: Callable[[], bool], wait_s: float = 30.0) -> None:
    """Waits until it holds; fails the test when that takes too long."""
    last = time.monotonic() + wait_s
    while not holds():
        assert time.monotonic() < last, "it did not come about in time"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # gone before the file was opened, or while it was read
        return False
    return told.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A home with its keys; what it started is ended with the test."""
    site = Site(tmp_path / "home")
    yield site
    if site.gateway is not None:
        site.stop()


@pytest.fixture
def served(site: Site) -> Site:
    """A home whose gateway answers for the endpoint `adder`: x + 1."""
    return with_adder(site)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """As `served`, for all tests of a file that only ask: one gateway for them together."""
    site = Site(tmp_path_factory.mktemp("shared") / "home")
    try:
        yield with_adder(site)
    finally:
        site.stop()


def with_adder(site: Site) -> Site:
    site.deploy("1")
    site.start()
    site.until_live()
    return site


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A server, its gateway and a live revision, for all tests: whoever ends something starts it again."""
    from tests.endpoints.running_server import Platform

    platform = Platform(tmp_path_factory.mktemp("platform"))
    try:
        platform.promoted()
        platform.olu.endpoints.deploy("mortgage", "mortgage@1")
        yield platform
    finally:
        platform.close()
