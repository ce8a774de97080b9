"""What is taken out of traces, and what stays though it sounds alike."""

import pytest

from taxiway.traces.contract import Event, Span
from taxiway.traces.secrets import cleared, hidden, told_without_secrets, without_secrets
from taxiway.traces.told import Told

KEY = "sk-abcdefghijklmnopqrstuvwx"


@pytest.mark.parametrize(
    "name",
    ["authorization", "http.request.header.authorization", "api_key", "openai_api_key", "X-API-Key", "password",
     "client_secret", "aws_secret_key", "access_token", "Set-Cookie", "db.password", "private-key"],
)  # fmt: skip
def test_what_goes_by_the_name_of_a_secret_is_taken_out(name: str) -> None:
    assert cleared({"a": [{name: "hunter2"}]}) == {"a": [{name: "[redacted]"}]}


@pytest.mark.parametrize(
    ("name", "value"),
    [("mlflow.chat.tokenUsage", '{"total_tokens": 3}'), ("token", "hello"), ("max_tokens", "12"), ("keyword", "x"),
     ("secretary", "Ann"), ("password", ""), ("api_key", 7), ("author", "Bo"), ("n", None),
     ("text", "a risk-free bet")],
)  # fmt: skip
def test_what_only_sounds_like_one_stays(name: str, value: object) -> None:
    assert cleared({name: value}) == {name: value}


def test_what_looks_like_a_secret_is_taken_out_of_any_text() -> None:
    text = f"called with {KEY} and Bearer abcdefghijklmnopqrst, then -----BEGIN PRIVATE KEY-----\nMII"

    assert hidden(text) == "called with [redacted] and Bearer [redacted], then [redacted]"


def test_no_part_of_a_trace_keeps_one() -> None:
    span = Span("1", "s", 0, message=KEY, attributes={"in": {"q": [KEY]}}, events=[Event("e", 0, {"m": KEY})])
    told = Told("t", "ok", 0, request=KEY, response=KEY, tags={"a": KEY}, facts={"mlflow.traceInputs": KEY})

    assert KEY not in repr(without_secrets(span)) + repr(told_without_secrets(told))
