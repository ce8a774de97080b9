"""How a path says what may be passed over: keys of a gate beside its check, and keys of the whole path."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from taxiway.gates.exceptions.passed import MOST_DAYS, GlassRole, Leeway, WaiverRole

SPAN = re.compile(r"([1-9][0-9]{0,2})d")


def days_of(text: str) -> int:
    """The days of a span such as ``30d``."""
    found = SPAN.fullmatch(text)
    if not found:
        raise ValueError(f"days, such as 30d, not {text!r}")
    return int(found[1])


class Inconclusive(Struct, frozen=True, forbid_unknown_fields=True):
    """conditional: for how long a second person may let an inconclusive gate through, such as 30d."""

    conditional: str

    def __post_init__(self) -> None:
        days_of(self.conditional)

    @property
    def days(self) -> int:
        return days_of(self.conditional)


class WaiversAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """by: the roles of which one must be held to grant a waiver. at_most: how long one lasts, such as 90d."""

    by: list[WaiverRole] = msgspec.field(default_factory=lambda: list(Leeway().waivers_by))
    at_most: str = f"{MOST_DAYS}d"

    def __post_init__(self) -> None:
        if not self.by:
            raise ValueError("at least one role")
        days_of(self.at_most)


GATE_KEYS: list[Any] = [("waivable", bool, True), ("inconclusive", Inconclusive | UnsetType, UNSET)]
PATH_KEYS: list[Any] = [
    ("waivers", WaiversAsk, WaiversAsk()),
    ("break_glass", list[GlassRole], msgspec.field(default_factory=list)),
]


def leeway_of(given: Any) -> Leeway:
    """What a path's text leaves open."""
    return Leeway(given.waivers.by, days_of(given.waivers.at_most), given.break_glass)


def with_leeway(asks: dict[str, Any], leeway: Leeway, stages: Sequence[Any]) -> dict[str, Any]:
    """What a path's digest stands for, with what it leaves open where it says so."""
    gates = {
        f"{stage.stage}.{gate.name}": [gate.waivable, gate.conditional_days]
        for stage in stages
        for gate in stage.gates
        if not gate.waivable or gate.conditional_days
    }
    said: dict[str, Any] = {"passing": gates} if gates else {}
    return asks | said | ({} if leeway == Leeway() else {"leeway": msgspec.to_builtins(leeway)})


def narrowed(own: Leeway, others: Sequence[Leeway]) -> Leeway:
    """What is left open where other paths are asked beside a path: what all of them allow."""
    found = own
    for each in others:
        both = [role for role in each.waivers_by if role in found.waivers_by]
        glass = [role for role in each.break_glass if role in found.break_glass]
        found = Leeway(both or each.waivers_by, min(found.waiver_days, each.waiver_days), glass)
    return found
