"""The SDK of access."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypedDict, Unpack

from taxiway.access import contract
from taxiway.access.contract import (
    AddUser,
    ChangeUser,
    Grant,
    GrantRole,
    KeptToken,
    MakeToken,
    SignInLink,
    Token,
    User,
    WhoAmI,
)
from taxiway.access.delegation import contract as delegations_contract
from taxiway.access.delegation.contract import Delegate, DelegatedRole, Delegation
from taxiway.access.proposals import contract as proposals_contract
from taxiway.access.proposals.contract import AdminProposal, Decide
from taxiway.access.provider import contract as provider_contract
from taxiway.access.provider.contract import Binding
from taxiway.access.roles import Role
from taxiway.access.terminals import contract as terminals_contract
from taxiway.access.terminals.contract import RedeemCode
from taxiway.kernel.transport import Transport


class UserChanges(TypedDict, total=False):
    """What can be changed of an account."""

    display: str
    accountable: str
    is_admin: bool
    reason: str


class Access:
    """People, tokens and roles: ``client.access``."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def add_user(self, name: str, *, display: str = "", is_admin: bool = False) -> User:
        """Adds a person. Raises AlreadyExists, BadField."""
        body = AddUser(name=name, display=display, is_admin=is_admin)
        return self.transport.call(contract.add_user, body)

    def add_service(self, name: str, *, accountable: str, display: str = "") -> User:
        """Adds a service account: it can do what its roles say, but never approve.

        accountable: the person who answers for it. Raises AlreadyExists, BadField.
        """
        body = AddUser(name=name, display=display, kind="service", accountable=accountable)
        return self.transport.call(contract.add_user, body)

    def change_user(self, name: str, **changes: Unpack[UserChanges]) -> User:
        """Changes an account: its `display`, who is `accountable` for a service account, whether it `is_admin`.

        Raises BadField, NotFound, OwnAccount.
        """
        return self.transport.call(contract.change_user, ChangeUser(**changes), user=name)

    def deactivate(self, name: str, *, reason: str = "") -> User:
        """Ends every sign-in, link and token of an account for good; what it did stays. Raises NotFound, OwnAccount."""
        return self.transport.call(contract.change_user, ChangeUser(is_active=False, reason=reason), user=name)

    def activate(self, name: str, *, reason: str = "") -> User:
        """Lets new links and tokens be made for an account that was deactivated. Raises NotFound."""
        return self.transport.call(contract.change_user, ChangeUser(is_active=True, reason=reason), user=name)

    def tokens(self, name: str) -> list[KeptToken]:
        """Somebody's tokens that hold now, newest first; for admins. Raises NotFound."""
        return self.transport.call(contract.list_tokens, user=name).items

    def revoke_token(self, name: str, token: str) -> list[KeptToken]:
        """Ends one of somebody's tokens, by its id, and gives those that remain; for admins. Raises NotFound."""
        return self.transport.call(contract.revoke_token, user=name, token=token).items

    def bindings(self) -> list[Binding]:
        """Which accounts of the identity provider are who here, by user; for admins."""
        return self.transport.call(provider_contract.list_bindings).items

    def redeem_code(self, code: str, verifier: str) -> Token:
        """The token for a code that a browser brought to a terminal: what `taxiway access sign-in` does.

        Raises CodeSpent.
        """
        return self.transport.call(terminals_contract.redeem_code, RedeemCode(code=code, verifier=verifier))

    def users(self) -> list[User]:
        """Everybody, by name."""
        return self.transport.call(contract.list_users).items

    def me(self) -> WhoAmI:
        """Who this client acts as."""
        return self.transport.call(contract.who_am_i)

    def make_token(self, user: str, *, label: str = "token", days: int = 90) -> Token:
        """A bearer token for someone; it is shown this once."""
        return self.transport.call(contract.make_token, MakeToken(label=label, days=days), user=user)

    def my_tokens(self) -> list[KeptToken]:
        """One's own tokens that hold now, newest first: what they are for and how long they live."""
        return self.transport.call(contract.list_my_tokens).items

    def make_my_token(self, *, label: str = "token", days: int = 90) -> Token:
        """A bearer token for oneself; it is shown this once."""
        return self.transport.call(contract.make_my_token, MakeToken(label=label, days=days))

    def revoke_my_token(self, token: str) -> list[KeptToken]:
        """Ends one of one's own tokens, by its id, and gives those that remain. Raises NotFound."""
        return self.transport.call(contract.revoke_my_token, token=token).items

    def make_link(self, user: str) -> SignInLink:
        """A link that signs a person in once, within the hour. Its path is relative to the server's address."""
        return self.transport.call(contract.make_link, user=user)

    def grant(self, user: str, role: Role, *, project: str) -> Grant:
        """Gives someone a role in a project. Raises SelfGrant, NotFound."""
        body = GrantRole(role=role)
        return self.transport.call(contract.grant_role, body, project=project, user=user)

    def revoke(self, user: str, *, project: str) -> list[Grant]:
        """Takes someone's roles in a project and gives the grants that remain."""
        return self.transport.call(contract.revoke_role, project=project, user=user).items

    def proposals(self) -> list[AdminProposal]:
        """What waits for a second admin, and what was decided; newest first. For admins."""
        return self.transport.call(proposals_contract.list_proposals).items

    def confirm(self, proposal: str) -> AdminProposal:
        """Has happen what another admin proposed. Raises NotFound, NotOthersWord."""
        return self.transport.call(proposals_contract.decide_proposal, Decide(is_confirmed=True), proposal=proposal)

    def refuse(self, proposal: str) -> AdminProposal:
        """Has not happen what another admin proposed. Raises NotFound, NotOthersWord."""
        return self.transport.call(proposals_contract.decide_proposal, Decide(is_confirmed=False), proposal=proposal)

    def delegate(
        self, role: DelegatedRole, to: str, *, project: str, until: datetime | timedelta, reason: str = ""
    ) -> Delegation:
        """Has another person approve in one's own role in a project, for at most 90 days.

        until: a moment, or how long from now. Raises BadField, NotTheirs.
        """
        ends_at = datetime.now(UTC) + until if isinstance(until, timedelta) else until
        body = Delegate(role=role, to=to, ends_at=ends_at, reason=reason)
        return self.transport.call(delegations_contract.delegate, body, project=project)

    def delegations(self, project: str) -> list[Delegation]:
        """Who may approve for whom in a project, newest first; also what has ended."""
        return self.transport.call(delegations_contract.list_delegations, project=project).items

    def revoke_delegation(self, delegation: str, *, project: str) -> list[Delegation]:
        """Ends a delegation that one gave or took; owners end any. Raises NotAllowed, NotFound."""
        answer = self.transport.call(delegations_contract.revoke_delegation, project=project, delegation=delegation)
        return answer.items

    def grants(self, project: str) -> list[Grant]:
        """Who holds which role in a project."""
        return self.transport.call(contract.list_grants, project=project).items
