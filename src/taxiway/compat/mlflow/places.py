"""Where MLflow's client may keep files: places that the server gave out, and nothing beside them. Pure."""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from collections.abc import Iterable
from typing import Literal
from urllib.parse import unquote

from msgspec import Struct

from taxiway.compat.mlflow.refusals import CallRefused, refused
from taxiway.kernel.errors import BadField
from taxiway.runs.paths import check_path

Kind = Literal["run", "logged_model", "trace", "version"]

PLACE = re.compile(
    r"(?P<experiment>[0-9]{1,18})/"
    r"(?:(?P<run>[0-9a-f]{32})|models/(?P<logged_model>m-[0-9a-f]{32})|traces/(?P<trace>[A-Za-z0-9][\w-]{0,63}))"
    r"/artifacts(?:/(?P<path>.*))?",
    re.ASCII | re.DOTALL,
)
VERSION_PLACE = re.compile(r"versions/(?P<name>[A-Za-z0-9._-]+)/(?P<number>[0-9]{1,9})(?:/(?P<path>.*))?", re.DOTALL)
PLAIN_NAME = re.compile(r"(?!hex-)[A-Za-z0-9_][A-Za-z0-9._-]*")  # a model's name that an address can hold as it is
MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}")
# What a client never means as a file's name, but some other system may read as a place.
ODD_SEGMENT = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:|[A-Za-z]:.*"  # a scheme or a drive
    r"|[A-Za-z]\|"  # a drive as addresses once wrote it
    r"|~\w*"  # somebody's home
    r"|[. ]+(?:;.*)?"  # climbs, or would once blanks or parameters are taken off
    r"|.*[#\ufffd].*"  # the end of an address, or bytes that are no text
    r"|.*%u[0-9A-Fa-f]{4}.*",  # an encoding that is none
    re.DOTALL,
)
MOST_DECODINGS = 4


class Place(Struct, frozen=True):
    """A file or folder of a run, a logged model, a trace or a registered version. path: relative to it; empty is all.

    experiment: of a version its number instead.
    """

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
    whole = text.strip("/") if text.endswith("/") else text
    if version := VERSION_PLACE.fullmatch(whole):
        path = relative(version["path"]) if version["path"] else ""
        return Place("version", model_named(version["name"]), int(version["number"]), path)
    found = PLACE.fullmatch(whole)
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


def version_place(model: str, version: int) -> str:
    """Where the files of a registered version lie; a name that no address holds plainly is written in hexadecimal.

    >>> version_place("mortgage", 3), version_place("a b", 1)
    ('versions/mortgage/3', 'versions/hex-612062/1')
    """
    return f"versions/{model if PLAIN_NAME.fullmatch(model) else f'hex-{model.encode().hex()}'}/{version}"


def model_named(written: str) -> str:
    """The model's name as it is written in a place. Raises CallRefused."""
    try:
        return bytes.fromhex(written[4:]).decode() if written.startswith("hex-") else written
    except ValueError as e:
        message = f"There is no place versions/{written[:100]}."
        raise CallRefused(error_code="RESOURCE_DOES_NOT_EXIST", message=message) from e


def relative(path: str) -> str:
    """A path within a place, as it is. Raises CallRefused for one that may be read as leading elsewhere."""
    check_spelling(path)
    try:
        return check_path(path)
    except BadField as e:
        raise CallRefused(error_code="INVALID_PARAMETER_VALUE", message=f"Invalid path: {e}") from e


def read_path(path: str) -> str:
    """As `relative`, refused in the very words that MLflow's own tests look for, and no others."""
    try:
        return relative(path.removesuffix("/"))
    except CallRefused as e:
        raise refused("Invalid path") from e


def check_spelling(text: str) -> None:
    """Refuses a path that climbs, or names a place of another system, however often it is decoded."""
    for _ in range(MOST_DECODINGS):
        plain = unicodedata.normalize("NFKC", text)  # as a system would that takes a wide dot for a dot
        is_outside = plain.startswith("/") or "\\" in plain
        if is_outside or any(ODD_SEGMENT.fullmatch(segment) for segment in plain.split("/")):
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
