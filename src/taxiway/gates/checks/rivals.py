"""The champion's answers for the rows that another version is judged on."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from taxiway.gates.checks.port import Case
from taxiway.gates.measuring.laws import Takes
from taxiway.kernel.errors import TaxiwayError


class OtherRows(ValueError):
    """The champion has no answers for these rows, and cannot give any; the sentence says why."""


class Rival(Struct, frozen=True):
    """column: its predictions or scores, row by row. is_pinned: False where it was asked anew."""

    column: NDArray[Any]
    is_pinned: bool


def rival_of(case: Case, champion: Case, takes: Takes) -> Rival:
    """What the champion said of the same rows: as it was pinned, or else asked anew on them. Raises OtherRows."""
    ours, theirs = case.version.evaluation, champion.version.evaluation
    assert ours is not None
    labels = case.predictions().values(ours.label)
    if theirs is not None and (theirs.score or takes == "prediction"):
        pinned = champion.predictions()
        is_same = bool(ours.dataset) and ours.dataset == theirs.dataset
        if is_same and np.array_equal(labels, pinned.values(theirs.label)):
            return Rival(pinned.values(theirs.score if takes == "score" else theirs.prediction), is_pinned=True)
    return Rival(asked_anew(case, champion, takes), is_pinned=False)


def asked_anew(case: Case, champion: Case, takes: Takes) -> NDArray[Any]:
    names = [column.name for column in champion.version.signature.inputs]
    try:
        rows = case.rows()
    except (ValueError, TaxiwayError) as e:
        raise OtherRows(f"it was judged on other rows, and these are not pinned with their features ({e}).") from e
    if not rows.is_aligned or not set(names) <= set(rows.table.column_names):
        raise OtherRows("it was judged on other rows, and these are not pinned with the features that it reads.")
    from taxiway.gates.working.rows import as_input

    data = {column.name: as_input(rows.table[column.name], column) for column in champion.version.signature.inputs}
    answers = champion.predictor().predict(data)
    if takes == "score":
        if any("score" not in each for each in answers):
            raise OtherRows("it gives no scores.")
        return np.array([each.get("score") for each in answers], dtype=np.float64)
    return np.array([each["prediction"] for each in answers])
