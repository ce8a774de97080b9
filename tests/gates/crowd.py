"""Who walks: everybody with two tokens, a program with as many, and what people do to each other's roles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from taxiway.access.contract import AddUser, GrantRole, MakeToken
from taxiway.access.delegation.contract import Delegate
from taxiway.access.roles import Role
from taxiway.gates.paths.contract import PublishPath
from taxiway.house import House
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import SignInNeeded, TaxiwayError
from taxiway.models.contract import Target
from tests.gates.account import PATH, PEOPLE, Account, Clock

ACTORS = (*PEOPLE, "boss", "bot", "local")
LOCAL = Caller("local", "local", is_admin=True)

anybody = st.sampled_from(ACTORS)
numbers = st.sampled_from((1, 1, 1, 2, 2, 3))
roles: st.SearchStrategy[Role] = st.sampled_from(("contributor", "validator", "validator", "operator", "owner"))
stages: st.SearchStrategy[Target] = st.sampled_from(("staging", "production", "archived"))
which = st.integers(0, 1)


class Crowd(RuleBasedStateMachine):
    house: ClassVar[House]
    clock: ClassVar[Clock]
    count: ClassVar[Iterator[int]]
    tokens: ClassVar[dict[tuple[str, int], str]]
    steps: ClassVar[int] = 0
    happened: ClassVar[Counter[str]] = Counter()

    @classmethod
    def settle(cls, house: House, clock: Clock, count: Iterator[int]) -> None:
        """Puts everybody into a house."""
        cls.house, cls.clock, cls.count, cls.tokens = house, clock, count, {}
        cls.steps, cls.happened = 0, Counter()
        for name in (*PEOPLE, "boss"):
            house.access.add_user(LOCAL, AddUser(name, is_admin=name == "boss"))
        house.access.add_user(LOCAL, AddUser("bot", kind="service", accountable="boss"))

    name: str
    days: int
    path_by: str
    has_moved: bool
    holders: dict[Role, set[str]]  # by somebody else's grant
    known: dict[int, Account]

    # --- the door ---

    def by(self, who: str, token: int) -> Caller:
        """The caller that a token stands for, as the doorkeeper finds them; `local` is the home's owner."""
        if who == "local":
            return LOCAL
        secret = self.tokens.get((who, token), "")
        user = self.house.access.user_of(secret, "token") if secret else None
        if user is None:  # it ran out, or there was none yet
            made = self.house.access.make_token(LOCAL, MakeToken(label=f"{who} {token}", days=365), user=who)
            self.tokens[who, token] = made.token
            user = self.house.access.user_of(made.token, "token")
        if user is None:
            raise SignInNeeded(reason="The token is not valid.")
        return Caller(user.name, user.kind, is_admin=user.is_admin)

    def tries(self, who: str, token: int, needs: str, project: str | None = "") -> Caller:
        """The caller, if the door lets them in."""
        Crowd.steps += 1
        caller = self.by(who, token)
        self.house.access.require(caller, needs, self.name if project == "" else project)
        return caller

    def did(self, what: str) -> None:
        self.happened[what] += 1
        self.has_moved = True

    @property
    def validators(self) -> set[str]:
        return self.holders["validator"]

    # --- people ---

    @rule(who=anybody, token=which)
    def publish(self, who: str, token: int) -> None:
        text = PATH.format(name=self.name, days=self.days + 1)
        try:
            self.house.gates.paths.publish(self.tries(who, token, "gates.publish", None), PublishPath(text))
        except TaxiwayError:
            return
        self.days += 1
        self.path_by = who
        for account in self.known.values():
            account.forget()

    @rule(who=anybody, token=which, to=st.sampled_from(PEOPLE), role=roles)
    def grant(self, who: str, token: int, to: str, role: Role) -> None:
        try:
            caller = self.tries(who, token, "access.grant")
            self.house.access.grant_role(caller, GrantRole(role), project=self.name, user=to)
        except TaxiwayError:
            return
        assert who != to
        self.holders.setdefault(role, set()).add(to)

    @rule(who=anybody, token=which, user=st.sampled_from(PEOPLE))
    def revoke(self, who: str, token: int, user: str) -> None:
        try:
            caller = self.tries(who, token, "access.grant")
            self.house.access.revoke_role(caller, project=self.name, user=user)
        except TaxiwayError:
            return
        for held in self.holders.values():
            held.discard(user)
        self.did("revoked")

    @rule(who=anybody, token=which, to=st.sampled_from(PEOPLE), days=st.sampled_from((1, 30)))
    def delegate(self, who: str, token: int, to: str, days: int) -> None:
        try:
            caller = self.tries(who, token, "gates.approve")
            body = Delegate("validator", to, self.clock.at + timedelta(days=days))
            self.house.access.delegations.delegate(caller, body, project=self.name)
        except TaxiwayError:
            return
        assert who in self.validators
        self.did("delegated")
