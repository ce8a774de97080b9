"""Our dialects keep the port that strangers' dialects are held to, and one that does not is told everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from taxiway.compat.instances.dialect import Instances
from taxiway.compat.invocations.dialect import Invocations
from taxiway.compat.openinference.dialect import OpenInference
from taxiway.endpoints.gateway.dialects import Address, Call, Dialect
from taxiway.endpoints.gateway.own_form import OwnForm
from taxiway.endpoints.gateway.requests import Asked
from taxiway.models.predicting.signature import Column
from taxiway.testing.dialects import DialectUnfit, Example, dialect_conformance, problems_of

INPUTS = (Column(name="a", type="number"), Column(name="b", type="string", nullable=True))
ROWS: list[dict[str, Any]] = [{"a": 1.5, "b": "x"}, {"a": 2, "b": None}]
TENSORS = [
    {"name": "a", "shape": [2], "datatype": "FP64", "data": [1.5, 2]},
    {"name": "b", "shape": [2, 1], "datatype": "BYTES", "data": [["x"], [None]]},
]
ARRAYS = [[1.5, "x"], [2, None]]


@pytest.mark.parametrize(
    ("dialect", "bodies"),
    [
        (OwnForm(), [ROWS, {"rows": ROWS}]),
        (Invocations(), [{"inputs": {"a": [1.5, 2], "b": ["x", None]}}, {"dataframe_records": ROWS}, ROWS]),
        (Instances(), [{"instances": ROWS}, {"instances": ARRAYS}]),
        (OpenInference(), [{"inputs": TENSORS}]),
    ],
    ids=lambda each: type(each).__name__,
)
def test_ours_keep_it(dialect: Dialect, bodies: list[object]) -> None:
    address = next(each for each in dialect.addresses if each.kind == "predict")

    examples = [Example(address, msgspec.json.encode(body), ROWS, INPUTS) for body in bodies]

    assert problems_of(dialect, examples) == []


class Careless(Instances):
    """A dialect that believes what it is sent."""

    addresses: Sequence[Address] = (*Instances.addresses, Address("GET", "predict", "predict"))

    def read(self, call: Call) -> Asked:
        return Asked([msgspec.json.encode(row) for row in msgspec.json.decode(call.body)["instances"]])


def test_one_that_does_not_is_told_everything() -> None:
    address = Careless.addresses[2]

    with pytest.raises(DialectUnfit) as told:
        dialect_conformance(Careless(), [Example(address, b'{"instances": [1]}', [{"a": 1}], INPUTS)])

    said = "\n".join(told.value.problems)
    assert "a path from the root" in said
    assert "without {name}" in said
    assert "asked for by POST" in said
    assert "it is read as b'1'" in said
    assert "raises DecodeError and no refusal" in said
