"""The CLI of access."""

from __future__ import annotations

from argparse import Namespace
from datetime import timedelta
from typing import TYPE_CHECKING, get_args

import msgspec

from taxiway.access.contract import Grant, KeptToken, SignInLink, Token, User, WhoAmI
from taxiway.access.delegation.contract import DelegatedRole, Delegation
from taxiway.access.proposals.contract import AdminProposal
from taxiway.access.provider.contract import Binding
from taxiway.access.roles import ROLES
from taxiway.access.terminals.commands import COMMANDS as OF_TERMINALS
from taxiway.kernel.commands import Argument, Command, count
from taxiway.kernel.show import cell

if TYPE_CHECKING:
    from taxiway.client import Client

USER = Argument("user", "the person's or service account's name")
PROJECT = Argument("project", "the project's name")


def add(client: Client, given: Namespace) -> User:
    if given.service:
        return client.access.add_service(given.user, display=given.display, accountable=given.accountable)
    return client.access.add_user(given.user, display=given.display, is_admin=given.admin)


def users(client: Client, given: Namespace) -> list[User]:
    return client.access.users()


def bindings(client: Client, given: Namespace) -> list[Binding]:
    return client.access.bindings()


def me(client: Client, given: Namespace) -> WhoAmI:
    return client.access.me()


def token(client: Client, given: Namespace) -> Token:
    if given.user is None:
        return client.access.make_my_token(label=given.label, days=given.days)
    return client.access.make_token(given.user, label=given.label, days=given.days)


def tokens(client: Client, given: Namespace) -> list[KeptToken]:
    return client.access.my_tokens() if given.user is None else client.access.tokens(given.user)


def end(client: Client, given: Namespace) -> list[KeptToken]:
    if given.user is None:
        return client.access.revoke_my_token(given.token)
    return client.access.revoke_token(given.user, given.token)


def deactivate(client: Client, given: Namespace) -> User:
    return client.access.deactivate(given.user, reason=given.reason)


def activate(client: Client, given: Namespace) -> User:
    return client.access.activate(given.user, reason=given.reason)


def answer_for(client: Client, given: Namespace) -> User:
    return client.access.change_user(given.service, accountable=given.person)


def link(client: Client, given: Namespace) -> SignInLink:
    """The link with the server's address before it, where a server listens at one."""
    made = client.access.make_link(given.user)
    url = client.transport.find().url
    return msgspec.structs.replace(made, path=url + made.path) if url.startswith("http") else made


def show_link(link: SignInLink) -> str:
    hint = "" if link.path.startswith("http") else "\nStart `taxiway server`: this follows its address."
    return f"{link.path}\nIt signs {link.user} in once, until {cell(link.expires_at)}.{hint}"


def grant(client: Client, given: Namespace) -> Grant:
    client.projects.show(given.project)  # a role in a project that is not there would wait for whoever makes it
    return client.access.grant(given.user, given.role, project=given.project)


def revoke(client: Client, given: Namespace) -> list[Grant]:
    return client.access.revoke(given.user, project=given.project)


def grants(client: Client, given: Namespace) -> list[Grant]:
    return client.access.grants(given.project)


def delegate(client: Client, given: Namespace) -> Delegation:
    until = timedelta(days=given.days)
    return client.access.delegate(given.role, given.to, project=given.project, until=until, reason=given.reason)


def delegations(client: Client, given: Namespace) -> list[Delegation]:
    return client.access.delegations(given.project)


def end_delegation(client: Client, given: Namespace) -> list[Delegation]:
    return client.access.revoke_delegation(given.delegation, project=given.project)


def proposals(client: Client, given: Namespace) -> list[AdminProposal]:
    return client.access.proposals()


def confirm(client: Client, given: Namespace) -> AdminProposal:
    return client.access.refuse(given.proposal) if given.refuse else client.access.confirm(given.proposal)


DELEGATED = ("id", "role", "giver", "taker", "ends_at", "is_active")
COMMANDS = (
    Command(
        "add",
        "add a person or a service account",
        add,
        (
            USER,
            Argument("--display", "the name to show", default=""),
            Argument("--admin", "may do everything on the platform", is_flag=True),
            Argument("--service", "an account for a program", is_flag=True),
            Argument("--accountable", "the person who answers for a service account", default=""),
        ),
    ),
    Command(
        "users",
        "everybody, by name",
        users,
        columns=("name", "kind", "display", "is_admin", "accountable", "is_orphaned", "deactivated_at"),
    ),
    Command(
        "deactivate",
        "end every sign-in, link and token of an account; what it did stays",
        deactivate,
        (USER, Argument("--reason", "why", default="")),
    ),
    Command(
        "activate",
        "let new links and tokens be made for an account again",
        activate,
        (USER, Argument("--reason", "why", default="")),
    ),
    Command(
        "answers-for",
        "say which person answers for a service account",
        answer_for,
        (Argument("person", "who answers for it"), Argument("service", "the service account's name")),
    ),
    *OF_TERMINALS,
    Command(
        "bindings",
        "which accounts of the identity provider are who here",
        bindings,
        columns=("user", "email", "groups", "admin_group", "seen_at", "subject"),
    ),
    Command("me", "who you are here, and your roles", me),
    Command(
        "token",
        "make a bearer token; it is shown this once",
        token,
        (
            Argument("user", "for whom (default: yourself)", is_optional=True),
            Argument("--label", "what it is for", default="token"),
            Argument("--days", "how long it lives", int, 90),
        ),
    ),
    Command(
        "tokens",
        "the tokens that hold now",
        tokens,
        (Argument("user", "whose (default: your own)", is_optional=True),),
        ("id", "label", "created_at", "expires_at"),
    ),
    Command(
        "end-token",
        "end a token",
        end,
        (
            Argument("token", "its id, as `tokens` lists it"),
            Argument("--user", "whose, where it is not your own"),
        ),
        ("id", "label", "expires_at"),
    ),
    Command("link", "make a link that signs a person in once", link, (USER,), show=show_link),
    Command(
        "grant",
        "give someone a role in a project",
        grant,
        (USER, Argument("role", "the role", choices=ROLES), PROJECT),
    ),
    Command("revoke", "take someone's roles in a project", revoke, (USER, PROJECT), ("user", "role", "granted_by")),
    Command(
        "proposals",
        "what waits for a second admin",
        proposals,
        columns=("id", "kind", "user", "project", "role", "by", "at", "state", "decided_by"),
    ),
    Command(
        "confirm",
        "have happen what another admin proposed",
        confirm,
        (
            Argument("proposal", "its id, as `proposals` lists it"),
            Argument("--refuse", "it does not happen", is_flag=True),
        ),
    ),
    Command(
        "delegate",
        "have another person approve in your role for some days",
        delegate,
        (
            Argument("role", "your role", choices=get_args(DelegatedRole)),
            Argument("to", "the other person"),
            PROJECT,
            Argument("--days", "for how long, at most 90", count, 14),
            Argument("--reason", "why", default=""),
        ),
    ),
    Command("delegations", "who may approve for whom in a project", delegations, (PROJECT,), DELEGATED),
    Command(
        "end-delegation",
        "end a delegation that you gave or took",
        end_delegation,
        (Argument("delegation", "its id, as `delegations` lists it"), PROJECT),
        DELEGATED,
    ),
    Command(
        "grants",
        "who holds which role in a project",
        grants,
        (PROJECT,),
        ("user", "role", "granted_by", "granted_at"),
    ),
)
