"""What differs between runs. Pure: it knows the values, not where they are kept."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from taxiway.kernel.natural import natural

Scalar = str | bool | int | float


class Row(Struct, frozen=True):
    """One name and its value in each run, in the order asked for; None where a run has none."""

    name: str
    values: list[Scalar | None]
    is_different: bool


class CodeChange(Struct, frozen=True):
    """How a source file of `run` differs from the first run's, as a unified diff."""

    run: str
    file: str
    diff: str


def side_by_side(sides: Sequence[Mapping[str, Scalar]]) -> list[Row]:
    """Every name that any side has, in natural order, with each side's value.

    Values differ when they are not equal; NaN equals NaN here, and text never equals a number.

    >>> rows = side_by_side([{"C": 1.0, "penalty": "l2"}, {"C": 2.0, "penalty": "l2"}])
    >>> [(row.name, row.is_different) for row in rows]
    [('C', True), ('penalty', False)]
    """
    names = sorted({name for side in sides for name in side}, key=natural)
    rows = []
    for name in names:
        values = [side.get(name) for side in sides]
        rows.append(Row(name, values, any(not is_same(values[0], value) for value in values[1:])))
    return rows


def is_same(one: Scalar | None, other: Scalar | None) -> bool:
    """Whether two values say the same: 1 and 1.0 do, 1 and "1" or 1 and True do not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other or (is_nan(one) and is_nan(other))


def is_nan(value: Scalar | None) -> bool:
    return isinstance(value, float) and math.isnan(value)


def code_words(sides: Sequence[tuple[str, int]], changes: Sequence[CodeChange]) -> str:
    """What to say of the code beside its changes. sides: each run's label and how many of its source files were kept.

    >>> code_words([("a", 3), ("b", 0)], [])
    'The code cannot be compared: no sources were kept of b.'
    """
    without = [label for label, files in sides if not files]
    if len(without) == len(sides):
        return "The code cannot be compared: no sources were kept."
    if without:
        return f"The code cannot be compared: no sources were kept of {', '.join(without)}."
    return "" if changes else "The kept sources are the same."


def code_changes(run: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[CodeChange]:
    """A unified diff for each file that differs, by name; a file that is new or gone is a diff with nothing."""
    changes = []
    for file in sorted({*before, *after}):
        old, new = before.get(file, ""), after.get(file, "")
        if old == new and (file in before) == (file in after):
            continue
        lines = difflib.unified_diff(
            old.splitlines(),
            new.splitlines(),
            fromfile=file if file in before else "(not there)",
            tofile=file if file in after else "(gone)",
            lineterm="",
        )
        changes.append(CodeChange(run, file, "\n".join(lines)))
    return changes
