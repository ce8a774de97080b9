"""What models, aliases and tags may be called. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Literal
from urllib.parse import quote

from taxiway.kernel.errors import BadField
from taxiway.kernel.ids import is_name

NAME_EXPECTED = "a name of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, at most 63 characters"
WIDE_EXPECTED = "1 to 300 printable characters without '/' and ':', other than '.' and '..'"
ALIAS_EXPECTED = "up to 255 letters, digits, '.', '_' and '-', neither a number nor one of none, archived and newest"
LONGEST_NAME = 300
LONGEST_KEY = 250

ALIAS = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}")
OTHER_MEANING = ("none", "archived", "newest")  # as a version these words mean something else
STAGE_WORDS: tuple[Literal["staging", "production"], ...] = (
    "staging",
    "production",
)  # an alias of this name goes only where the stage is


def check_name(name: str, *, field: str, is_wide: bool) -> None:
    """Nothing, or BadField. is_wide: also names that other systems allow."""
    if is_name(name) or (is_wide and is_wide_name(name)):
        return
    raise BadField(field=field, value=repr(name[:80]), expected=WIDE_EXPECTED if is_wide else NAME_EXPECTED)


def is_wide_name(name: str) -> bool:
    is_plain = name.isprintable() and not set("/:") & set(name)
    return is_plain and 0 < len(name) <= LONGEST_NAME and name not in (".", "..") and bool(name.strip())


def check_alias(alias: str) -> None:
    """Nothing, or BadField."""
    if not ALIAS.fullmatch(alias) or alias.isdigit() or alias in OTHER_MEANING:
        raise BadField(field="alias", value=repr(alias[:80]), expected=ALIAS_EXPECTED)


def check_tags(tags: Mapping[str, str], untag: Collection[str] = ()) -> None:
    """Nothing, or BadField for a key that says nothing or does not print, and for one that is set and taken away."""
    for key in (*tags, *untag):
        if not key.strip() or not key.isprintable() or len(key) > LONGEST_KEY:
            expected = f"a key of 1 to {LONGEST_KEY} printable characters"
            raise BadField(field="tags", value=repr(key[:80]), expected=expected)
        if key in tags and key in untag:
            raise BadField(field="untag", value=repr(key[:80]), expected="a key that is not set in the same change")


def page_of(model: str, version: int | str = "") -> str:
    """The address of a model's page, or of a version's, by number or alias.

    >>> page_of("ranking 100%", 3)
    '/models/ranking%20100%25/versions/3'
    """
    page = f"/models/{quote(model, safe='')}"
    return f"{page}/versions/{quote(str(version), safe='')}" if version else page
