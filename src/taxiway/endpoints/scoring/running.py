"""The way of a file through a scoring: chunks are read, answered by processes, kept, and written in their order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import msgspec
import pyarrow as pa
from msgspec import Struct

from taxiway.endpoints.scoring.contract import ScoringLeave
from taxiway.endpoints.scoring.crew import Loaded, Scorer
from taxiway.endpoints.scoring.files import AnswersFile, RowsFile, chunk_rows, digest_of_file, identity
from taxiway.endpoints.scoring.progress import Begun, Progress, open_progress
from taxiway.endpoints.scoring.refusals import InputChanged, InputUnfit
from taxiway.endpoints.scoring.result import HowFar, Scored
from taxiway.models.predicting.signature import Signature

ERROR = "error"
OnError = Literal["stop", "keep"]
Tell = Callable[[HowFar], None]


class Wish(Struct, frozen=True, kw_only=True):
    """What to score and how. keep: the input's columns that stand beside the answers; None is all of them.

    on_error: whether a row without an answer stops the scoring, or is kept with its error. is_anew: forgets what was
    done before. is_exact: has each row answered alone. jobs: processes that answer.
    """

    source: Path
    target: Path
    keep: Sequence[str] | None = None
    on_error: OnError = "stop"
    jobs: int = 1
    may_run_code: bool = False
    is_anew: bool = False
    is_exact: bool = False
    tell: Tell | None = None


def score_file(wish: Wish, leave: ScoringLeave, folder: Path, signature: Signature) -> Scored:
    """Answers every row of a file by a bundle, going on where an earlier scoring of the same ended.

    Raises InputChanged, InputUnfit, ScorerDied, ScoringHeld, ScoringStopped.
    """
    began = time.monotonic()
    source = RowsFile(wish.source)
    keep, inputs = kept_columns(source, wish), inputs_of(source, signature)
    columns = [name for name in source.schema.names if name in keep or name in inputs]
    rows = chunk_rows(len(columns))
    begun = Begun(
        model=f"{leave.model}@{leave.version}",
        bundle=leave.bundle,
        input=identity(wish.source),
        columns=columns,
        keep=keep,
        on_error=wish.on_error,
        is_exact=wish.is_exact,
        is_trial=leave.is_trial,
        serves=leave.serves,
        chunk_rows=rows,
    )
    beside = wish.target.with_name(f"{wish.target.name}.progress")
    progress = open_progress(beside, begun, output=str(wish.target), is_anew=wish.is_anew)
    loaded = Loaded(begun.model, folder, leave.bundle, wish.may_run_code)
    with ExitStack() as stack:
        stack.callback(progress.file.close)
        digesting = stack.enter_context(ThreadPoolExecutor(1)).submit(digest_of_file, wish.source)
        scorers = start(loaded, wish.jobs, stack)
        prepared = scorers[0].prepared()
        for each in scorers[1:]:
            each.prepared()
        schema = pa.ipc.read_schema(pa.py_buffer(prepared.schema))
        check_names(source, keep, schema)
        passage = Passage(source, progress, wish, inputs)
        passage.free.extend(scorers)
        passage.run(AnswersFile(wish.target, output_schema(source, keep, schema)), leave)
        done = result_of(passage, leave, wish, digesting)
        if identity(wish.source) != begun.input:
            wish.target.unlink()
            raise InputChanged(output=str(wish.target), what=["input, which changed while it was scored"])
        beside.unlink()
    return msgspec.structs.replace(done, seconds=time.monotonic() - began)


def start(loaded: Loaded, jobs: int, stack: ExitStack) -> list[Scorer]:
    """So many processes, which end with the stack."""
    scorers = []
    for _ in range(jobs):
        scorers.append(Scorer(loaded))
        stack.callback(scorers[-1].close)
    return scorers


def inputs_of(source: RowsFile, signature: Signature) -> list[str]:
    """The columns of the file that the model takes. Raises InputUnfit where one that it needs is not there."""
    names = set(source.schema.names)
    missing = [column.name for column in signature.inputs if column.name not in names and not column.nullable]
    if missing:
        reason = f"it has no column {', '.join(map(repr, missing))}, which the model needs"
        raise InputUnfit(file=str(source.path), reason=reason)
    return [column.name for column in signature.inputs if column.name in names]


def kept_columns(source: RowsFile, wish: Wish) -> list[str]:
    """The columns that stand beside the answers, in the file's order. Raises InputUnfit."""
    names: list[str] = list(source.schema.names)
    if wish.keep is None:
        return names
    if unknown := [name for name in wish.keep if name not in names]:
        raise InputUnfit(file=str(source.path), reason=f"it has no column {', '.join(map(repr, unknown))} to keep")
    return [name for name in names if name in wish.keep]


def check_names(source: RowsFile, keep: Sequence[str], answers: pa.Schema) -> None:
    """Raises InputUnfit where a kept column is called as one of the answers."""
    if both := [name for name in keep if name in answers.names]:
        reason = f"its column {both[0]!r} is called as a part of the answers; say by --keep which columns to keep"
        raise InputUnfit(file=str(source.path), reason=reason)


def output_schema(source: RowsFile, keep: Sequence[str], answers: pa.Schema) -> pa.Schema:
    """The kept columns, then the answers."""
    return pa.schema([*(source.schema.field(name) for name in keep), *answers])


class Passage:
    """The chunks on their way."""

    def __init__(self, source: RowsFile, progress: Progress, wish: Wish, inputs: Sequence[str]) -> None:
        self.source, self.progress, self.wish = source, progress, wish
        self.inputs = list(inputs)
        self.free: deque[Scorer] = deque()
        self.given: deque[tuple[int, pa.RecordBatch, Scorer | None]] = deque()
        self.rows = self.failed = self.resumed = 0
        self.difference: float | None = None
        self.began = time.monotonic()

    def run(self, output: AnswersFile, leave: ScoringLeave) -> None:
        """Every chunk, in order. While one is answered the next is read, and the one before is written."""
        begun = self.progress.begun
        for number, batch in enumerate(self.source.chunks(begun.columns, begun.chunk_rows)):
            is_done = number in self.progress.places
            answered = None if is_done or self.free else self._answered()
            scorer = None if is_done else self.free.popleft()
            if scorer is not None:
                scorer.give(
                    self._asked(batch),
                    is_text=self.source.is_text,
                    keeps_on=self.wish.on_error == "keep",
                    is_exact=self.wish.is_exact,
                )
            self.given.append((number, batch, scorer))
            if answered is not None:  # only now, so that its process need not wait for the file
                self._write(*answered, output)
            while self.given and self.given[0][2] is None:
                self._write(*self._answered(), output)
        while self.given:
            self._write(*self._answered(), output)
        said = msgspec.to_builtins(leave)
        counted = {"rows": self.rows, "failed": self.failed, "largest_difference": self.difference}
        output.finish(msgspec.json.encode(said | counted))

    def _asked(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """What the model takes of it; what is only kept stays here."""
        return batch.select(self.inputs)

    def _answered(self) -> tuple[pa.RecordBatch, bytes]:
        """The oldest chunk that is on its way, and the answers to it, which are kept; its process is free again."""
        number, batch, scorer = self.given.popleft()
        if scorer is None:
            self.resumed += batch.num_rows
            return batch, self.progress.read(number)
        scored = scorer.take(number * self.progress.begun.chunk_rows)
        self.difference = max((d for d in (self.difference, scored.difference) if d is not None), default=None)
        self.progress.add(number, scored.data)
        self.free.append(scorer)
        return batch, scored.data

    def _write(self, batch: pa.RecordBatch, data: bytes, output: AnswersFile) -> None:
        """Puts a chunk and its answers at the end of the output."""
        answers = pa.ipc.open_stream(pa.py_buffer(data)).read_next_batch()
        if answers.num_rows != batch.num_rows:
            raise InputChanged(output=str(self.wish.target), what=["input"])
        kept = [batch.column(name) for name in self.progress.begun.keep]
        output.write(pa.RecordBatch.from_arrays([*kept, *answers.columns], schema=output.schema))
        self.rows += batch.num_rows
        self.failed += answers.num_rows - answers.column(ERROR).null_count
        if self.wish.tell is not None:
            self.wish.tell(self.how_far())

    def how_far(self) -> HowFar:
        """How much is done, and at what speed, of the rows that were answered now."""
        spent = max(time.monotonic() - self.began, 1e-9)
        total = self.source.rows
        share = self.rows / total if total else min(1.0, self.source.read_bytes / max(self.source.size_bytes, 1))
        speed = (self.rows - self.resumed) / spent
        left = self.rows / share - self.rows if share else 0.0
        return HowFar(self.rows, share, speed, left / speed if speed else None)


def result_of(passage: Passage, leave: ScoringLeave, wish: Wish, digesting: Future[str]) -> Scored:
    return Scored(
        id=leave.id,
        model=leave.model,
        version=leave.version,
        is_trial=leave.is_trial,
        rows=passage.rows,
        failed=passage.failed,
        resumed=passage.resumed,
        difference=passage.difference,
        output=str(wish.target),
        digest=digest_of_file(wish.target),
        input_digest=digesting.result(),
    )
