"""Tokens of this person's terminals, by server, in a file that only they may read."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from taxiway.access.contract import Token
from taxiway.kernel.errors import FileUnusable

NAME = "tokens.json"


class Kept(Struct, frozen=True):
    """A token for one server; it goes to no other."""

    user: str
    token: str
    expires_at: datetime


def file_of_tokens() -> Path:
    """Where they are kept: among the configuration of this user of the machine."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    folder = Path(base) if base.startswith("/") else Path.home() / ".config"
    return folder / "taxiway" / NAME


def token_for(url: str) -> str | None:
    """The token that `taxiway access sign-in` kept for a server, while it holds. Raises FileUnusable."""
    try:
        found = read().get(url)
    except RuntimeError:  # a user without a home
        return None
    return found.token if found is not None and found.expires_at > datetime.now(UTC) else None


def keep(url: str, token: Token) -> Path:
    """Keeps a token in place of the one before. Raises FileUnusable."""
    return write({**read(), url: Kept(token.user, token.token, token.expires_at)})


def forget(url: str) -> Kept | None:
    """Takes the token for a server out, and gives it. Raises FileUnusable."""
    kept = read()
    found = kept.pop(url, None)
    if found is not None:
        write(kept)
    return found


def read() -> dict[str, Kept]:
    """Raises FileUnusable: where others may read it, too."""
    file = file_of_tokens()
    try:
        with file.open("rb") as opened:
            if os.fstat(opened.fileno()).st_mode & 0o077:
                raise FileUnusable(file=str(file), cause="others may read it, and it holds tokens (`chmod 600` it)")
            return msgspec.json.decode(opened.read(), type=dict[str, Kept])
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as e:
        raise FileUnusable(file=str(file), cause=e.strerror or str(e)) from e
    except msgspec.MsgspecError as e:
        raise FileUnusable(file=str(file), cause="it is not what `taxiway access sign-in` writes; remove it") from e


def write(kept: dict[str, Kept]) -> Path:
    """The whole file, or the one before."""
    file = file_of_tokens()
    beside = file.with_name(f"{NAME}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as opened:
            opened.write(msgspec.json.encode(kept))
        beside.replace(file)
    except OSError as e:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise FileUnusable(file=str(file), cause=e.strerror or str(e)) from e
    return file
