"""The SDK of external endpoints, part of ``client.endpoints``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import asdict, replace

from taxiway.endpoints.contract import Revision
from taxiway.endpoints.external import contract
from taxiway.endpoints.external.contract import CaptureForm, Fed, FedRecord, FeedLog, RegisterExternal
from taxiway.endpoints.external.files import BATCH, Found, detected, paired, read
from taxiway.gates.contract import GateStage
from taxiway.kernel.errors import BadField
from taxiway.kernel.transport import Transport
from taxiway.models import contract as models_contract
from taxiway.models.client import split
from taxiway.models.predicting.signature import InputMismatch

CAPTURED_AT_ONCE = 500
CAPTURED_BYTES = 4 << 20
PLACE = re.compile(r"^(records|captured)\[(\d+)\]")

Records = Iterable[FedRecord] | Iterable[Mapping[str, Any]]


class External:
    """What `Endpoints` can do with endpoints that answer elsewhere."""

    transport: Transport

    def register_external(
        self,
        name: str,
        model: str,
        *,
        project: str = "",
        url: str = "",
        serves: GateStage = "production",
        note: str = "",
    ) -> Revision:
        """Says that a version, such as ``mortgage@2``, is served elsewhere under `name`, at `url`, from now on.

        It goes through the gates as a deployment does, and needs the same right. Nothing is started here and nothing is
        sent there. Raises GateClosed, StageNotServed, EndpointElsewhere, EndpointHere, NotFound.

        >>> client.endpoints.register_external("mortgage-eu", "mortgage@2").state  # doctest: +SKIP
        'elsewhere'
        """
        found = project or self.transport.call(models_contract.show_model, model=split(model)["model"]).project
        body = RegisterExternal(endpoint=name, project=found, version=model, url=url, serves=serves, note=note)
        return self.transport.call(contract.register_external, body)

    def feed(
        self,
        name: str,
        records: Records | str | Path | Sequence[str | Path],
        *,
        revision: int | None = None,
        check_first: bool = True,
        form: CaptureForm | None = None,
        outputs: Sequence[str] = (),
    ) -> Fed:
        """Brings what an external endpoint answered into its log: records, or files of them (JSON lines or Parquet).

        A record has `prediction_id`, `at`, `inputs`, `outputs`, and perhaps `row`, `latency_ms`, `event_at`, `error`,
        `trace_id`. What SageMaker's data capture or Azure ML's data collector wrote is known by its first line, or by
        `form`; Azure's requests and answers are given as two files. outputs: what such an answer's values without
        names are called, by default as the version does.

        What was fed before is left alone, so that the same call goes on where it was ended. A file is read twice: the
        first time only to check it, so that a bad record leaves nothing of the file in the log. revision: that
        answered; by default the active one. Raises BadField and InputMismatch, which count records from 0 through the
        whole file; TooLarge, EndpointStopped, EndpointHere, NotFound.
        """
        asked = FeedLog(revision=revision, form=form, outputs=list(outputs))
        given = records if isinstance(records, str | Path) else list(records)
        taken = Fed(0)
        for is_trial in [True, False] if check_first else [False]:
            taken = self._feed(name, given, replace(asked, is_trial=is_trial))
        return taken

    def _feed(self, name: str, given: Any, asked: FeedLog) -> Fed:
        form, found = (asked.form, found_in(given)) if asked.form else detected(found_in(given))
        if form is None:
            return self._feed_records(name, found, asked)
        taken, batch, size = Fed(0), list[Found](), 0
        for some in paired(found) if form == "azure" else ([each] for each in found):
            batch += some
            size += sum(len(msgspec.json.encode(each.values)) for each in some)
            if len(batch) >= CAPTURED_AT_ONCE or size > CAPTURED_BYTES:
                taken = joined(taken, self._feed_captured(name, batch, replace(asked, form=form)))
                batch, size = [], 0
        return joined(taken, self._feed_captured(name, batch, replace(asked, form=form))) if batch else taken

    def _feed_captured(self, name: str, batch: list[Found], asked: FeedLog) -> Fed:
        body = replace(asked, captured=[dict(each.values) for each in batch])
        try:
            return self.transport.call(contract.feed, body, endpoint=name)
        except BadField as e:
            field = PLACE.sub(lambda m: batch[int(m[2])].place, e.field)
            raise BadField(field=field, value=e.value, expected=e.expected) from e

    def _feed_records(self, name: str, found: Iterator[Found], asked: FeedLog) -> Fed:
        taken, start = Fed(0), 0
        while some := [as_record(each.values, start + n) for n, each in enumerate(islice(found, BATCH))]:
            try:
                told = self.transport.call(contract.feed, replace(asked, records=some), endpoint=name)
            except InputMismatch as e:
                raise InputMismatch(row=e.row + start, field=e.field, value=e.value, expected=e.expected) from e
            except BadField as e:
                field = PLACE.sub(lambda m: f"records[{int(m[2]) + start}]", e.field)  # noqa: B023  used at once
                raise BadField(field=field, value=e.value, expected=e.expected) from e
            taken = joined(taken, told)
            start += len(some)
        return taken


def found_in(given: Any) -> Iterator[Found]:
    """Records one by one, with where each stands. given: a path, several, or the records themselves."""
    for place, each in enumerate([given] if isinstance(given, str | Path) else given):
        if isinstance(each, str | Path):
            yield from read(Path(each))
        else:
            yield Found(f"records[{place}]", asdict(each) if isinstance(each, FedRecord) else each)


def as_record(given: Mapping[str, Any], place: int) -> FedRecord:
    """Raises BadField, naming the record and its field."""
    try:
        return msgspec.convert(given, FedRecord)
    except msgspec.ValidationError as e:
        problem, _, where = str(e).partition(" - at `$")
        field = f"records[{place}]{where.rstrip('`')}"
        raise BadField(field=field, value=str(given)[:60], expected=f"a record ({problem})") from e


def joined(one: Fed, other: Fed) -> Fed:
    """What became of two batches together."""
    conflicts = [*one.conflicts, *other.conflicts][:100]
    count = one.conflict_count + other.conflict_count
    return Fed(one.new + other.new, one.known + other.known, count, conflicts, one.unpaired + other.unpaired)
