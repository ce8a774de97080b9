"""Whether a model reads what it must not decide by: named among its inputs, hidden in one of them, or asked for.

A model can treat groups alike because it looks at the group. Then the ratio is fine, and the decision is one that the
law forbids in many places: the same applicant would get another answer for being of another group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from taxiway.gates.checks.port import Case, NotGiven
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.predicting.signature import Signature

LEAST_ROWS = 30  # fewer rows show a relation between two columns by chance
MOST_ASKED = 5_000
SEED = 0
NEEDS_GROUP = ("ThresholdOptimizer", "RejectOptionClassification", "EqOddsPostprocessing")
Column = NDArray[Any]


class Reading(Struct, frozen=True):
    """An input by which a model knows a protected column. how: in words. moved: the share of rows that are decided
    otherwise when what they say of it is shuffled among them; None where the model could not be asked."""

    protected: str
    field: str
    how: str
    moved: float | None = None

    def __str__(self) -> str:
        if self.moved is None:
            return self.how
        if self.moved == 0:
            return f"{self.how}; shuffled alone, it changes no decision here"
        return f"{self.how}; shuffled alone, it changes {self.moved * 100:.1f} % of the decisions"


def readings(case: Case, protected: Sequence[str]) -> list[Reading]:
    """How a model reads any of the protected columns: nothing where nothing shows that it does."""
    table = columns_of(case)
    signature = case.version.signature
    found = named(signature, protected) + hidden(signature, protected, table)
    found += by_library(case)
    return asked_anew(case, found, table) if table else found


def named(signature: Signature, protected: Sequence[str]) -> list[Reading]:
    inputs = [column.name for column in signature.inputs]
    return [Reading(name, name, f"{name} is among its inputs") for name in protected if name in inputs]


def hidden(signature: Signature, protected: Sequence[str], table: Mapping[str, Column]) -> list[Reading]:
    """Inputs that are the protected column by another name: the same throughout each of its groups, and not constant.

    So is a copy, a code for it, and each column of a one-hot encoding.
    """
    inputs = [column.name for column in signature.inputs]
    found = []
    for name in protected:
        if name not in table or table[name].size < LEAST_ROWS:
            continue
        fields = [field for field in inputs if field not in protected and field in table]
        found += [
            Reading(name, field, f"its input {field} is {name} by another name")
            for field in fields
            if tells(table[name], table[field])
        ]
    return found


def tells(group: Column, values: Column) -> bool:
    """Whether the values are a function of the group, and not all the same."""
    _, codes = np.unique(group, return_inverse=True)
    _, said = np.unique(values, return_inverse=True)
    pairs = len(set(zip(codes.tolist(), said.tolist(), strict=True)))
    return bool(said.max(initial=0) > 0 and pairs == codes.max(initial=0) + 1)


def by_library(case: Case) -> list[Reading]:
    """A part of the model that cannot decide without being told the group, by its library's own account."""
    try:
        types = case.bundle().manifest.native.trusted_types
    except NotGiven:
        return []
    return [
        Reading("the group", "", f"{name.rpartition('.')[2]} needs the group of each row to decide")
        for name in types
        if name.rpartition(".")[2] in NEEDS_GROUP
    ]


def columns_of(case: Case) -> dict[str, Column]:
    """The rows that the model can be asked on, as names that can be told apart; empty where there are none to ask."""
    try:
        rows = case.rows()
    except (ValueError, TaxiwayError):
        return {}
    if rows.kind == "drawn":  # drawn values say nothing of how columns go together
        return {}
    return {
        name: np.array([str(each) for each in rows.table[name].to_pylist()], dtype=str)
        for name in rows.table.column_names
    }


def asked_anew(case: Case, found: list[Reading], table: Mapping[str, Column]) -> list[Reading]:
    """Each reading with what the model does when the fields of its protected column are shuffled together."""
    if not any(each.field for each in found):
        return found
    rows = case.rows().sample(MOST_ASKED, SEED)
    predictor, data = case.predictor(), rows.inputs()
    before = decisions(predictor.predict(data))
    order = np.random.default_rng(SEED).permutation(len(rows))
    moved: dict[str, float] = {}
    for name in {each.protected for each in found if each.field}:
        fields = {each.field for each in found if each.protected == name}
        shuffled = {key: [values[at] for at in order] if key in fields else values for key, values in data.items()}
        after = decisions(predictor.predict(shuffled))
        moved[name] = float(np.mean([one != other for one, other in zip(before, after, strict=True)]))
    return [
        Reading(each.protected, each.field, each.how, moved[each.protected]) if each.field else each for each in found
    ]


def decisions(answers: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [each["prediction"] for each in answers]


def sentence(found: Sequence[Reading]) -> str:
    """What the readings come to, for people."""
    whom = ", ".join(dict.fromkeys(each.protected for each in found))
    return f"It reads {whom} at decision time: {'; '.join(map(str, found))}."
