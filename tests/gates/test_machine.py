"""No sequence of people, roles and actions brings a version to production without its quorum.

A random walk over everything that somebody could try, with its own account of who did what since when. The account
knows none of the platform's digests: it forgets approvals when something is changed, and keeps authors in sets.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from taxiway.access.contract import AddUser, GrantRole
from taxiway.access.roles import Role
from taxiway.gates.contract import Approve, Evaluate, PublishPath, Withdraw
from taxiway.house import House
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.bundle import BundleFile, Manifest, NativeModel, bundle_digest
from taxiway.models.card import HUMAN
from taxiway.models.contract import EnterCard, PointAlias, Promote, RegisterVersion, Target
from taxiway.projects.contract import CreateProject
from tests.gates.story import SIGNATURE

PEOPLE = ("ana", "ben", "cleo", "dan")
CALLERS = {
    **{name: Caller(name, "person") for name in PEOPLE},
    "bot": Caller("bot", "service"),
    "local": Caller("local", "local", is_admin=True),
    "boss": Caller("boss", "person", is_admin=True),
}
QUORUM = 2
PATH = """\
path: {name}
mode: block
stages:
  staging:
    - card: {{}}
  production:
    - approvals: {{roles: [validator], count: 2, expires: {days}d}}
"""

anybody = st.sampled_from(sorted(CALLERS))
numbers = st.sampled_from((1, 1, 1, 2, 2, 3))
roles: st.SearchStrategy[Role] = st.sampled_from(("contributor", "validator", "operator", "owner"))
stages: st.SearchStrategy[Target] = st.sampled_from(("staging", "production", "archived"))


class Clock:
    """A wall clock that is put forward by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


Texts = tuple[str, ...]


class Account:
    """What the test itself knows of a version. A card that says again what it said once is the same card."""

    def __init__(self, author: str) -> None:
        self.author = author
        self.card: Texts = ()
        self.writer = ""
        self.judges: dict[Texts, str] = {}  # who ran the check, for each card that the path was asked about
        self.approvals: dict[tuple[Texts, str], datetime] = {}  # of which card and by whom, until when
        self.is_allowed = False  # it was let into production with its quorum

    @property
    def authors(self) -> set[str]:
        return {self.author, self.writer, self.judges.get(self.card, "")}

    @property
    def makers(self) -> set[str]:
        return {self.author, self.writer} - {""}

    def counting(self, at: datetime) -> set[str]:
        return {who for (card, who), until in self.approvals.items() if card == self.card and until > at}


class Walk(RuleBasedStateMachine):
    house: ClassVar[House]
    clock: ClassVar[Clock]
    count: ClassVar[Iterator[int]]
    approved: ClassVar[int] = 0
    reached: ClassVar[int] = 0

    @initialize()
    def open(self) -> None:
        self.name = f"p{next(self.count)}"
        self.days = 90
        self.validators: set[str] = set()  # who was given the role by somebody else
        self.known: dict[int, Account] = {}
        self.publish("local")
        boss = CALLERS["boss"]
        self.house.projects.create(boss, CreateProject(name=self.name, risk="high", path=self.name))
        for person in ("ana", "ben"):
            self.grant("boss", person, "contributor")
        for person in ("ben", "cleo", "dan"):
            self.grant("boss", person, "validator")
        self.register("ana")

    def tries(self, who: str, needs: str, project: str | None = "") -> Caller:
        """The caller, if the door lets them in."""
        self.house.access.require(CALLERS[who], needs, self.name if project == "" else project)
        return CALLERS[who]

    @rule(who=anybody)
    def publish(self, who: str) -> None:
        text = PATH.format(name=self.name, days=self.days + 1)
        try:
            self.house.gates.paths.publish(self.tries(who, "gates.publish", None), PublishPath(text))
        except TaxiwayError:
            return
        self.days += 1
        self.path_by = who
        for account in self.known.values():
            account.judges.clear()
            account.approvals.clear()

    @rule(who=anybody, to=st.sampled_from(PEOPLE), role=roles)
    def grant(self, who: str, to: str, role: Role) -> None:
        try:
            caller = self.tries(who, "access.grant")
            self.house.access.grant_role(caller, GrantRole(role), project=self.name, user=to)
        except TaxiwayError:
            return
        assert who != to
        if role == "validator":
            self.validators.add(to)

    @rule(who=anybody)
    def register(self, who: str) -> None:
        number = len(self.known) + 1
        data = f"{self.name} {number}".encode()
        file = BundleFile(path="m", size_bytes=len(data), digest=self.house.blobs.put(BytesIO(data)))
        self.house.access.digests.sent(CALLERS[who], file.digest)
        native = NativeModel(file="m", serialization="none")
        manifest = Manifest(name=self.name, flavour="x", signature=SIGNATURE, native=native, files=(file,), format=1)
        body = RegisterVersion(self.name, manifest, bundle_digest(manifest))
        try:
            if number <= 3:
                self.house.models.register(self.tries(who, "models.write"), body)
                self.known[number] = Account(who)
        except TaxiwayError:
            return

    @rule(who=anybody, version=numbers, text=st.sampled_from(("", "a", "b")))
    def write_card(self, who: str, version: int, text: str) -> None:
        fields = dict.fromkeys(HUMAN, text)
        try:
            caller = self.tries(who, "models.write")
            self.house.models.cards.enter(caller, EnterCard(fields), model=self.name, version=str(version))
        except TaxiwayError:
            return
        account = self.known[version]
        card = tuple(fields.values()) if text else ()
        account.writer = account.writer if account.card == card else who if text else ""
        account.card = card

    @rule(who=anybody, version=numbers)
    def evaluate(self, who: str, version: int) -> None:
        try:
            caller = self.tries(who, "gates.evaluate")
            self.house.gates.evaluations.evaluate(caller, Evaluate(), model=self.name, version=str(version))
        except TaxiwayError:
            return
        account = self.known[version]
        account.judges.setdefault(account.card, who)

    @rule(who=anybody, version=numbers)
    def approve(self, who: str, version: int) -> None:
        try:
            caller = self.tries(who, "gates.approve")
            given = self.house.gates.approve(caller, Approve("seen"), model=self.name, version=str(version))
        except TaxiwayError:
            return
        account = self.known[version]
        assert CALLERS[who].kind == "person"
        assert who in self.validators
        assert who not in account.authors
        assert account.makers <= {*PEOPLE, "boss"}
        assert who != self.path_by
        assert account.card in account.judges
        assert given.expires_at is not None
        account.approvals[account.card, who] = given.expires_at
        type(self).approved += 1

    @rule(who=anybody, version=numbers)
    def withdraw(self, who: str, version: int) -> None:
        try:
            caller = self.tries(who, "gates.approve")
            standing = self.house.gates.standing(caller, model=self.name, version=version)
            for given in standing.stages[1].approvals:
                body = Withdraw("on second thought")
                self.house.gates.approvals.withdraw(
                    caller, body, model=self.name, version=str(version), approval=given.id
                )
        except TaxiwayError:
            pass
        if version in self.known:
            account = self.known[version]
            account.approvals = {key: until for key, until in account.approvals.items() if key[1] != who}

    @rule(who=anybody, version=numbers, to=stages)
    def promote(self, who: str, version: int, to: Target) -> None:
        account = self.known.get(version)
        is_said = account is not None and bool(account.card) and account.card in account.judges
        counting = account.counting(self.clock.at) - account.authors if account else set()
        try:
            caller = self.tries(who, "models.promote")
            self.house.models.promote(caller, Promote(to), model=self.name, version=str(version))
        except TaxiwayError:
            return
        assert account is not None
        assert is_said or to == "archived"
        assert len(counting) >= QUORUM or to != "production"
        if to == "archived":
            account.approvals.clear()
        account.is_allowed |= to == "production"
        type(self).reached += to == "production"

    @rule(who=anybody, version=numbers)
    def point_champion(self, who: str, version: int) -> None:
        try:
            caller = self.tries(who, "models.promote")
            self.house.models.movements.point_alias(caller, PointAlias(version), model=self.name, alias="champion")
        except TaxiwayError:
            return
        raise AssertionError("the champion was moved by hand")

    @rule(version=numbers, left_out=st.integers(0, 7))
    def go_the_right_way(self, version: int, left_out: int) -> None:
        """All that is needed, or all but one step: so that the walk gets somewhere."""
        steps: list[tuple[Callable[..., None], tuple[object, ...]]] = [
            (self.write_card, ("ana", version, "a")),
            (self.evaluate, ("ana", version)),
            (self.approve, ("cleo", version)),
            (self.approve, ("dan", version)),
            (self.promote, ("ana", version, "production")),
        ]
        for number, (step, given) in enumerate(steps):
            if number != left_out:
                step(*given)

    @rule(days=st.sampled_from((1, 60, 120)))
    def wait(self, days: int) -> None:
        self.clock.at += timedelta(days=days)

    @invariant()
    def what_is_in_production_was_let_in(self) -> None:
        for version in self.house.models.in_project(self.name):
            assert version.stage != "production" or self.known[version.version].is_allowed
            assert "champion" not in version.aliases or version.stage == "production"


@pytest.mark.slow
def test_no_walk_reaches_production_without_its_quorum() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Walk.clock, Walk.count = Clock(), itertools.count()
        Walk.house = House(Path(folder), clock=Walk.clock)
        try:
            for name in (*PEOPLE, "boss"):
                Walk.house.access.add_user(CALLERS["local"], AddUser(name, is_admin=name == "boss"))
            Walk.house.access.add_user(CALLERS["local"], AddUser("bot", kind="service"))
            walks = settings(max_examples=20, stateful_step_count=30, derandomize=True)
            run_state_machine_as_test(Walk, settings=walks)
            assert Walk.approved > 10  # the walks got somewhere
            assert Walk.reached > 2
        finally:
            Walk.house.close()
