"""What a captured answer says in the version's own fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taxiway.endpoints.external.captured.shapes import Row
from taxiway.kernel.errors import BadField
from taxiway.models.predicting.signature import Column

ALSO = {"predicted_label": "prediction"}  # as SageMaker's own algorithms call it
SCORE, PREDICTION = "score", "prediction"


def as_outputs(row: Row, names: Sequence[str], threshold: float | None, where: str) -> dict[str, Any]:
    """An answer by name. names: of values that come without; a score alone is cut at the version's threshold.

    Raises BadField.
    """
    found = named(row, names, where)
    score = found.get(SCORE)
    if PREDICTION not in found and isinstance(score, int | float):
        if threshold is None:
            expected = "the prediction too: the version says no threshold to cut the score at"
            raise BadField(field=f"{where}.data", value=f"a score of {score}", expected=expected)
        found[PREDICTION] = int(score >= threshold)
    return found


def named(row: Row, names: Sequence[str], where: str) -> dict[str, Any]:
    if isinstance(row, Mapping):
        found = {name if name not in ALSO or ALSO[name] in row else ALSO[name]: value for name, value in row.items()}
        return {PREDICTION: next(iter(found.values()))} if len(found) == 1 and not {*names} & found.keys() else found
    values = row if isinstance(row, list) else [row]
    if len(values) == 1 and len(names) > 1:
        return {PREDICTION: values[0]}
    if len(values) != len(names):
        expected = f"one for each of {', '.join(names)}; `outputs` names others"
        raise BadField(field=f"{where}.data", value=f"an answer of {len(values)} values", expected=expected[:300])
    return dict(zip(names, values, strict=True))


def names_of(outputs: Sequence[Column], said: Sequence[str]) -> list[str]:
    return list(said) or [column.name for column in outputs] or [PREDICTION]
