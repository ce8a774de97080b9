"""The rules of terminals that sign in: a code goes to the same machine, works once, and only for who asked."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from datetime import timedelta

import msgspec
from msgspec import Struct

from taxiway.access import store
from taxiway.access.contract import Token, User
from taxiway.access.secrets import challenge_of, hash_secret, new_secret
from taxiway.access.terminals.contract import CodeSpent, RedeemCode
from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField, NotFound

CODE_LIVES = timedelta(minutes=2)
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
STATE = re.compile(r"[A-Za-z0-9_-]{16,128}")
LOWEST_PORT = 1024


class Terminal(Struct, frozen=True):
    """A terminal that asks: where it listens on its machine, the hash of its secret, and what it wants."""

    port: int
    state: str
    challenge: str
    label: str
    days: int

    def back(self, code: str) -> str:
        """Where a browser on the same machine brings the code: never another one."""
        return f"http://127.0.0.1:{self.port}/?code={code}&state={self.state}"


class Wish(Struct, frozen=True):
    """What a code is for, kept in place of a label."""

    challenge: str
    label: str
    days: int


class Terminals:
    """Codes that become tokens.

    most_days: for how many days a token of a user may hold.
    """

    def __init__(self, ledger: Ledger, most_days: Callable[[str], int]) -> None:
        self.ledger = ledger
        self.most_days = most_days

    def allow(self, caller: Caller, terminal: Terminal) -> str:
        """The code that lets the terminal have a token of the caller's. Raises BadField, NotFound."""
        if caller.kind != "person":
            raise NotFound(kind="user", name=caller.name, hint="Without sign-in no token is needed.")
        most = self.most_days(caller.name)
        if not 1 <= terminal.days <= most:
            raise BadField(field="days", value=str(terminal.days), expected=f"a number from 1 to {most}")
        code = new_secret("code")

        def make(record: Record) -> bool:
            wish = Wish(terminal.challenge, terminal.label, terminal.days)
            kept = store.Secret(
                digest=hash_secret(code),
                kind="code",
                user=caller.name,
                label=msgspec.json.encode(wish).decode(),
                created_at=record.at,
                expires_at=record.at + CODE_LIVES,
            )
            store.add_secret(record.connection, kept)
            record.note(label=terminal.label, days=terminal.days)
            return True

        self.ledger.change(unkeyed(caller), "access.allow_terminal", f"user:{caller.name}", make, answer=bool)
        return code

    def redeem(self, caller: Caller, body: RedeemCode) -> Token:
        """The token that a code stands for, this once. Raises CodeSpent."""
        token, digest = new_secret("token"), hash_secret(body.code)

        def make(record: Record) -> Token:
            found = store.secret_with_label(record.connection, digest=digest, kind="code", at=record.at)
            wish = msgspec.json.decode(found[1], type=Wish) if found else Wish("", "", 0)
            is_asker = hmac.compare_digest(challenge_of(body.verifier), wish.challenge)
            if found is None or not is_asker or not store.spend_secret(record.connection, digest, record.at):
                raise CodeSpent
            user: User = found[0]
            until = record.at + timedelta(days=wish.days)
            kept = store.Secret(
                digest=hash_secret(token),
                kind="token",
                user=user.name,
                label=wish.label,
                created_at=record.at,
                expires_at=until,
            )
            store.add_secret(record.connection, kept)
            record.thing = f"user:{user.name}"
            record.note(label=wish.label, expires_at=until)
            return Token(user=user.name, token=token, expires_at=until)

        return self.ledger.change(unkeyed(caller), "access.make_token", "user:unknown", make, answer=Token)


def read_terminal(query: dict[str, str]) -> Terminal:
    """What a terminal asks for by its address. Raises BadField."""
    port, days = query.get("port", ""), query.get("days", "")
    state, challenge = query.get("state", ""), query.get("challenge", "")
    if not re.fullmatch(r"[0-9]{4,5}", port) or not LOWEST_PORT <= int(port) < 1 << 16:
        raise BadField(field="port", value=repr(port[:20]), expected="the port that `taxiway access sign-in` gave")
    for name, value, shape in (("state", state, STATE), ("challenge", challenge, CHALLENGE)):
        if not shape.fullmatch(value):
            raise BadField(field=name, value=repr(value[:60]), expected="what `taxiway access sign-in` gave")
    label = " ".join(query.get("label", "").split())[:60] or "terminal"
    if not re.fullmatch(r"[0-9]{1,3}", days):
        raise BadField(field="days", value=repr(days[:20]), expected="a number of days")
    return Terminal(port=int(port), state=state, challenge=challenge, label=label, days=int(days))


def unkeyed(caller: Caller) -> Caller:
    """A secret is never kept, so a retry cannot get the first one again: each call makes a new one."""
    return Caller(name=caller.name, kind=caller.kind, door=caller.door, request_id=caller.request_id)
