"""A scoring process: verifies and loads one bundle as a worker of the gateway does, and answers blocks of rows.

``python -m taxiway.endpoints.scoring.process`` is started with one end of a socket pair and a piece of shared memory
that the rows come in. It touches no file but its bundle; who started it reads and writes the files.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import mmap
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.endpoints.scoring.wire import Chunk, Prepared, Refused, Scored, Stopped, to_scorer
from taxiway.endpoints.worker.confinement import confine, home_of
from taxiway.endpoints.worker.process import as_served, example_rows, said, warm_up
from taxiway.endpoints.worker.wire import Frames, frame
from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.starting import collecting_later
from taxiway.models.bundles.bundle import verify_bundle
from taxiway.models.predicting.predictor import ColumnsIn, Prediction, Predictor, Rows
from taxiway.models.predicting.signature import InputMismatch

if TYPE_CHECKING:
    from taxiway.models.predicting.arrays import Arrays, Block

RECEIVE_BYTES = 1 << 16


def main(arguments: list[str] | None = None) -> None:
    """Verifies, loads, answers until the other end is gone. Exits with 3 when the bundle is refused."""
    parser = argparse.ArgumentParser(prog="python -m taxiway.endpoints.scoring.process", description=main.__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--digest", required=True)
    parser.add_argument("--descriptor", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True)
    parser.add_argument("--may-run-code", action="store_true")
    chosen = parser.parse_args(arguments)
    confine([chosen.bundle], home=home_of(chosen.bundle))
    atexit.register(gc.freeze)  # its end would else look through all that a model's library is made of
    with socket.socket(fileno=chosen.descriptor) as reader:
        try:
            bundle = verify_bundle(chosen.bundle, chosen.digest)
            with collecting_later():
                predictor = as_served(bundle, may_run_code=chosen.may_run_code).predictor
                answering = Answering(predictor)
            warm_up(predictor, example_rows(bundle))
            prepared = answering.prepared()
        except TaxiwayError as refusal:
            reader.sendall(frame(Refused(type(refusal).__name__, str(refusal))))
            sys.exit(3)
        reader.sendall(frame(prepared))
        frames = Frames()
        while data := reader.recv(RECEIVE_BYTES):
            for text in frames.feed(data):
                reader.sendall(frame(answering.answer(to_scorer.decode(text), chosen.memory)))


class Answering:
    """A loaded model that answers chunks."""

    def __init__(self, predictor: Predictor) -> None:
        from taxiway.endpoints.scoring import blocks

        self.blocks = blocks  # Arrow comes in only now, after the confinement
        self.predictor = predictor
        self.is_compared = False
        self.fields = blocks.fields_of(predictor.signature)

    def prepared(self) -> Prepared:
        import pyarrow as pa

        schema = pa.schema([*self.fields.items(), (self.blocks.ERROR, pa.string())])
        return Prepared(schema.serialize().to_pybytes())

    def answer(self, chunk: Chunk, memory: int) -> Scored | Stopped:
        """The answers to what lies in the shared memory, or why there are none."""
        import pyarrow as pa

        # Unmapped when the last array that looks into it is gone.
        shared = mmap.mmap(memory, chunk.size_bytes, prot=mmap.PROT_READ)
        return self._answered(pa.ipc.open_stream(pa.py_buffer(shared)).read_next_batch(), chunk)

    def _answered(self, batch: Any, chunk: Chunk) -> Scored | Stopped:
        import pyarrow as pa

        blocks = self.blocks
        block = blocks.as_block(batch, self.predictor.signature.inputs, is_text=chunk.is_text)
        try:
            predictor = Alone(self.predictor) if chunk.is_exact else self.predictor
            answers, failed = blocks.answer_block(predictor, block, keeps_on=chunk.keeps_on, say=said)
            told = blocks.as_answers(answers, failed, self.fields, batch.num_rows)
        except InputMismatch:
            row, first = blocks.bad_rows(self.predictor, block)[0]
            return Stopped(row, first.field, f"{first.why}.")
        except Exception as e:  # noqa: BLE001 - a plug-in call: the chunk has no answers, and whoever asked says so
            return Stopped(-1, "", f"the model raised {said(e)}.")
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, told.schema) as writer:
            writer.write_batch(told)
        difference = None
        if not self.is_compared:
            difference, self.is_compared = blocks.largest_difference(self.predictor, block, answers, failed), True
        return Scored(sink.getvalue().to_pybytes(), difference)


class Alone:
    """A predictor that is asked for one row at a time, as by callers one after another."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self.signature = predictor.signature

    def predict(self, data: Rows | ColumnsIn) -> list[Prediction]:
        """As the predictor's own."""
        return self.predictor.predict(data)

    def predict_arrays(self, columns: Block) -> Arrays:
        """The answers that each row gets alone."""
        from taxiway.endpoints.scoring.blocks import one_by_one

        return one_by_one(self.predictor, columns)


if __name__ == "__main__":
    main()
