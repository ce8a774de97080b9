"""Whether people said on the card what only people can say."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Outcome
from taxiway.models.describing.card import HUMAN


class CardAsks(Struct, frozen=True, forbid_unknown_fields=True):
    """complete: every field that people fill in."""

    complete: Literal[True] = True


class CardComplete:
    """Passes when every field of the card that people fill in is entered."""

    name = "card"
    parameters = CardAsks
    inputs: tuple[Input, ...] = ("bundle", "card")
    is_live = False

    def title(self, parameters: CardAsks) -> str:
        return "the card is complete"

    def ask(self, parameters: CardAsks, case: Case) -> Outcome:
        entered = {field.name for field in case.card().fields if field.source == "entered"}
        lacking = [name for name in HUMAN if name not in entered]
        if not lacking:
            return Outcome("pass", f"All {len(HUMAN)} fields that people fill in are entered.")
        version = f"{case.version.model}@{case.version.version}"
        return Outcome(
            "fail",
            f"{len(HUMAN) - len(lacking)} of {len(HUMAN)} fields are entered; nobody has said: {', '.join(lacking)}.",
            f"Enter them with `taxiway models card {version} --set {lacking[0]}='…'`, then evaluate again.",
        )
