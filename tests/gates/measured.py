"""Rows that the measuring checks are asked about, and models that answer by a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from taxiway.gates.checks.port import Case
from taxiway.gates.working.rows import Rows
from taxiway.models.predicting.signature import Column, Signature

ROWS = 600
RANDOM = np.random.default_rng(0)
LABELS = (RANDOM.random(ROWS) < 0.5).astype(int)
SCORES = np.clip(0.35 * LABELS + 0.65 * RANDOM.random(ROWS), 0.01, 0.99)
RACE = np.where(RANDOM.random(ROWS) < 0.3, "black", "white")


def table(**columns: Any) -> pa.Table:
    kept = {"approve": LABELS, "said": (SCORES > 0.5).astype(int), "score": SCORES, "race": RACE}
    return pa.table({**kept, **columns})


class Remembered:
    """A model that answers by a rule over its rows."""

    def __init__(self, rule: Any) -> None:
        self.rule = rule

    def predict(self, data: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
        size = len(next(iter(data.values())))
        return [self.rule({name: values[at] for name, values in data.items()}) for at in range(size)]


def with_model(of: Case, rows: pa.Table, rule: Any, **types: str) -> Case:
    signature = Signature(
        inputs=tuple(Column(name=name, type=kind) for name, kind in types.items()),  # type: ignore[arg-type]
        outputs=(Column(name="prediction", type="integer"),),
    )
    version = msgspec.structs.replace(of.version, signature=signature)
    there = Rows(table=rows, kind="evaluation", said="the pinned rows", is_aligned=True, signature=signature)
    model: Any = Remembered(rule)
    return msgspec.structs.replace(of, version=version, rows=lambda: there, predictor=lambda: model)
