"""The facts of an audit entry in lines that a person can read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

LONGEST = 400
LONG_ID = re.compile(r"[0-9a-f]{32,}")


def short_ref(ref: str) -> str:
    """A reference for reading: the ids and digests in it cut to their first ten characters.

    >>> short_ref("run:01932c5f8e7a7b3c9d0e1f2a3b4c5d6e"), short_ref("model:mortgage@3")
    ('run:01932c5f8e', 'model:mortgage@3')
    """
    return LONG_ID.sub(lambda found: found[0][:10], ref)


def called(ref: str, names: Mapping[str, str]) -> str:
    """A thing in words: its kind and its name, or a name with the beginning of its id. names: by reference.

    >>> called("model:mortgage@3", {})
    'model mortgage@3'
    >>> called("run:01932c5f8e7a7b3c9d0e1f2a3b4c5d6e", {"run:01932c5f8e7a7b3c9d0e1f2a3b4c5d6e": "calm-heron"})
    'run calm-heron (01932c5f8e)'
    """
    kind, _, rest = short_ref(ref).partition(":")
    if not rest:
        return ref
    return f"{kind} {names[ref]} ({rest})" if ref in names else f"{kind} {rest}"


def told(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """The facts as names and values; of a change with its state before and after, only what differs.

    >>> told({"before": {"risk": "low", "path": ""}, "after": {"risk": "high", "path": ""}})
    [('risk', 'low → high')]
    >>> told({"kpi": {"baseline": 0.6}, "roles": ["owner"]})
    [('kpi.baseline', '0.6'), ('roles', 'owner')]
    """
    before, after = facts.get("before"), facts.get("after")
    if not isinstance(before, dict) or not isinstance(after, dict):
        return list(flat(facts))
    was, is_now = dict(flat(before)), dict(flat(after))
    names = [*was, *(name for name in is_now if name not in was)]
    changed = [
        (name, f"{was.get(name, '–') or '–'} → {is_now.get(name, '–') or '–'}")
        for name in names
        if was.get(name) != is_now.get(name)
    ]
    rest = {name: value for name, value in facts.items() if name not in ("before", "after")}
    return [*changed, *flat(rest)]


def flat(facts: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Every fact with its dotted name."""
    for name, value in facts.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", say(value)


def say(value: Any) -> str:
    """One value as text; a long one is cut, the whole stands in the API's answer."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        text = ", ".join(value)
    else:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
