"""Things side by side as pages show them: a row has one precision, and says which side is better. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from taxiway.web.numbers import fixed, number, signed

Kind = Literal["better", "worse", "higher", "lower", "chance"]

DIGITS = 4  # significant ones of the largest value in a row
MOST_DIGITS = 8  # where fewer would make different values look the same
PAIR = 2
FIGURE_SPACE, POINT_SPACE = "\N{FIGURE SPACE}", "\N{PUNCTUATION SPACE}"
HIGHER = frozenset(
    ("accuracy", "acc", "auc", "auroc", "roc", "f1", "precision", "recall", "sensitivity", "specificity", "r2", "kappa")
)
LOWER = frozenset(("loss", "error", "err", "rmse", "mse", "mae", "mape", "brier", "deviance", "perplexity", "nll"))


class Cell(Struct, frozen=True):
    """What stands on one side. full: every digit, for who points at it. bounds: the interval that belongs to it.

    is_best: the one to prefer among the sides of a row. is_other: a text that is not the first side's.
    """

    text: str
    full: str = ""
    bounds: str = ""
    is_best: bool = False
    is_other: bool = False

    @property
    def part(self) -> int:
        """How many characters the decimal point and what follows it take."""
        return len(self.text) - self.text.index(".") if self.is_number and "." in self.text else 0

    def pad(self, part: int) -> str:
        """What to write behind it where another of its column has `part`, so that the column lines up on its points."""
        if part <= self.part or not self.is_number:
            return ""
        return FIGURE_SPACE * (part - self.part) if self.part else POINT_SPACE + FIGURE_SPACE * (part - 1)

    @property
    def is_number(self) -> bool:
        return bool(self.full)


class Change(Struct, frozen=True):
    """From the first side to the second. chance: it is within what luck alone would do; bounds: its interval."""

    kind: Kind
    text: str
    bounds: str = ""
    word: str = ""


class Line(Struct, frozen=True):
    """One thing on every side."""

    name: str
    cells: list[Cell]
    is_different: bool
    change: Change | None = None


def way(name: str) -> int:
    """1 where more of a metric is better, -1 where less is, 0 where its name does not tell.

    >>> way("val/accuracy"), way("log_loss"), way("selection_rate_ratio"), way("rows"), way("accuracy_loss")
    (1, -1, 1, 0, 0)
    """
    lowered = name.lower()
    words = set(re.split(r"[^a-z0-9]+", lowered))
    rises = bool(words & HIGHER) or bool(re.search(r"selection.rate.ratio", lowered))
    falls = bool(words & LOWER)
    return 0 if rises == falls else 1 if rises else -1


def places_of(values: Sequence[float], digits: int = DIGITS) -> int | None:
    """How many decimals give the largest value its digits; None where plain decimals would not do.

    >>> places_of([0.85, 0.8512345]), places_of([7223.4, 0.2]), places_of([3.0, 12.0]), places_of([1e-7])
    (4, 0, 0, None)
    """
    largest = max((abs(value) for value in values), default=0.0)
    if all(value.is_integer() for value in values):
        return 0 if largest < 1e15 else None
    if not 1e-4 <= largest < 1e9:
        return None
    return max(digits - 1 - math.floor(math.log10(largest)), 0)


def texts_of(values: Sequence[float | None]) -> tuple[list[str], int | None]:
    """The values with the same decimals, as many as it takes to tell different ones apart; and how many those are."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    texts: list[str] = []
    places: int | None = None
    for digits in range(DIGITS, MOST_DIGITS + 1):
        places = places_of(known, digits)
        texts = [number(value, digits) if places is None else fixed(value, places) for value in values]
        if len(set(texts)) == len({repr(value) for value in values}):
            break
    return texts, places


def of_numbers(name: str, values: Sequence[float | None], *, is_different: bool) -> Line:
    """A line of numbers: of two sides with the change, of more with the best marked, where the name says which is.

    >>> line = of_numbers("accuracy", [0.85, 0.8512345], is_different=True)
    >>> [cell.text for cell in line.cells], line.change.kind, line.change.text
    (['0.8500', '0.8512'], 'better', '+0.0012')
    """
    texts, places = texts_of(values)
    best = best_of(name, values) if is_different else None
    cells = [
        Cell(text, full="" if value is None else repr(value), is_best=best is not None and value == best)
        for text, value in zip(texts, values, strict=True)
    ]
    first, last = (values[0], values[-1]) if len(values) == PAIR else (None, None)
    change = None
    if is_different and first is not None and last is not None and math.isfinite(last - first):
        moved = last - first
        told = ("+" if moved > 0 else "") + number(moved, DIGITS) if places is None else signed(moved, places)
        change = Change(kind_of(name, moved), told)
    return Line(name, cells, is_different, change)


def of_texts(name: str, texts: Sequence[str], *, is_different: bool) -> Line:
    cells = [Cell(text, is_other=len(texts) > PAIR and text != texts[0]) for text in texts]
    return Line(name, cells, is_different)


def of_settings(name: str, values: Sequence[float], *, is_different: bool) -> Line:
    """A line of numbers that somebody chose: none of them is better.

    >>> [cell.text for cell in of_settings("rate", [0.1, 1 / 60], is_different=True).cells]
    ['0.1', '0.01667']
    """
    digits = next((n for n in range(DIGITS, MOST_DIGITS) if told_apart(values, n)), MOST_DIGITS * 2)
    cells = [
        Cell(number(value, digits), full=repr(value), is_other=len(values) > PAIR and value != values[0])
        for value in values
    ]
    return Line(name, cells, is_different)


def told_apart(values: Sequence[float], digits: int) -> bool:
    """Whether different values look different with so many digits."""
    return len({number(value, digits) for value in values}) == len(set(values))


def best_of(name: str, values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None and math.isfinite(value)]
    if way(name) == 0 or len(known) < PAIR:
        return None
    return max(known) if way(name) > 0 else min(known)


def kind_of(name: str, moved: float) -> Kind:
    """What a change of a metric is, as far as its name says which way is better."""
    if way(name) == 0:
        return "higher" if moved > 0 else "lower"
    return "better" if moved * way(name) > 0 else "worse"
