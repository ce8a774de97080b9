"""Where MLflow's client may keep files: places that the server gave out, and nothing beside them. Pure."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable
from typing import Literal
from urllib.parse import unquote

from msgspec import Struct

from taxiway.compat.mlflow.refusals import CallRefused
from taxiway.kernel.errors import BadField
from taxiway.runs.paths import check_path

Kind = Literal["run", "logged_model", "trace"]

PLACE = re.compile(
    r"(?P<experiment>[0-9]{1,18})/"
    r"(?:(?P<run>[0-9a-f]{32})|models/(?P<logged_model>m-[0-9a-f]{32})|traces/(?P<trace>[A-Za-z0-9][\w-]{0,63}))"
    r"/artifacts(?:/(?P<path>.*))?",
    re.ASCII | re.DOTALL,
)
MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}")
# What a client never means as a file's name, but some other system may read as a place.
ODD_SEGMENT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|~|\.{1,2};.*|\.{3,}|.*[#\ufffd].*")
MOST_DECODINGS = 4


class Place(Struct, frozen=True):
    """A file or folder of a run, a logged model or a trace. path: relative to it; empty for all of it."""

    kind: Kind
    thing: str
    experiment: int
    path: str


class FileInfo(Struct, frozen=True, omit_defaults=True):
    """A file or folder in a listing."""

    path: str
    is_dir: bool
    file_size: int | None = None


def place_of(text: str) -> Place:
    """The place that a path of the artifact proxy names. Raises CallRefused."""
    check_spelling(text)
    found = PLACE.fullmatch(text.strip("/") if text.endswith("/") else text)
    if found is None:
        raise CallRefused(
            error_code="RESOURCE_DOES_NOT_EXIST",
            message=f"There is no place {text[:200]!r}. Files belong to a run, a logged model or a trace: "
            f"give EXPERIMENT/RUN/artifacts/PATH, as the run's artifact_uri says it.",
        )
    path = found["path"] or ""
    if path:
        relative(path)
    if found["run"]:
        return Place("run", found["run"], int(found["experiment"]), path)
    if found["logged_model"]:
        return Place("logged_model", found["logged_model"], int(found["experiment"]), path)
    return Place("trace", found["trace"], int(found["experiment"]), path)


def relative(path: str) -> str:
    """A path within a place, as it is. Raises CallRefused for one that may be read as leading elsewhere."""
    check_spelling(path)
    try:
        return check_path(path)
    except BadField as e:
        raise CallRefused(error_code="INVALID_PARAMETER_VALUE", message=f"Invalid path: {e}") from e


def check_spelling(text: str) -> None:
    """Refuses a path that climbs, or names a place of another system, however often it is decoded."""
    for _ in range(MOST_DECODINGS):
        segments = re.split(r"[/\\]", text)
        if text.startswith("/") or "\\" in text or any(s == ".." or ODD_SEGMENT.fullmatch(s) for s in segments):
            raise CallRefused(
                error_code="INVALID_PARAMETER_VALUE",
                message=f"Invalid path: {text[:100]!r} is not accepted; give a relative path without '..', drives, "
                f"schemes, '#' and backslashes, in any encoding.",
            )
        decoded = unquote(text, errors="replace")
        if decoded == text:
            return
        if any(ord(letter) < 32 or ord(letter) == 127 for letter in decoded):
            break
        text = decoded
    raise CallRefused(error_code="INVALID_PARAMETER_VALUE", message="Invalid path: it is encoded over and over.")


def media_type_of(path: str) -> str:
    """What a file is, by its name."""
    found = mimetypes.guess_type(path)[0] or ""
    return found if MEDIA_TYPE.fullmatch(found) else "application/octet-stream"


def listing(files: Iterable[tuple[str, int]], folder: str) -> list[FileInfo]:
    """What lies directly in a folder, by name: files with their sizes, and folders. Paths go from the root.

    files: paths and sizes, those in the folder or more. A folder is there where a file is in it.
    """
    prefix = f"{folder}/" if folder else ""
    found: dict[str, FileInfo] = {}
    for path, size in files:
        if not path.startswith(prefix):
            continue
        name, slash, _ = path[len(prefix) :].partition("/")
        at = prefix + name
        found[at] = FileInfo(at, is_dir=True) if slash else FileInfo(at, is_dir=False, file_size=size)
    return [found[at] for at in sorted(found)]
