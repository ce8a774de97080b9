"""Whether a dialect keeps what the gateway asks of it: run it in your tests, as Taxiway does with its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from taxiway.endpoints.gateway.configuration import ServedRevision
from taxiway.endpoints.gateway.dialects import Address, Call, Dialect, Given, Shown, Standing
from taxiway.endpoints.refusals import EndpointUnknown, QueueFull
from taxiway.endpoints.worker.held import Limits
from taxiway.kernel.errors import SignInNeeded, TaxiwayError, Unexpected
from taxiway.models.predicting.signature import Column, Signature

BROKEN = (b"", b"{", b"\xff\xfe", b"[" * 5000, b'{"a": NaN}')
REFUSALS = (
    SignInNeeded(reason="No token."),
    EndpointUnknown(endpoint="asked"),
    QueueFull(endpoint="asked", limit=1),
    Unexpected(detail="The gateway failed."),
)
SERVED = ServedRevision("asked", 1, "model", 1, "bundle", "sha256:" + "0" * 64)
ANSWER = b'{"prediction":1.5,"score":0.25}'


class Example(Struct, frozen=True):
    """A request as a caller sends it, and the rows that it asks for. inputs: the columns of the model, in order."""

    address: Address
    body: bytes
    rows: list[dict[str, Any]]
    inputs: tuple[Column, ...]
    headers: dict[bytes, bytes] = {}


class DialectUnfit(AssertionError):
    """What a dialect does not keep, a line for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(["The dialect does not keep its port:", *(f"- {each}" for each in problems)]))


def dialect_conformance(dialect: Dialect, examples: Iterable[Example]) -> None:
    """Nothing for a dialect that keeps its port. Raises DialectUnfit with everything that it does not keep."""
    if problems := problems_of(dialect, examples):
        raise DialectUnfit(problems)


def problems_of(dialect: Dialect, examples: Iterable[Example]) -> list[str]:
    """What a dialect does not keep of its port, a line for each; none for one that keeps it."""
    problems = [*of_addresses(dialect)]
    for example in examples:
        problems += of_example(dialect, example)
        problems += of_broken(dialect, example)
    return [*problems, *of_telling(dialect)]


def call_at(dialect: Dialect, address: Address, inputs: tuple[Column, ...] = ()) -> Call:
    """A call of the endpoint `asked`, whose answers are a prediction and a score."""
    outputs = (Column(name="prediction", type="number"), Column(name="score", type="number"))
    call = Call("1" * 32, address.method, address.template, {}, Limits(), dialect, address, "asked")
    call.look_up = lambda _: Signature(inputs=inputs, outputs=outputs)
    return call


def of_addresses(dialect: Dialect) -> Iterator[str]:
    """Each is one place, and says which endpoint it is about."""
    seen: set[tuple[str, str]] = set()
    for address in dialect.addresses:
        where = f"{address.method} {address.template}"
        if not address.template.startswith("/") or address.method not in ("GET", "POST"):
            yield f"{where}: an address is GET or POST and a path from the root"
        if (address.method, address.template) in seen:
            yield f"{where}: it is stated twice"
        seen.add((address.method, address.template))
        if address.kind in ("predict", "endpoint") and "{name}" not in address.template:
            yield f"{where}: nobody can tell which endpoint is meant without {{name}}"
        if address.kind == "predict" and address.method != "POST":
            yield f"{where}: a prediction is asked for by POST"


def of_example(dialect: Dialect, example: Example) -> Iterator[str]:
    """It is read as the rows it asks for, and answered."""
    call = call_at(dialect, example.address, example.inputs)
    call.headers, call.body = dict(example.headers), example.body
    where = f"{example.address.template}, {example.body[:40]!r}"
    try:
        rows = dialect.read(call).rows
    except TaxiwayError as refusal:
        yield f"{where}: it is refused ({refusal})"
        return
    if any(b"\n" in row for row in rows):
        yield f"{where}: a row has a line break, and the log has a line for each"
    if [msgspec.json.decode(row) for row in rows] != example.rows:
        yield f"{where}: it is read as {b', '.join(rows)[:200]!r}"
    for served in (SERVED, None):
        answer = dialect.write(call, Given([ANSWER] * len(rows), served))
        if answer.status != 200 or not answer.body:
            yield f"{where}: its answer is {answer.status} with {len(answer.body)} bytes"


def of_broken(dialect: Dialect, example: Example) -> Iterator[str]:
    """What cannot be read is refused as the caller's fault, and every refusal can be said."""
    for body in BROKEN:
        call = call_at(dialect, example.address, example.inputs)
        call.headers, call.body = dict(example.headers), body
        try:
            dialect.read(call)
        except TaxiwayError as refusal:
            status = dialect.refuse(call, refusal).status
            if not 400 <= status < 500:
                yield f"{body[:20]!r} is refused with {status}, as if the fault were ours"
        except Exception as e:  # noqa: BLE001  a plug-in call: whatever it raises is what is wrong
            yield f"{body[:20]!r} raises {type(e).__name__} and no refusal"
    for known in REFUSALS:
        said = dialect.refuse(call_at(dialect, example.address), known)
        if not 400 <= said.status < 600 or not said.body:
            yield f"{type(known).__name__} is said with {said.status} and {len(said.body)} bytes"


def of_telling(dialect: Dialect) -> Iterator[str]:
    """Every address that predicts nothing tells something, or refuses by name."""
    for address in dialect.addresses:
        if address.kind == "predict":
            continue
        call = call_at(dialect, address)
        asked = Standing("asked", is_ready=True, served=SERVED, flavour="any", signature=call.signature, answering=(1,))
        try:
            dialect.tell(call, Shown(is_ready=True, endpoints=[] if address.kind == "open" else [asked]))
        except TaxiwayError:
            continue
        except Exception as e:  # noqa: BLE001  a plug-in call: whatever it raises is what is wrong
            yield f"{address.method} {address.template}: telling raises {type(e).__name__}"
