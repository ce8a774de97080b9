"""Whatever bytes come, a dialect reads rows out of them or refuses by name: it never fails."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.compat.instances.dialect import Instances
from taxiway.compat.invocations.dialect import Invocations, listed
from taxiway.compat.openinference.dialect import OpenInference
from taxiway.endpoints.gateway.dialects import Call, Dialect
from taxiway.endpoints.gateway.own_form import OwnForm
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


def said_of(dialect: Dialect, body: bytes, **headers: str) -> tuple[int, Any]:
    """What a caller is told of a body that is refused, which nobody else may have to wait for."""
    given = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    call = Call("1" * 32, "POST", "/v2/models/x/infer", given, Limits(), dialect, name="x", body=body)
    call.look_up = lambda _: NUMBERS
    began = time.process_time()
    with pytest.raises(TaxiwayError) as refusal:
        dialect.read(call)
    assert time.process_time() - began < 1.0
    said = dialect.refuse(call, refusal.value)
    return said.status, said.body.decode()


MANY = [str(number) for number in range(60_000)]
TWICE = [*MANY, MANY[0]]
ONE = {"name": "a", "shape": [1], "datatype": "FP64", "data": [1]}


def test_many_names_are_looked_through_once() -> None:
    split = msgspec.json.encode({"dataframe_split": {"columns": TWICE, "data": [[1]]}})
    tensors = msgspec.json.encode({"inputs": [ONE | {"name": name} for name in TWICE]})

    assert "'0', twice" in said_of(Invocations(), split, content_type="application/json")[1]
    assert "'0', twice" in said_of(OpenInference(), tensors)[1]


def test_an_output_is_given_once() -> None:
    """Else a small body could ask for an answer that no memory holds."""
    body = msgspec.json.encode({"inputs": [ONE], "outputs": [{"name": "prediction"}] * 2})

    assert "'prediction', twice" in said_of(OpenInference(), body)[1]


@pytest.mark.parametrize("body", [b"1,true\n" * 500_000, b"NaN," * 1_000_000], ids=["lines", "NaN"])
def test_a_large_body_is_refused_by_its_beginning(body: bytes) -> None:
    kind = "text/csv" if body.startswith(b"1") else "application/json"

    assert said_of(Invocations(), body, content_type=kind)[0] in (400, 413)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"inputs": [ONE]}, {"inference_header_content_length": "9" * 5000}),
        ({"inputs": [ONE | {"datatype": "FP32", "data": [int("9" * 400)]}]}, {}),
    ],
)
def test_numbers_of_many_digits_are_refused(body: Any, headers: dict[str, str]) -> None:
    assert said_of(OpenInference(), msgspec.json.encode(body), **headers)[0] == 400


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_times_beyond_the_calendar_are_refused(text: str) -> None:
    body = msgspec.json.encode({"rows": [{"a": 1}], "event_at": text})

    assert said_of(OwnForm(), body)[0] == 422


def test_names_of_callers_begin_no_header() -> None:
    assert listed(["a\r\nset-cookie: b", "ü", "x" * 1000]) == b"a??set-cookie: b,?," + b"x" * 60
    assert len(listed(MANY)) < 1000
