"""Whether the rows that judge a model were kept apart from those it learned from: by whole groups, or by time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Column = NDArray[Any]
SplitVerdict = Literal["pass", "fail", "inconclusive"]
SHOWN = 3
RANDOM_WORDS = ("random", "shuffl", "out of fold", "k-fold", "kfold", "stratif", "train_test_split")


class Split(Struct, frozen=True, forbid_unknown_fields=True):
    """How rows must be kept apart. by: `group` (no value of the column on both sides) or `time` (all later)."""

    by: Literal["group", "time"]
    column: str

    def __post_init__(self) -> None:
        if not self.column:
            raise ValueError("a column to split by")


@dataclass(frozen=True)
class Found:
    verdict: SplitVerdict
    reason: str


def verify(split: Split, judged: Column, trained: Mapping[str, Column], folds: Column | None) -> Found:
    """Whether the rows were kept apart as asked.

    judged: the column's values in the evaluation. trained: the same in each training dataset but the one that the
    evaluation is of. folds: of an evaluation out of fold, each row's fold; then whole groups must stay in one fold.
    """
    if split.by == "group" and folds is not None:
        return whole_folds(split.column, judged, folds)
    if not trained:
        reason = (
            "The version was trained on the very dataset that it is judged on, or on none that is pinned: whether rows "
            f"were kept apart by {split.column} cannot be told."
        )
        return Found("inconclusive", reason)
    found = [apart(split, judged, values, name) for name, values in trained.items()]
    worst = next((each for each in found if each.verdict == "fail"), None)
    return worst or next((each for each in found if each.verdict == "inconclusive"), found[0])


def apart(split: Split, judged: Column, trained: Column, name: str) -> Found:
    if split.by == "group":
        return no_overlap(split.column, judged, trained, name)
    return later(split.column, judged, trained, name)


def no_overlap(column: str, judged: Column, trained: Column, name: str) -> Found:
    both = sorted({str(each) for each in trained} & {str(each) for each in judged})
    if both:
        named = ", ".join(both[:SHOWN]) + (" and others" if len(both) > SHOWN else "")
        reason = f"{len(both):,} values of {column} are in both {name} and the evaluation ({named})."
        return Found("fail", reason)
    groups = len({str(each) for each in judged})
    return Found("pass", f"None of the {groups:,} values of {column} in the evaluation is in {name}.")


def later(column: str, judged: Column, trained: Column, name: str) -> Found:
    first, last = extent(judged), extent(trained)
    if first is None or last is None:
        return Found("inconclusive", f"{column} holds no moments that could be ordered.")
    start, end = first[0], last[1]
    try:
        is_later = start > end
    except TypeError:
        return Found("inconclusive", f"{column} is of another kind in {name} than in the evaluation.")
    if is_later:
        return Found("pass", f"Every row was judged later than all of {name}: from {start} on, after {end}.")
    early = sum(1 for each in judged if each is not None and not each > end)
    reason = f"{early:,} of {judged.size:,} evaluation rows are no later by {column} than the last of {name} ({end})."
    return Found("fail", reason)


def whole_folds(column: str, judged: Column, folds: Column) -> Found:
    found: dict[str, set[str]] = {}
    for group, fold in zip(judged, folds, strict=True):
        found.setdefault(str(group), set()).add(str(fold))
    torn = sorted(group for group, where in found.items() if len(where) > 1)
    if torn:
        named = ", ".join(torn[:SHOWN]) + (" and others" if len(torn) > SHOWN else "")
        return Found("fail", f"{len(torn):,} of {len(found):,} values of {column} lie in several folds ({named}).")
    return Found("pass", f"Each of the {len(found):,} values of {column} lies in one fold alone.")


def extent(values: Column) -> tuple[Any, Any] | None:
    """The first and the last of what can be ordered; None where nothing can."""
    known = [each for each in values.tolist() if each is not None and each == each]  # noqa: PLR0124 - NaN is no moment
    try:
        return (min(known), max(known)) if known else None
    except TypeError:
        return None


def warn_of_random(times: Column | None, split: str, trained: Mapping[str, Column], name: str) -> str:
    """A sentence where rows that have a time seem to have been split at random; empty where nothing says so.

    times: of the evaluation; trained: the same column in the training datasets, where they have it.
    """
    if times is None:
        return ""
    advice = "what the model knows of the same days makes it look better than it will be; `split: {by: time}` asks"
    for ref, values in trained.items():
        first, last = extent(times), extent(np.asarray(values))
        try:
            if first is not None and last is not None and first[0] <= last[1]:
                return (
                    f"Rows have a time ({name}), and training rows of {ref} lie among those that are judged: {advice}."
                )
        except TypeError:
            continue
    if any(word in split.lower() for word in RANDOM_WORDS):
        return f"Rows have a time ({name}) and the split says {split!r}: {advice}."
    return ""
