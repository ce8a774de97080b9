"""A walk over all that anybody could try with a version.

Whoever acts does so by a token, as at the door: everybody has two, and so has a program. What must hold is judged by
an account of the walk's own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from taxiway.endpoints.contract import Deploy
from taxiway.gates.contract import Approve, Evaluate, Withdraw
from taxiway.gates.exceptions.contract import AskWaiver, BreakGlass, GrantWaiver, RevokeWaiver
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.bundles.bundle import BundleFile, Manifest, NativeModel, bundle_digest
from taxiway.models.contract import EnterCard, PointAlias, Promote, RegisterVersion, Target
from taxiway.models.describing.card import HUMAN
from taxiway.projects.contract import CreateProject
from tests.gates.account import PEOPLE, QUORUM, Account, Given, Passed
from tests.gates.crowd import Crowd, anybody, numbers, stages, which
from tests.gates.story import SIGNATURE


class Walk(Crowd):
    @initialize()
    def open(self) -> None:
        self.name, self.days = f"p{next(self.count)}", 90
        self.holders = {"validator": set(), "operator": set()}
        self.known = {}
        self.serving: dict[str, int] = {}
        self.looked, self.has_moved = 0, False
        self.publish("local", 0)
        self.house.projects.create(self.by("boss", 0), CreateProject(name=self.name, risk="high", path=self.name))
        for person, role in (("ana", "contributor"), ("ben", "operator"), ("cleo", "validator"), ("dan", "validator")):
            self.grant("boss", 0, person, role)
        self.register("ana", 0)

    # --- versions ---

    @rule(who=anybody, token=which)
    def register(self, who: str, token: int) -> None:
        number = len(self.known) + 1
        data = f"{self.name} {number}".encode()
        file = BundleFile(path="m", size_bytes=len(data), digest=self.house.blobs.put(BytesIO(data)))
        native = NativeModel(file="m", serialization="none")
        manifest = Manifest(name=self.name, flavour="x", signature=SIGNATURE, native=native, files=(file,), format=1)
        try:
            if number <= 3:
                caller = self.tries(who, token, "models.write")
                self.house.access.digests.sent(caller, file.digest)
                self.house.models.register(caller, RegisterVersion(self.name, manifest, bundle_digest(manifest)))
                self.known[number] = Account(who)
        except TaxiwayError:
            return

    @rule(who=anybody, token=which, version=numbers, text=st.sampled_from(("", "a", "b")))
    def write_card(self, who: str, token: int, version: int, text: str) -> None:
        fields = dict.fromkeys(HUMAN, text)
        try:
            caller = self.tries(who, token, "models.write")
            self.house.models.cards.enter(caller, EnterCard(fields), model=self.name, version=str(version))
        except TaxiwayError:
            return
        account = self.known[version]
        card = tuple(fields.values()) if text else ()
        account.writer = account.writer if account.card == card else who if text else ""
        account.card = card

    @rule(who=anybody, token=which, version=numbers)
    def evaluate(self, who: str, token: int, version: int) -> None:
        try:
            caller = self.tries(who, token, "gates.evaluate")
            self.house.gates.evaluations.evaluate(caller, Evaluate(), model=self.name, version=str(version))
        except TaxiwayError:
            return
        account = self.known[version]
        account.judges.setdefault(account.card, who)

    @rule(who=anybody, token=which, version=numbers)
    def approve(self, who: str, token: int, version: int) -> None:
        try:
            caller = self.tries(who, token, "gates.approve")
            given = self.house.gates.approve(caller, Approve("seen"), model=self.name, version=str(version))
        except TaxiwayError:
            return
        account = self.known[version]
        assert caller.kind == "person"
        assert (given.on_behalf_of or who) in self.validators
        assert not ({who, given.on_behalf_of} - {""}) & account.authors
        assert account.makers <= {*PEOPLE, "boss"}
        assert self.path_by not in (who, given.on_behalf_of)
        assert account.card in account.judges
        assert given.expires_at is not None
        assert who not in {each.by for each in account.approvals if each.of == account.card and self.counts(each)}
        account.approvals.append(Given(account.card, who, given.on_behalf_of, given.expires_at))
        self.did("approved")

    def counts(self, given: Given) -> bool:
        return given.until > self.clock.at and (given.behalf or given.by) in self.validators

    @rule(who=anybody, token=which, version=numbers)
    def withdraw(self, who: str, token: int, version: int) -> None:
        try:
            caller = self.tries(who, token, "gates.approve")
            standing = self.house.gates.standing(caller, model=self.name, version=version)
            mine = [each for each in standing.stages[1].approvals if each.by == who and each.withdrawn_at is None]
            for given in mine:
                body, here = Withdraw("on second thought"), {"model": self.name, "version": str(version)}
                self.house.gates.approvals.withdraw(caller, body, **here, approval=given.id)
        except TaxiwayError:
            return
        account = self.known[version]
        account.approvals = [each for each in account.approvals if each.by != who]

    # --- ways around a gate ---

    @rule(who=anybody, token=which, version=numbers)
    def ask_waiver(self, who: str, token: int, version: int) -> None:
        try:
            caller = self.tries(who, token, "gates.evaluate")
            body = AskWaiver("card", "a pilot")
            asked = self.house.gates.waivers.ask(caller, body, model=self.name, version=str(version))
        except TaxiwayError:
            return
        account = self.known[version]
        assert caller.kind == "person"
        account.waivers[asked.id] = Passed(account.card, who, "", asked.until)

    @rule(who=anybody, token=which, version=numbers)
    def grant_waiver(self, who: str, token: int, version: int) -> None:
        account = self.known.get(version)
        for waiver, asked in list(account.waivers.items()) if account else ():
            try:
                caller = self.tries(who, token, "gates.waive")
                here = {"model": self.name, "version": str(version), "waiver": waiver}
                self.house.gates.waivers.grant(caller, GrantWaiver("bearable"), **here)
            except TaxiwayError:
                continue
            assert account is not None
            assert caller.kind == "person"
            assert who in self.validators
            assert who != asked.asked_by
            assert who not in account.authors
            assert asked.of == account.card
            account.waivers[waiver] = asked._replace(by=who)
            self.did("waived")

    @rule(who=anybody, token=which, version=numbers)
    def revoke_waiver(self, who: str, token: int, version: int) -> None:
        account = self.known.get(version)
        for waiver in list(account.waivers) if account else ():
            try:
                caller = self.tries(who, token, "gates.read")
                here = {"model": self.name, "version": str(version), "waiver": waiver}
                self.house.gates.waivers.revoke(caller, RevokeWaiver("over"), **here)
            except TaxiwayError:
                continue
            assert account is not None
            del account.waivers[waiver]

    @rule(who=anybody, token=which, version=numbers)
    def break_glass(self, who: str, token: int, version: int) -> None:
        try:
            caller = self.tries(who, token, "gates.break_glass")
            body = BreakGlass("it burns")
            glass = self.house.gates.glass.break_glass(caller, body, model=self.name, version=str(version))
        except TaxiwayError:
            return
        account = self.known[version]
        assert caller.kind == "person"
        assert who in self.holders["operator"]
        account.glass_until, account.is_allowed = glass.until, True
        self.did("broken")

    # --- the doors ---

    def may_enter(self, version: int, to: Target) -> bool:
        """What the account says: the gates are open, or the glass is broken."""
        account = self.known.get(version)
        if account is None or to == "archived":
            return account is not None
        if account.glass_until is not None and account.glass_until > self.clock.at:
            return True
        at = self.clock.at
        is_said = account.is_said(at, self.validators)
        return is_said and (to == "staging" or account.voices(at, self.validators) >= QUORUM)

    def entered(self, version: int, to: Target, *, may: bool) -> None:
        account = self.known[version]
        assert may
        if to == "archived":
            account.forget()
            account.glass_until = None
        account.is_allowed |= to == "production"
        self.did(f"entered {to}")

    @rule(who=anybody, token=which, version=numbers, to=stages)
    def promote(self, who: str, token: int, version: int, to: Target) -> None:
        may = self.may_enter(version, to)
        try:
            caller = self.tries(who, token, "models.promote")
            self.house.models.promote(caller, Promote(to), model=self.name, version=str(version))
        except TaxiwayError:
            return
        self.entered(version, to, may=may)

    @rule(who=anybody, token=which, version=numbers)
    def point_champion(self, who: str, token: int, version: int) -> None:
        try:
            caller = self.tries(who, token, "models.promote")
            self.house.models.movements.point_alias(caller, PointAlias(version), model=self.name, alias="champion")
        except TaxiwayError:
            return
        raise AssertionError("the champion was moved by hand")

    @rule(who=anybody, token=which, version=numbers, alias=st.sampled_from(("champion", "production", "staging")))
    def follow_alias(self, who: str, token: int, version: int, alias: str) -> None:
        """As MLflow's clients point aliases."""
        to: Target = "staging" if alias == "staging" else "production"
        may = self.may_enter(version, to)
        try:
            caller = self.tries(who, token, "models.promote")
            before = {each.version: each.stage for each in self.house.models.in_project(self.name)}
            self.house.models.movements.follow_alias(caller, PointAlias(version), model=self.name, alias=alias)
        except TaxiwayError:
            return
        if before.get(version) != to:
            self.entered(version, to, may=may)

    @rule(who=anybody, token=which, version=numbers)
    def deploy(self, who: str, token: int, version: int) -> None:
        may = self.may_enter(version, "production")
        name = f"{self.name}-{len(self.known)}"
        try:
            caller = self.tries(who, token, "endpoints.deploy")
            body = Deploy(name, self.name, version=f"{self.name}@{version}")
            self.house.endpoints.deploy(caller, body)
        except TaxiwayError:
            return
        assert may or self.serving.get(name) == version
        assert self.known[version].is_allowed
        self.serving[name] = version
        self.did("deployed")

    # --- getting somewhere ---

    @rule(version=numbers, left_out=st.integers(0, 7), token=which)
    def go_the_right_way(self, version: int, left_out: int, token: int) -> None:
        """All that is needed, or all but one step: so that the walk gets somewhere."""
        steps: list[tuple[Callable[..., None], tuple[object, ...]]] = [
            (self.write_card, ("ana", token, version, "a")),
            (self.evaluate, ("ana", token, version)),
            (self.approve, ("cleo", token, version)),
            (self.approve, ("dan", token, version)),
            (self.promote, ("ana", token, version, "production")),
            (self.deploy, ("ben", token, version)),
        ]
        for number, (step, given) in enumerate(steps):
            if number != left_out:
                step(*given)

    @rule(version=numbers, left_out=st.integers(0, 7), token=which)
    def go_around_a_gate(self, version: int, left_out: int, token: int) -> None:
        """With a waiver for what was never written, or all but one step of that."""
        steps: list[tuple[Callable[..., None], tuple[object, ...]]] = [
            (self.evaluate, ("ana", token, version)),
            (self.ask_waiver, ("ana", token, version)),
            (self.grant_waiver, ("cleo", token, version)),
            (self.approve, ("cleo", token, version)),
            (self.approve, ("dan", token, version)),
            (self.promote, ("ana", token, version, "production")),
        ]
        for number, (step, given) in enumerate(steps):
            if number != left_out:
                step(*given)

    @rule(version=numbers, left_out=st.integers(0, 5), token=which)
    def go_through_glass(self, version: int, left_out: int, token: int) -> None:
        """In an emergency, or all but one step of that."""
        steps: list[tuple[Callable[..., None], tuple[object, ...]]] = [
            (self.grant, ("boss", token, "ben", "operator")),
            (self.break_glass, ("ben", token, version)),
            (self.deploy, ("ben", token, version)),
        ]
        for number, (step, given) in enumerate(steps):
            if number != left_out:
                step(*given)

    @rule(days=st.sampled_from((1, 10, 60, 120)))
    def wait(self, days: int) -> None:
        self.clock.at += timedelta(days=days)

    @invariant()
    def what_is_in_production_was_let_in(self) -> None:
        """Looked at where something moved, and at every few steps, and at the end."""
        self.looked += 1
        if self.has_moved or self.looked % 6 == 0:
            self.look()

    def teardown(self) -> None:
        self.look()

    def look(self) -> None:
        self.has_moved = False
        for version in self.house.models.in_project(self.name):
            assert version.stage != "production" or self.known[version.version].is_allowed
            assert "champion" not in version.aliases or version.stage == "production"
