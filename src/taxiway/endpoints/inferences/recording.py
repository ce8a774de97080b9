"""From an answer that is ready to its record: by each endpoint's policy, before the answer goes out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from msgspec import Raw

from taxiway.endpoints.blocks import MANY, BlockRows, TextRows, ToldRows
from taxiway.endpoints.gateway.spans import Span, Spans
from taxiway.endpoints.gateway.status import LogStatus
from taxiway.endpoints.inferences.masking import Kept, Mask, hash_secret
from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.endpoints.inferences.record import NULL, Abandoned, Line, Lines, Status
from taxiway.endpoints.inferences.subjects import SubjectKey, Subjects
from taxiway.endpoints.inferences.writing import InferenceLog, OpenSegment
from taxiway.endpoints.refusals import AnswerNotRecorded

PLAIN = LogPolicy("buffered")


class Served(Protocol):
    """The revision that answered."""

    @property
    def endpoint(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def model(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def bundle_digest(self) -> str: ...


class Happened(NamedTuple):
    """What is recorded of a request besides its rows.

    event_at: per row, where the caller said when. caller, trace_id, protocol, shadow: as in `record.Line`.
    parent: the caller's span; is_sampled: whether the caller's trace is kept.
    """

    prediction_id: str
    at: datetime
    latency_ms: float
    event_at: Sequence[datetime] | None = None
    caller: str = ""
    trace_id: str = ""
    protocol: str = ""
    shadow: bool = False
    parent: str = ""
    is_sampled: bool = True


class Recorder:
    """Writes the records of every endpoint as its policy says."""

    def __init__(self, home: Path, log: InferenceLog, before: Sequence[LogStatus] = ()) -> None:
        """before: what the gateway of this home said last; what it lost stays counted."""
        self.home, self.log = home, log
        for each in before:
            counts = log.counted(each.endpoint)
            counts.refused, counts.unrecorded = each.refused, each.unrecorded
        self.policies: dict[str, LogPolicy] = {}
        self.masks: dict[str, Mask] = {}
        self.subjects = Subjects(home)
        self.spans: Spans | None = None

    def apply(self, policies: dict[str, LogPolicy]) -> None:
        """Has these policies hold from now on, with durability settled in each. Raises OSError."""
        if policies == self.policies:
            return
        secret = b"" if all(each.is_plain for each in policies.values()) else hash_secret(self.home)
        self.masks = {name: Mask(name, each, secret) for name, each in policies.items() if not each.is_plain}
        self.policies = policies

    def record(
        self, served: Served, rows: Sequence[bytes], result: Sequence[bytes] | str, happened: Happened
    ) -> Awaitable[None] | None:
        """Writes a record per row. What comes back, if anything, is to be awaited before the answer goes out.

        result: an output per row, or why there is none. Raises AnswerNotRecorded, here or when awaited.
        """
        name = served.endpoint
        policy = self.policies.get(name, PLAIN)
        mask = self.masks.get(name)
        if mask is not None and isinstance(result, str) and not isinstance(result, Abandoned):
            result = kind_of_error(result)
        if self.spans is not None and happened.is_sampled:
            self.spans.add(span_of(served, len(rows), result, happened))
        if mask is not None and mask.personal:
            return self.record_personal(served, rows, result, happened)
        kept = None if mask is None else [mask.kept(row, "", None) for row in rows]
        try:
            if kept is None and len(rows) >= MANY:
                segment = self.log.append(name, [together(served, rows, result, happened)], rows=len(rows))
            else:
                segment = self.log.append(name, lines_of(served, rows, result, happened, kept))
        except OSError as e:
            self.note_failure(name, policy, e, happened.at)
            return None
        return self.settle(policy, segment, happened.at) if policy.durability == "acknowledged" else None

    async def record_personal(
        self, served: Served, rows: Sequence[bytes], result: Sequence[bytes] | str, happened: Happened
    ) -> None:
        """The same where fields are encrypted: keys may have to be made first, which takes a thread its time."""
        name = served.endpoint
        policy, mask = self.policies[name], self.masks[name]
        subjects = [mask.subject_of(row) for row in rows]
        known: dict[str, SubjectKey] = {}
        try:
            for subject in {*subjects} - {""}:
                if (key := self.subjects.known(name, subject)) is not None:
                    known[subject] = key
            if missing := {*subjects} - {""} - {*known}:
                loop = asyncio.get_running_loop()
                known |= await loop.run_in_executor(None, self.subjects.keys_for, name, missing)
            kept = [
                mask.kept(row, f"{happened.prediction_id}/{number}", known.get(subject))
                for number, (row, subject) in enumerate(zip(rows, subjects, strict=True))
            ]
            segment = self.log.append(name, lines_of(served, rows, result, happened, kept))
        except OSError as e:
            self.note_failure(name, policy, e, happened.at)
            return
        if policy.durability == "acknowledged":
            await self.settle(policy, segment, happened.at)

    async def settle(self, policy: LogPolicy, segment: OpenSegment, at: datetime) -> None:
        """Waits until the disk has the records. Raises AnswerNotRecorded."""
        try:
            await self.log.durable(segment)
        except OSError as e:
            self.note_failure(segment.endpoint, policy, e, at)

    def note_failure(self, endpoint: str, policy: LogPolicy, problem: OSError, at: datetime) -> None:
        """Counts a request that the log did not take. Raises AnswerNotRecorded where the policy refuses those."""
        counts = self.log.counted(endpoint)
        counts.problem, counts.problem_at = problem.strerror or str(problem), at
        if policy.when_full == "go-on":
            counts.unrecorded += 1
            return
        counts.refused += 1
        raise AnswerNotRecorded(endpoint=endpoint, cause=str(problem)) from problem

    def trace_to(self, url: str) -> None:
        """Has spans sent to a collector from now on; to nobody where the address is empty."""
        if url != (self.spans.url if self.spans is not None else ""):
            self.spans = Spans(url) if url else None

    def status(self) -> list[LogStatus]:
        """How the log of every endpoint does."""
        found = []
        for name in sorted({*self.policies, *self.log.counts}):
            policy, counts = self.policies.get(name, PLAIN), self.log.counted(name)
            found.append(LogStatus(name, policy.durability or "buffered", policy.when_full, **vars(counts)))
        return found

    def tick(self) -> None:
        """What must be looked after several times a second: keys that were erased are used no more."""
        if self.subjects.kept:
            self.subjects.refresh()
        if self.spans is not None:
            self.spans.tick()


def kind_of_error(problem: str) -> str:
    """What remains of a model's error where not all inputs are kept: its kind. The text may quote what was asked.

    >>> kind_of_error("ValueError: could not convert string to float: 'Ada'")
    'ValueError'
    """
    kind = problem.partition(":")[0]
    return kind if kind.isidentifier() else "an error"


def status_of(result: Sequence[bytes] | str) -> Status:
    """How a request went."""
    if isinstance(result, Abandoned):
        return "abandoned"
    return "failed" if isinstance(result, str) else "answered"


def span_of(served: Served, rows: int, result: Sequence[bytes] | str, happened: Happened) -> Span:
    """A request as a span: our own number is the random half of the prediction id."""
    began_ns = int(happened.at.timestamp() * 1e6) * 1000
    told: dict[str, str | int] = {
        "taxiway.endpoint": served.endpoint,
        "taxiway.revision": served.number,
        "taxiway.model": f"{served.model}@{served.version}",
        "taxiway.prediction_id": happened.prediction_id,
        "taxiway.rows": rows,
        "taxiway.protocol": happened.protocol or "taxiway",
    }
    return Span(
        happened.trace_id or happened.prediction_id,
        happened.prediction_id[16:],
        happened.parent,
        f"predict {served.endpoint}",
        began_ns,
        began_ns + int(happened.latency_ms * 1e6),
        told,
        result if isinstance(result, str) and status_of(result) == "failed" else "",
    )


def together(served: Served, rows: Sequence[bytes], result: Sequence[bytes] | str, happened: Happened) -> Lines:
    """The records of many rows of one request, of which the policy keeps everything."""
    return Lines(
        len(rows),
        happened.prediction_id,
        happened.at,
        served.endpoint,
        served.number,
        f"{served.model}@{served.version}",
        served.bundle_digest,
        [] if isinstance(rows, BlockRows) else [Raw(row) for row in rows],
        raws_of(result),
        round(happened.latency_ms, 3),
        status_of(result),
        [*(happened.event_at or ())],
        str(result) if isinstance(result, str) else None,
        happened.caller,
        happened.trace_id,
        happened.protocol,
        happened.shadow,
        rows.block if isinstance(rows, BlockRows) else None,
        result.told if isinstance(result, ToldRows) else None,
    )


def raws_of(result: Sequence[bytes] | str) -> list[Raw]:
    """The outputs as they came; none of a failure, nor of those that are recorded field by field."""
    if isinstance(result, TextRows):
        return result.found
    return [] if isinstance(result, str | ToldRows) else [Raw(output) for output in result]


def lines_of(
    served: Served,
    rows: Sequence[bytes],
    result: Sequence[bytes] | str,
    happened: Happened,
    kept: Sequence[Kept] | None,
) -> list[Line]:
    """The record of each row. kept: what the policy leaves of its inputs; None is all."""
    prediction_id, at, latency_ms, event_at, caller, trace_id, protocol, shadow, _, _ = happened
    error, status = str(result) if isinstance(result, str) else None, status_of(result)
    model = f"{served.model}@{served.version}"
    latency_ms = round(latency_ms, 3)
    return [
        Line(
            prediction_id,
            number,
            at,
            event_at[number] if event_at else at,
            served.endpoint,
            served.number,
            model,
            served.bundle_digest,
            Raw(row if kept is None else kept[number].inputs),
            NULL if error is not None else Raw(result[number]),
            latency_ms,
            status,
            error,
            caller,
            trace_id,
            protocol,
            shadow,
            *(() if kept is None else kept[number][1:]),
        )
        for number, row in enumerate(rows)
    ]
