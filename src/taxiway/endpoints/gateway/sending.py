"""Answers and refusals on their way out, in the caller's protocol and with the headers that every protocol has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from taxiway.endpoints.gateway.dialects import Answer, Call
from taxiway.kernel.errors import TaxiwayError

Send = Callable[[Any], Awaitable[None]]


async def send_answer(send: Send, answer: Answer, headers: Sequence[tuple[bytes, bytes]]) -> None:
    """An answer in one piece, with headers that every protocol has."""
    always = [(b"content-type", answer.media_type), (b"content-length", b"%d" % len(answer.body))]
    said = [*always, *answer.headers, *headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": said})
    await send({"type": "http.response.body", "body": answer.body})


async def refuse(send: Send, call: Call, refusal: TaxiwayError, *, is_last: bool = False) -> None:
    """A refusal as the caller's protocol says it. is_last: whether the connection ends with it."""
    number = call.request_id.encode()
    headers = [(b"taxiway-request-id", number), (b"taxiway-prediction-id", number)]
    if refusal.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % max(1, round(refusal.retry_after_s))))
    if refusal.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if is_last:
        headers.append((b"connection", b"close"))
    await send_answer(send, call.dialect.refuse(call, refusal), headers)
