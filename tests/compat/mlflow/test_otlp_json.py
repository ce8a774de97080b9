"""What protobuf's own parser lets pass in OTLP's JSON is refused, by the name of its field."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.compat.mlflow.otlp_json import is_base64
from taxiway.compat.mlflow.refusals import CallRefused
from taxiway.compat.mlflow.spans import read_spans

SPAN = '"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "ask"'


def request(span: str) -> bytes:
    return f'{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{{{SPAN}}}, {{{span}}}]}}]}}]}}'.encode()


def valued(value: str) -> str:
    return f'{SPAN}, "attributes": [{{"key": "a", "value": {value}}}]'


@pytest.mark.parametrize(
    ("span", "named"),
    [
        (SPAN.replace("c60c", "c60"), "spans[1].traceId must be 32 hexadecimal digits"),
        (SPAN.replace("b174", "b17g"), "spans[1].spanId must be 16 hexadecimal digits"),
        (SPAN.replace('"eee19b7ec3c1b174"', "7"), "spans[1].spanId must be 16 hexadecimal digits, not 7"),
        (f'{SPAN}, "parentSpanId": "0"', "spans[1].parentSpanId must be"),
        (f'{SPAN}, "links": [{{"traceId": "xx", "spanId": "eee19b7ec3c1b174"}}]', "spans[1].links[0].traceId must be"),
        (valued('{"bytesValue": "@@@"}'), "attributes[0].value.bytesValue must be bytes in base64"),
        (valued('{"bytesValue": "AAAAA"}'), "attributes[0].value.bytesValue must be"),
        (valued('{"bytesValue": 5}'), "attributes[0].value.bytesValue must be"),
        (valued('{"arrayValue": {"values": [{"bytesValue": "="}]}}'), "value.arrayValue.values[0].bytesValue must be"),
        (valued('{"doubleValue": 1e999}'), "attributes[0].value.doubleValue must be a number that 64 bits hold"),
        (valued('{"intValue": 1e999}'), "spans.attributes.value"),
        (f'{SPAN}, "kind": 1e999', "the body is no"),
        (valued('{"intValue": "9223372036854775808"}'), "attributes.value.intValue"),
        (f'{SPAN}, "startTimeUnixNano": "-1"', "spans.startTimeUnixNano"),
    ],
)
def test_what_is_odd_is_refused_by_its_field(span: str, named: str) -> None:
    with pytest.raises(CallRefused) as refusal:
        read_spans(request(span), is_json=True)

    assert named in str(refusal.value)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ('{"bytesValue": "AP8="}', {"$bytes": "AP8="}),
        ('{"bytesValue": "AP8"}', {"$bytes": "AP8="}),
        ('{"bytesValue": "-_8="}', {"$bytes": "+/8="}),
        ('{"bytesValue": ""}', {"$bytes": ""}),
        ('{"doubleValue": "-Infinity"}', {"$number": "-Infinity"}),
        ('{"doubleValue": 1e308}', 1e308),
        ('{"stringValue": "@@@"}', "@@@"),
    ],
)
def test_what_is_in_order_is_kept(value: str, kept: Any) -> None:
    [spans] = read_spans(request(valued(value)), is_json=True).values()

    assert spans[1].attributes == {"a": kept}


def test_a_span_at_the_top_may_say_so() -> None:
    [spans] = read_spans(request(f'{SPAN}, "parentSpanId": "", "spanIdOfNobody": 7'), is_json=True).values()

    assert spans[1].parent is None


@given(st.binary(max_size=20))
def test_every_bytes_in_base64_are_taken(data: bytes) -> None:
    for written in (base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()):
        assert is_base64(written)
        assert is_base64(written.rstrip("="))
