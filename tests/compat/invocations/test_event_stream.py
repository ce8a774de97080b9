"""Answers in pieces as SageMaker's runtime gives them: frames whose lengths and checksums hold."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import msgspec
import pytest

from taxiway.compat.invocations.event_stream import EventStream, chosen, exception, frame
from taxiway.endpoints.gateway.negotiation import AcceptRefused
from tests.compat.conftest import Adder, Said

STREAM = "/endpoints/adder/invocations-response-stream"
PIECES = [{"prediction": f"{n},"} for n in range(4)]


def read(data: bytes) -> Iterator[tuple[dict[str, str], bytes]]:
    """The messages of an event stream, every length and checksum looked at."""
    while data:
        total, size, check = struct.unpack(">III", data[:12])
        assert check == zlib.crc32(data[:8])
        assert struct.unpack(">I", data[total - 4 : total]) == (zlib.crc32(data[: total - 4]),)
        yield headers_of(data[12 : 12 + size]), data[12 + size : total - 4]
        data = data[total:]


def headers_of(data: bytes) -> dict[str, str]:
    found = {}
    while data:
        name, data = data[1 : 1 + data[0]].decode(), data[1 + data[0] :]
        kind, size = struct.unpack(">BH", data[:3])
        assert kind == 7
        found[name], data = data[3 : 3 + size].decode(), data[3 + size :]
    return found


def stream(adder: Adder, body: object, **headers: str) -> Said:
    return adder.send("POST", STREAM, body, **headers)


def test_every_piece_is_a_part(adder: Adder) -> None:
    answer = stream(adder, {"x": 4}, X_Amzn_SageMaker_Custom_Attributes="trace=7")
    found = list(read(answer.body))

    assert answer.headers["content-type"] == "application/vnd.amazon.eventstream"
    assert answer.headers["x-amzn-sagemaker-content-type"] == "application/jsonlines"
    assert answer.headers["x-amzn-sagemaker-custom-attributes"] == "trace=7"
    assert answer.headers["x-amzn-invoked-production-variant"] == "revision-1"
    assert [msgspec.json.decode(payload) for _, payload in found] == PIECES
    assert {head[":message-type"] + head[":event-type"] for head, _ in found} == {"eventPayloadPart"}
    assert all(payload.endswith(b"\n") for _, payload in found)


@pytest.mark.parametrize(
    "body", [{"inputs": {"x": [4], "mood": [None]}}, {"instances": [[4, None]]}, [{"x": 4}], b"x,mood\n4,\n"]
)
def test_every_form_of_asking_is_answered_in_pieces(adder: Adder, body: object) -> None:
    kind = "text/csv" if isinstance(body, bytes) else "application/json"

    answer = stream(adder, body, Content_Type=kind)

    assert [msgspec.json.decode(payload) for _, payload in read(answer.body)] == PIECES


def test_an_error_in_the_middle_is_an_exception_of_the_runtimes_api(adder: Adder) -> None:
    *parts, (head, payload) = read(stream(adder, {"x": 4, "mood": "raise"}).body)

    assert len(parts) == 2
    assert (head[":message-type"], head[":exception-type"]) == ("exception", "ModelStreamError")
    said = msgspec.json.decode(payload)
    assert said["ErrorCode"] == "StreamBroken"
    assert "ZeroDivisionError" in said["Message"]


@pytest.mark.parametrize(
    ("error", "detail", "name", "code"),
    [
        ("StreamCut", "it took longer than it may", "ModelStreamError", "ModelInvocationTimeExceeded"),
        ("EndpointStopped", "stopped", "ModelStreamError", "StreamBroken"),
        ("AnswerNotRecorded", "the disk is full", "InternalStreamFailure", None),
    ],
)
def test_whose_error_it_is_is_said(error: str, detail: str, name: str, code: str | None) -> None:
    [(head, payload)] = read(exception({"error": error, "detail": detail, "request_id": "1"}))

    assert (head[":exception-type"], msgspec.json.decode(payload).get("ErrorCode")) == (name, code)


@pytest.mark.parametrize(("body", "status"), [({"x": "one"}, 424), (b"{", 424), ([{"x": 1}, {"x": 2}], 424)])
def test_what_is_refused_before_the_first_piece_has_its_usual_form(adder: Adder, body: object, status: int) -> None:
    answer = stream(adder, body)

    assert (answer.status, answer.headers["x-amzn-errortype"]) == (status, "ModelError")


def test_the_form_of_the_parts_is_the_callers_choice(adder: Adder) -> None:
    events = stream(adder, {"x": 1}, X_Amzn_SageMaker_Accept="text/event-stream")
    refused = stream(adder, {"x": 1}, X_Amzn_SageMaker_Accept="image/png")

    assert [payload for _, payload in read(events.body)] == [b'data: {"prediction":"0,"}\n\n']
    assert (refused.status, refused.json["OriginalStatusCode"]) == (424, 406)
    assert "application/jsonlines" in refused.json["Message"]


def test_a_piece_that_no_frame_holds_goes_in_several() -> None:
    found = list(read(EventStream().piece(b"1" * (17 << 20))))

    assert [len(payload) for _, payload in found] == [16 << 20, (1 << 20) + 1]


@pytest.mark.parametrize(
    ("accept", "content"), [(b"", b"application/jsonlines"), (b"image/png, text/*", b"text/event-stream")]
)
def test_the_first_form_that_is_written_here_is_taken(accept: bytes, content: bytes) -> None:
    assert chosen(accept).content == content
    with pytest.raises(AcceptRefused):
        chosen(b"image/png")


def test_a_frame_is_as_the_sdks_read_it() -> None:
    """The empty message of AWS's own test vectors holds 16 bytes; ours has its type besides."""
    [(head, payload)] = read(frame({"a": "é"}, b"b"))

    assert (head, payload) == ({":message-type": "event", "a": "é"}, b"b")
