"""Whatever bytes come, a dialect reads rows out of them or refuses by name: it never fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.compat.instances.dialect import Instances
from taxiway.compat.invocations.dialect import Invocations
from taxiway.compat.openinference.dialect import OpenInference
from taxiway.endpoints.gateway.dialects import Call, Dialect
from taxiway.endpoints.worker.held import Limits
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.predicting.signature import Column, Signature

NUMBERS = Signature(inputs=(Column(name="a", type="number"), Column(name="b", type="boolean")), outputs=())
TEXTS = Signature(inputs=(Column(name="a", type="string"), Column(name="b", type="integer")), outputs=())
NAMES = ("a", "b", "inputs", "instances", "params", "data", "columns", "rows", "id", "outputs")

scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=4)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
)
tensors = st.fixed_dictionaries(
    {
        "name": st.sampled_from(("a", "b", "all")),
        "shape": st.lists(st.integers(-1, 4), max_size=3) | values,
        "datatype": st.sampled_from(("FP64", "FP32", "FP16", "INT8", "UINT64", "BOOL", "BYTES", "X")),
    },
    optional={
        "data": st.lists(scalars, max_size=6) | st.lists(st.lists(scalars, max_size=3), max_size=3) | values,
        "parameters": st.fixed_dictionaries({"binary_data_size": st.integers(-1, 40) | values}) | values,
    },
)
bodies = st.one_of(
    st.dictionaries(st.sampled_from(NAMES), values, max_size=3),
    st.fixed_dictionaries({"inputs": st.lists(tensors, max_size=3)}),
    st.fixed_dictionaries({"instances": st.lists(values, max_size=4)}),
    st.fixed_dictionaries({"dataframe_split": st.fixed_dictionaries({"columns": values, "data": values})}),
).map(msgspec.json.encode)
contents = st.one_of(bodies, st.binary(max_size=60), st.tuples(bodies, st.binary(max_size=40)).map(b"".join))
KINDS = ("application/json", "text/csv", "text/csv; header=absent", "")
kinds = st.sampled_from(KINDS).map(str.encode)


@pytest.mark.parametrize("dialect", [Invocations(), Instances(), OpenInference()], ids=lambda each: type(each).__name__)
@given(body=contents, kind=kinds, length=st.none() | st.integers(-1, 200), signature=st.sampled_from((NUMBERS, TEXTS)))
@settings(max_examples=150, deadline=None)
def test_rows_come_out_or_a_refusal_with_a_name(
    dialect: Dialect, body: bytes, kind: bytes, length: int | None, signature: Signature
) -> None:
    headers = {b"content-type": kind}
    if length is not None:
        headers[b"inference-header-content-length"] = b"%d" % length
    call = Call("1" * 32, "POST", "/v2/models/x/infer", headers, Limits(), dialect, name="x", body=body)
    call.look_up = lambda _: signature

    assert all(isinstance(row, dict) for row in rows_or_none(dialect, call))


def rows_or_none(dialect: Dialect, call: Call) -> Sequence[Any]:
    """The rows as objects; none where the body was refused, which must be possible to say."""
    try:
        found = dialect.read(call).rows
    except TaxiwayError as refusal:
        said = dialect.refuse(call, refusal)
        assert 400 <= said.status < 500
        msgspec.json.decode(said.body)
        return []
    return [objects.decode(row) if row[:1] == b"{" else {} for row in found]


objects = msgspec.json.Decoder(dict[str, Any])
