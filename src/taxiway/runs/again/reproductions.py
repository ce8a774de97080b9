"""Runs done again: the server holds the second against the first by its own records, and keeps what it found."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from sqlalchemy import Connection, insert, select

from taxiway.audit.service import Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField
from taxiway.kernel.ids import new_id
from taxiway.lineage.service import draw_edge
from taxiway.runs.again.attested import attest_reproduction
from taxiway.runs.again.sameness import (
    REPRODUCES,
    FileGap,
    Found,
    Gap,
    InputGap,
    InputKind,
    Pair,
    Reproduction,
    counts,
    files_apart,
    params_apart,
    series_gap,
    verdict_of,
)
from taxiway.runs.again.seeds import HASH_SEED, SEED
from taxiway.runs.comparison import Comparisons
from taxiway.runs.contract import Artifact, RecordReproduction, Run
from taxiway.runs.points.log import Log
from taxiway.runs.service import Runs, require
from taxiway.runs.tables import reproductions, runs
from taxiway.storage.blobs import Blobs, read_blob

HARDWARE = ("machine", "cpus", "cpu", "gpus")
MOST_NAMED = 20

FilesApart = tuple[list[FileGap], int]
Gaps = list[InputGap]


class Reproductions:
    """What was done again, and how alike it was."""

    def __init__(self, runs: Runs, log: Log, comparisons: Comparisons, blobs: Blobs) -> None:
        self.runs = runs
        self.log = log
        self.comparisons = comparisons
        self.blobs = blobs

    def record(self, caller: Caller, body: RecordReproduction, *, run: str) -> Reproduction:
        """Compares a run that was done again with the first and keeps the verdict. Raises NotFound, BadField."""
        first = self.runs.find(run)
        again = self._again(first, body)
        found = self._found(first, again, body) if again else None
        made = Reproduction(
            id=new_id(),
            run=run,
            again=body.again,
            verdict=verdict_of(without(found, body.ignored), body.tolerance) if found else "impossible",
            tolerance=body.tolerance,
            because=found.because if found else body.because,
            params=found.params if found else [],
            metrics=found.metrics if found else [],
            predictions=found.predictions if found else [],
            files=found.files if found else [],
            equal_files=self._files(first, again)[1] if again else 0,
            inputs=[*body.gaps, *self._inputs(first, again)] if again else body.gaps,
            ignored=body.ignored,
            by=caller.name,
            at=first.started_at,  # until it is kept
        )

        files = self.runs.artifacts(first.id)

        def make(record: Record) -> Reproduction:
            kept = msgspec.structs.replace(made, at=record.at)
            row = {"id": kept.id, "run": require(record, run).number, "again": kept.again, "verdict": kept.verdict}
            record.connection.execute(insert(reproductions).values(**row, found=kept, at=record.at))
            if again is not None:
                draw_edge(record, source=first.ref, verb="reproduced_by", target=again.ref, project=first.project)
            attest_reproduction(record, first, files, kept)
            record.note(again=kept.again, verdict=kept.verdict, tolerance=kept.tolerance, because=kept.because)
            return kept

        return self.runs.ledger.change(
            caller, "runs.reproduce", first.ref, make, answer=Reproduction, project=first.project
        )

    def list(self, caller: Caller, *, run: str) -> Page[Reproduction]:
        """Every time that a run was done again, newest first. Raises NotFound."""
        self.runs.find(run)
        with self.runs.database.read() as connection:
            return Page(reproductions_of(connection, run))

    def _again(self, first: Run, body: RecordReproduction) -> Run | None:
        """The run that was made; None where it says why there is none. Raises BadField, NotFound."""
        if not body.again:
            if not body.because:
                raise BadField(field="because", value="nothing", expected="why it cannot be done again, or `again`")
            return None
        again = self.runs.find(body.again)
        expected = f"a run that was opened to do it again (tag {REPRODUCES}), and has ended"
        is_later = again.started_at > first.started_at and again.ended_at is not None
        if again.project != first.project or again.tags.get(REPRODUCES) != first.id or not is_later:
            raise BadField(field="again", value=repr(body.again), expected=expected)
        return again

    def _found(self, first: Run, again: Run, body: RecordReproduction) -> Found:
        """What the results of both have in common and what not."""
        names = sorted(name for name in {*first.metrics, *again.metrics} if counts(name, []))
        because = [*body.because]
        if again.status != first.status:
            said = f": {again.failure}" if again.failure else ""
            because.append(f"it {again.status} where the first run {first.status}{said}")
        return Found(
            because,
            params_apart(first.params, again.params),
            [series_gap(name, self._series(first, name), self._series(again, name)) for name in names],
            [*self._predictions(first, again)],
            self._files(first, again)[0],
        )

    def _series(self, run: Run, name: str) -> Iterator[Pair]:
        found = self.log.history(run.id, name)
        return zip(found.steps.tolist(), found.values.tolist(), strict=True)

    def _files(self, first: Run, again: Run) -> FilesApart:
        digests = [{a.path: a.digest for a in self.runs.artifacts(run.id)} for run in (first, again)]
        return files_apart(digests[0], digests[1])

    def _predictions(self, first: Run, again: Run) -> Iterator[Gap]:
        """The columns of every table of predictions of both."""
        tables = [{a.path: a for a in self.runs.artifacts(run.id) if a.predictions} for run in (first, again)]
        for path in sorted(tables[0]):
            other = tables[1].get(path)
            if other is None:
                yield Gap(path, is_equal=False, largest="Infinity", note="it made no such predictions")
            else:
                yield from self._columns(path, tables[0][path], other)

    def _columns(self, path: str, one: Artifact, other: Artifact) -> Iterator[Gap]:
        said = one.predictions
        assert said is not None
        names = [name for name in (said.label, said.prediction, said.score) if name]
        if one.digest == other.digest:
            yield from (Gap(f"{path} {name}", is_equal=True) for name in names)
            return
        data = [read_blob(self.blobs, each.digest, f"{path} of run {each.run}") for each in (one, other)]
        from taxiway.runs.again.columns import columns_apart  # brings Arrow along

        yield from (columns_apart(f"{path} {name}", name, data[0], data[1]) for name in names)

    def _inputs(self, first: Run, again: Run) -> Gaps:
        """What the two started from that is not the same."""
        texts, texts_again = self.comparisons.sources(first), self.comparisons.sources(again)
        files = sorted(file for file in {*texts, *texts_again} if texts.get(file) != texts_again.get(file))
        gaps = [InputGap("code", f"{file} is another") for file in files]
        gaps += [InputGap("data", f"it did not read {ref}") for ref in sorted({*first.inputs} - {*again.inputs})]
        gaps += [InputGap("data", f"it read {ref}") for ref in sorted({*again.inputs} - {*first.inputs})]
        sides = [self.comparisons.surroundings(run) for run in (first, again)]
        for row in sorted(params_apart(*sides), key=lambda row: row.name.startswith("package ")):
            kind: InputKind = "hardware" if row.name in HARDWARE else "environment"
            one, other = ("none" if value in (None, "") else value for value in row.values)
            gaps.append(InputGap(kind, f"{row.name}: {one} then, {other} now"))
        for tag, name in ((SEED, ""), (HASH_SEED, "of hashes: ")):
            before, now = first.tags.get(tag), again.tags.get(tag)
            if before != now:
                gaps.append(InputGap("seed", f"{name}{before or 'none'} then, {now or 'none'} now"))
        return shortened(gaps)


def without(found: Found, ignored: list[str]) -> Found:
    """What counts of what was found."""
    return msgspec.structs.replace(found, metrics=[gap for gap in found.metrics if counts(gap.name, ignored)])


def shortened(gaps: list[InputGap]) -> list[InputGap]:
    """At most so many of each kind, then how many more there are."""
    kept = []
    for kind in dict.fromkeys(gap.kind for gap in gaps):
        of_kind = [gap for gap in gaps if gap.kind == kind]
        kept += of_kind[:MOST_NAMED]
        if len(of_kind) > MOST_NAMED:
            kept.append(InputGap(kind, f"and {len(of_kind) - MOST_NAMED:,} more"))
    return kept


def reproductions_of(connection: Connection, run: str) -> list[Reproduction]:
    """All of a run, newest first."""
    query = select(reproductions.c.found).join(runs, runs.c.number == reproductions.c.run).where(runs.c.id == run)
    return [
        row.found for row in connection.execute(query.order_by(reproductions.c.at.desc(), reproductions.c.id.desc()))
    ]
