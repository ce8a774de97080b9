"""A worker: one process that holds one verified model and answers what the gateway gives it.

``python -m taxiway.endpoints.worker.process`` is started by the gateway with one end of a socket pair. It checks the
bundle byte for byte before it loads anything, answers the bundle's example to warm up, says that it is ready,
and ends when the gateway's end of the socket does.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib.metadata
import select
import socket
import sys
import time
import traceback
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, get_args

import msgspec

from taxiway.endpoints.blocks import MANY, Told
from taxiway.endpoints.refusals import BodyRefused, ExampleFailed, FlavourUnknown, ModelRaised, NotConfined
from taxiway.endpoints.setup import Sandbox
from taxiway.endpoints.worker import wire
from taxiway.endpoints.worker.answering import Answering, answers, encode
from taxiway.endpoints.worker.choosing import Chosen, choose
from taxiway.endpoints.worker.confinement import Confinement, confine, home_of
from taxiway.endpoints.worker.probing import probes
from taxiway.endpoints.worker.streaming import Streams, pieces_of, send_pieces
from taxiway.endpoints.worker.warm import LIBRARIES
from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.starting import collecting_later
from taxiway.models.bundles.bundle import Bundle, read_verified, verify_bundle
from taxiway.models.bundles.mlmodel import read_example
from taxiway.models.predicting.flavours import family, settle
from taxiway.models.predicting.predictor import Predictor

FLAVOURS = "taxiway.flavours"  # entry points: a flavour's name, and what loads its verified bundles
BATCH_ROWS = 64
RECEIVE_BYTES = 1 << 18


class Load(Protocol):
    """What an entry point of `taxiway.flavours` names: loads a bundle of its flavour, digest checked."""

    def __call__(self, folder: Path, digest: str, *, may_run_code: bool) -> Predictor: ...


def main(arguments: list[str] | None = None, load: Load | None = None) -> None:
    """Verifies, loads, warms up, serves. Exits with 3 when the bundle is refused."""
    parser = argparse.ArgumentParser(prog="python -m taxiway.endpoints.worker.process", description=main.__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--digest", required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--descriptor", type=int, required=True)
    parser.add_argument("--may-run-code", action="store_true", help="load what runs code while it is read")
    parser.add_argument("--network", action="store_true", help="may reach others")
    parser.add_argument("--sandbox", choices=get_args(Sandbox), default="reachable", help="what if it cannot be held")
    parser.add_argument("--max-batch", type=int, default=BATCH_ROWS, help="rows that are predicted together")
    parser.add_argument("--max-delay-ms", type=float, default=0.0, help="how long to wait for more of them")
    chosen = parser.parse_args(arguments)
    before = set(sys.modules)
    confined = confine([chosen.bundle], home=home_of(chosen.bundle), network=chosen.network)
    atexit.register(gc.freeze)  # its end would else look through all that a model's library is made of
    with socket.socket(fileno=chosen.descriptor) as gateway:
        gateway.sendall(wire.frame(wire.Confined(confined)))
        began = time.monotonic()
        try:
            check_confined(chosen.endpoint, chosen.sandbox, confined)
            bundle = verify_bundle(chosen.bundle, chosen.digest)
            with collecting_later():
                predictor, runs = as_served(bundle, may_run_code=chosen.may_run_code, load=load)
            is_batching = warm_up(predictor, example_rows(bundle))
        except TaxiwayError as refusal:
            gateway.sendall(wire.frame(wire.Refused(type(refusal).__name__, str(refusal))))
            sys.exit(3)
        except Exception:  # noqa: BLE001 - another library's; its words must be out before the socket closes: that ends us
            traceback.print_exc()
            sys.stderr.flush()
            sys.exit(1)
        load_s = time.monotonic() - began
        taken = sorted(name for name in set(sys.modules) - before if name.partition(".")[0] in LIBRARIES)
        ready = wire.Ready(
            bundle.manifest.flavour,
            is_batching,
            load_s,
            predictor.signature,
            taken,
            runs,
            isinstance(predictor, Streams),
        )
        gateway.sendall(wire.frame(ready))
        joining = Joining(is_batching, chosen.max_batch, chosen.max_delay_ms / 1000)
        Serving(gateway, predictor, endpoint=chosen.endpoint, joining=joining).run()


def check_confined(endpoint: str, sandbox: Sandbox, confined: Confinement) -> None:
    """Refuses to go on where the confinement is required and does not hold. Raises NotConfined."""
    if sandbox == "require" and confined.missing:
        raise NotConfined(endpoint=endpoint, missing=confined.missing)


def as_served(bundle: Bundle, *, may_run_code: bool, load: Load | None = None) -> Chosen:
    """The model of a verified bundle as endpoints and scoring answer by it. Raises FlavourUnknown, and as `Load`."""

    def by_library() -> Predictor:
        read = load or loader(bundle.manifest.flavour)
        predictor = read(bundle.folder, bundle.digest, may_run_code=may_run_code)
        settle(predictor)
        return predictor

    return choose(bundle, by_library)


def loader(flavour: str) -> Load:
    """What is installed to load models of a flavour. Raises FlavourUnknown."""
    installed = importlib.metadata.entry_points(group=FLAVOURS)
    name = flavour if flavour in installed.names else family(flavour)
    if name not in installed.names:
        raise FlavourUnknown(flavour=flavour, installed=sorted(installed.names))
    load: Load = installed[name].load()
    return load


def example_rows(bundle: Bundle) -> list[dict[str, Any]]:
    """The rows of the bundle's input example; none where it has none."""
    path = bundle.manifest.example
    return [] if path is None else read_example(read_verified(bundle, path))


def warm_up(predictor: Predictor, rows: Sequence[dict[str, Any]]) -> bool:
    """Answers the example, so that the first caller does not wait for lazy imports and cold caches.

    Says whether 64 rows at once got the answers that each got alone, to the last bit, the example's and others drawn
    within its ranges: only then are requests that wait predicted together. Raises ExampleFailed.
    """
    if not rows:
        return False
    try:
        answers(predictor, rows)
    except Exception as e:  # a plug-in's call: whatever it raises, the bundle cannot be served
        raise ExampleFailed(problem=said(e)) from e
    asked = [encode(row) for row in rows]
    answering = Answering(predictor)
    drawn = [row for row in probes(predictor.signature, rows) if is_answered(answering, row)]
    return holds_together(answering, asked) and (not drawn or holds_together(answering, drawn))


def is_answered(answering: Answering, row: bytes) -> bool:
    """Whether a model takes a row that nobody sent; it may know that no such thing exists."""
    try:
        answering.answers([row])
    except Exception:  # noqa: BLE001 - a plug-in's call: it may refuse as it likes
        return False
    return True


def holds_together(answering: Answering, rows: list[bytes]) -> bool:
    """Whether rows get together, in batches of several sizes, the answers that each gets alone, to the last bit."""
    repeats = BATCH_ROWS // len(rows) + 1
    heights = (2, 3, 7, BATCH_ROWS // 2 + 1, len(rows) * repeats)
    try:
        alone = [answering.answers([row])[0] for row in rows]
        return all(answering.answers((rows * repeats)[:height]) == (alone * repeats)[:height] for height in heights)
    except Exception:  # noqa: BLE001 - a plug-in's call: one that cannot answer several rows answers them one by one
        return False


def said(error: BaseException) -> str:
    """An exception in one line."""
    text = str(error).strip().partition("\n")[0][:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class Joining(NamedTuple):
    """Whether requests that wait are predicted together, how many rows of them, how long a worker waits for more."""

    is_on: bool = True
    rows: int = BATCH_ROWS
    delay_s: float = 0.0


class Serving:
    """The loop: takes what waits, predicts, answers, in the order it came."""

    def __init__(self, gateway: socket.socket, predictor: Predictor, *, endpoint: str, joining: Joining) -> None:
        self.gateway, self.answering = gateway, Answering(predictor)
        self.endpoint, self.joining = endpoint, joining
        self.frames = wire.Frames()
        self.waiting: deque[wire.Work] = deque()
        self.cancelled = 0  # the stream that nobody wants the rest of

    def run(self) -> None:
        """Until the gateway's end of the socket is gone."""
        while self.receive(0):
            while self.waiting:
                if self.joining.delay_s and self.joining.is_on:
                    self.await_more()
                batch = self.take()
                if batch[0].is_stream:
                    self.stream(batch[0])
                    continue
                self.gateway.sendall(b"".join(wire.frame(answer) for answer in self.answer(batch)))
                self.receive(socket.MSG_DONTWAIT)  # what came meanwhile may join the next batch

    def receive(self, flags: int) -> bool:
        """Reads what the gateway sent; False at the end of it."""
        try:
            data = self.gateway.recv(RECEIVE_BYTES, flags)
        except BlockingIOError:
            return True
        for text in self.frames.feed(data):
            match wire.to_worker.decode(text):
                case wire.Work() as work:
                    self.waiting.append(work)
                case wire.Cancel(number):
                    self.cancelled = number
        return bool(data)

    def stream(self, work: wire.Work) -> None:
        """Answers a request in pieces, until somebody hangs up."""

        def goes_on() -> bool:
            return self.receive(socket.MSG_DONTWAIT) and self.cancelled != work.number

        try:
            send_pieces(work.number, pieces_of(self.answering, work.rows), self.gateway.sendall, goes_on)
            told: wire.Done | wire.Fault = wire.Done(work.number, [])
        except Exception as e:  # noqa: BLE001 - a plug-in call: it costs this request, the worker lives on
            told = self.failed(work, e)
        self.gateway.sendall(wire.frame(told))

    def await_more(self) -> None:
        """Takes in what comes within the delay, unless there is enough, or somebody who must be alone."""
        until = time.monotonic() + self.joining.delay_s
        while not self.waiting[0].is_alone and sum(len(work.rows) for work in self.waiting) < self.joining.rows:
            left_s = until - time.monotonic()
            if left_s <= 0 or not select.select([self.gateway], [], [], left_s)[0] or not self.receive(0):
                return

    def take(self) -> list[wire.Work]:
        """The next requests to predict together, of those that are here."""
        batch = [self.waiting.popleft()]
        rows = len(batch[0].rows)
        while (
            self.joining.is_on
            and self.waiting
            and not batch[0].is_alone
            and not self.waiting[0].is_alone
            and rows + len(self.waiting[0].rows) <= self.joining.rows
        ):
            rows += len(self.waiting[0].rows)
            batch.append(self.waiting.popleft())
        return batch

    def answer(self, batch: list[wire.Work]) -> list[wire.Done | wire.Fault]:
        """Answers together; where that fails, one by one, so that a bad request costs no other."""
        if len(batch) == 1:
            return [self.answer_one(batch[0])]
        try:
            found = iter(self.answering.answers([row for work in batch for row in work.rows]))
        except Exception:  # noqa: BLE001 - a plug-in call: each request tells its own error below
            return [self.answer_one(work) for work in batch]
        return [wire.Done(work.number, [next(found) for _ in work.rows]) for work in batch]

    def answer_one(self, work: wire.Work) -> wire.Done | wire.Fault:
        """One request's answers, or its error."""
        try:
            if work.block is not None:
                told = self.answering.of_block(work.block)
                text, fields = (b"", told) if isinstance(told, Told) else (told, None)
                return wire.Done(work.number, [], text, fields)
            if len(work.rows) >= MANY:
                return wire.Done(work.number, [], self.answering.together(work.rows))
            return wire.Done(work.number, self.answering.answers(work.rows))
        except Exception as e:  # noqa: BLE001 - a plug-in call: it costs this request, the worker lives on
            return self.failed(work, e)

    def failed(self, work: wire.Work, error: Exception) -> wire.Fault:
        """What became of a request, by name; of an error of the model's own its last lines are in the log."""
        if isinstance(error, TaxiwayError):
            return fault(work, error)
        if isinstance(error, msgspec.DecodeError | UnicodeDecodeError):
            return fault(work, BodyRefused(problem=str(error)))
        traceback.print_exception(error)
        row = 0 if len(work.rows) == 1 else None
        return fault(work, ModelRaised(endpoint=self.endpoint, row=row, problem=said(error)))


def fault(work: wire.Work, error: TaxiwayError) -> wire.Fault:
    """An error on its way to the gateway."""
    return wire.Fault(work.number, type(error).__name__, error.facts())


if __name__ == "__main__":
    main()
