"""The commands by which a terminal signs in and out."""

from __future__ import annotations

import sys
from argparse import Namespace
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from taxiway.access.secrets import challenge_of, hash_secret
from taxiway.access.terminals.contract import DAYS
from taxiway.kernel.commands import Argument, Command, count
from taxiway.kernel.errors import BadField, NotFound, SignInNeeded
from taxiway.kernel.show import cell
from taxiway.kernel.transport import Transport

if TYPE_CHECKING:
    from taxiway.client import Client

TOKEN_ID_LENGTH = 16


class SignedIn(Struct, frozen=True):
    """As whom this terminal works with a server, until when, and where that is kept."""

    user: str
    server: str
    expires_at: datetime
    file: str


class SignedOut(Struct, frozen=True):
    """Whose token was ended."""

    user: str
    server: str


def sign_in(client: Client, given: Namespace) -> SignedIn:
    """A token for this terminal, kept for this user of the machine. Raises NobodyCame, CodeSpent, FileUnusable."""
    from taxiway.access.client import Access
    from taxiway.access.terminals.keeping import keep
    from taxiway.access.terminals.listening import Listener, fetch_code

    url = server_of(client)
    with Listener() as listener:
        address = listener.address(url, challenge_of(listener.verifier), label=given.label, days=given.days)
        code = fetch_code(listener, address, show=tell, is_browser=not given.no_browser)
        bare = Transport(client.transport.find, None, "cli", client.transport.learn)  # an old token would be refused
        token = Access(bare).redeem_code(code, listener.verifier)
    bare.close()
    return SignedIn(user=token.user, server=url, expires_at=token.expires_at, file=str(keep(url, token)))


def tell(address: str) -> None:
    print(f"Open this in a browser on this computer, and say yes there:\n{address}", file=sys.stderr, flush=True)


def show_signed_in(done: SignedIn) -> str:
    return f"This terminal works as {done.user} with {done.server} until {cell(done.expires_at)}. Kept in {done.file}."


def sign_out(client: Client, _given: Namespace) -> SignedOut:
    """Ends the token that is kept for the server, and forgets it. Raises NotFound, FileUnusable."""
    from taxiway.access.client import Access
    from taxiway.access.terminals.keeping import forget

    url = server_of(client)
    kept = forget(url)
    if kept is None:
        raise NotFound(kind="token kept for", name=url, hint="`taxiway access sign-in` gets one.")
    own = Access(Transport(client.transport.find, kept.token, "cli", client.transport.learn))
    try:
        own.revoke_my_token(hash_secret(kept.token)[:TOKEN_ID_LENGTH])
    except (NotFound, SignInNeeded):
        pass  # it has ended already
    finally:
        own.transport.close()
    return SignedOut(user=kept.user, server=url)


def show_signed_out(done: SignedOut) -> str:
    return f"The token of {done.user} for {done.server} has ended, and is kept no more."


def server_of(client: Client) -> str:
    """The server's address. Raises BadField where the work is with a folder's own home."""
    if client.settings.url is None:
        expected = "the address of a server in TAXIWAY_URL: a home on this machine needs no sign-in"
        raise BadField(field="TAXIWAY_URL", value="''", expected=expected)
    return client.settings.url


COMMANDS = (
    Command(
        "sign-in",
        "get a token for this terminal, by your browser",
        sign_in,
        (
            Argument("--days", "how long it holds", count, DAYS),
            Argument("--label", "what it is called among your tokens (default: this machine's name)", default=""),
            Argument("--no-browser", "only print the address to open", is_flag=True),
        ),
        show=show_signed_in,
    ),
    Command("sign-out", "end this terminal's token", sign_out, show=show_signed_out),
)
