"""A platform without a server and with a clock that is put forward by hand, for the rules of who may approve when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from taxiway.access.contract import AddUser, GrantRole
from taxiway.access.delegation.contract import Delegate, Delegation
from taxiway.access.roles import Role
from taxiway.gates.contract import Approval, Approve, Evaluate, Request, RequestApproval, Standing
from taxiway.gates.paths.contract import PublishPath
from taxiway.house import House
from taxiway.kernel.caller import Caller
from taxiway.models.bundles.bundle import BundleFile, Manifest, NativeModel, bundle_digest
from taxiway.models.contract import EnterCard, ModelVersion, Promote, RegisterVersion, Target
from taxiway.models.describing.card import HUMAN
from taxiway.projects.contract import CreateProject
from tests.gates.story import SIGNATURE
from tests.support.tables import furnish

LOCAL = Caller("local", "local", is_admin=True)
PROJECT = "loans"
MODEL = "loan"
PATH = """\
path: {name}
mode: block
stages:
  staging:
    - card: {{}}
  production:
    - approvals: {asks}
"""


class Clock:
    """A wall clock that is put forward by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def wait(self, days: float) -> None:
        self.at += timedelta(days=days)


class Office:
    """`ana` makes versions; `vera` and `vito` validate, `paul` approves, `olga` owns; `ivo` is an admin."""

    def __init__(self, house: House, clock: Clock) -> None:
        self.house = house
        self.clock = clock
        self.made = 0
        for name in ("ana", "ben", "olga", "paul", "vera", "vito", "ivo"):
            house.access.add_user(LOCAL, AddUser(name, is_admin=name == "ivo"))
        self.path("{roles: [validator]}")
        house.projects.create(LOCAL, CreateProject(name=PROJECT, risk="high", path="asked", owner="olga"))
        for name, role in (("ana", "contributor"), ("vera", "validator"), ("vito", "validator"), ("paul", "approver")):
            self.grant(name, role)  # type: ignore[arg-type]

    def path(self, asks: str) -> None:
        """What production asks for from now on."""
        self.house.gates.paths.publish(LOCAL, PublishPath(PATH.format(name="asked", asks=asks)))

    def grant(self, user: str, role: Role, by: str = "olga") -> None:
        self.house.access.grant_role(self.caller(by), GrantRole(role), project=PROJECT, user=user)

    def caller(self, name: str) -> Caller:
        """Somebody as the server knows them who signed in."""
        found = {user.name: user for user in self.house.access.accounts.all()}.get(name)
        return Caller(name, found.kind, is_admin=found.is_admin) if found else LOCAL

    def delegate(self, giver: str, to: str, *, days: float = 14, role: str = "validator") -> Delegation:
        body = Delegate(role, to, self.clock.at + timedelta(days=days))  # type: ignore[arg-type]
        return self.house.access.delegations.delegate(self.caller(giver), body, project=PROJECT)

    def version(self, by: str = "ana") -> ModelVersion:
        """A new version that is described and judged by who made it: all it lacks is approvals."""
        self.made += 1
        data = f"model {self.made}".encode()
        file = BundleFile(path="m", size_bytes=len(data), digest=self.house.blobs.put(BytesIO(data)))
        self.house.access.digests.sent(self.caller(by), file.digest)
        native = NativeModel(file="m", serialization="none")
        manifest = Manifest(name=MODEL, flavour="x", signature=SIGNATURE, native=native, files=(file,), format=1)
        body = RegisterVersion(PROJECT, manifest, bundle_digest(manifest))
        made = self.house.models.register(self.caller(by), body)
        self.describe(made, by, "as always")
        self.evaluate(made, by)
        return made

    def describe(self, version: ModelVersion, by: str, text: str) -> None:
        body = EnterCard(dict.fromkeys(HUMAN, text))
        self.house.models.cards.enter(self.caller(by), body, model=MODEL, version=str(version.version))

    def evaluate(self, version: ModelVersion, by: str, *, anyway: bool = False) -> Standing:
        return self.house.gates.evaluations.evaluate(
            self.caller(by), Evaluate(anyway), model=MODEL, version=str(version.version)
        )

    def request(self, version: ModelVersion, by: str = "ana", *, anyway: bool = False) -> Request:
        body = RequestApproval(anyway=anyway)
        return self.house.gates.approvals.request(self.caller(by), body, model=MODEL, version=str(version.version))

    def approve(self, version: ModelVersion, by: str, *, role: str = "", on_behalf_of: str = "") -> Approval:
        body = Approve("looked at it", role=role, on_behalf_of=on_behalf_of)
        return self.house.gates.approve(self.caller(by), body, model=MODEL, version=str(version.version))

    def promote(self, version: ModelVersion, to: Target = "production", by: str = "ana") -> ModelVersion:
        return self.house.models.promote(self.caller(by), Promote(to), model=MODEL, version=str(version.version))

    def standing(self, version: ModelVersion) -> Standing:
        return self.house.gates.standing(LOCAL, model=MODEL, version=version.version)

    def given(self, version: ModelVersion) -> list[Approval]:
        """The approvals for production, the newest first."""
        return self.standing(version).stages[-1].approvals

    def is_open(self, version: ModelVersion) -> bool:
        return all(stage.is_open for stage in self.standing(version).stages)


@contextmanager
def opened(folder: Path) -> Iterator[Office]:
    clock = Clock()
    furnish(folder / "home")
    house = House(folder / "home", clock=clock, login=True)
    try:
        yield Office(house, clock)
    finally:
        house.close()
