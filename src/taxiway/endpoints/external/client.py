"""The SDK of external endpoints, part of ``client.endpoints``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from taxiway.endpoints.contract import Revision
from taxiway.endpoints.external import contract
from taxiway.endpoints.external.contract import Fed, FedRecord, FeedLog, RegisterExternal
from taxiway.endpoints.inferences.logs.client import needed
from taxiway.gates.contract import GateStage
from taxiway.kernel.errors import BadField
from taxiway.kernel.transport import Transport
from taxiway.models import contract as models_contract
from taxiway.models.client import split
from taxiway.models.predicting.signature import InputMismatch

BATCH = 1_000
PLACE = re.compile(r"^records\[(\d+)\]")

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
        self, name: str, records: Records | str | Path, *, revision: int | None = None, check_first: bool = True
    ) -> Fed:
        """Brings what an external endpoint answered into its log: records, or a file of them (JSON lines or Parquet).

        A record has `prediction_id`, `at`, `inputs`, `outputs`, and perhaps `row`, `latency_ms`, `event_at`, `error`,
        `trace_id`. What was fed before is left alone, so that the same call goes on where it was ended. A file is read
        twice: the first time only to check it, so that a bad record leaves nothing of the file in the log.
        revision: that answered; by default the active one. Raises BadField and InputMismatch, which count records from
        0 through the whole file; EndpointStopped, EndpointHere, NotFound.
        """
        given = list(records) if not isinstance(records, str | Path) else records
        if check_first:
            self._feed(name, given, revision, is_trial=True)
        return self._feed(name, given, revision, is_trial=False)

    def _feed(self, name: str, given: Any, revision: int | None, *, is_trial: bool) -> Fed:
        found = read(Path(given)) if isinstance(given, str | Path) else iter(given)
        taken, start = Fed(0), 0
        while some := [as_record(each, start + n) for n, each in enumerate(islice(found, BATCH))]:
            body = FeedLog(some, revision, is_trial)
            try:
                told = self.transport.call(contract.feed, body, endpoint=name)
            except InputMismatch as e:
                raise InputMismatch(row=e.row + start, field=e.field, value=e.value, expected=e.expected) from e
            except BadField as e:
                field = PLACE.sub(lambda m: f"records[{int(m[1]) + start}]", e.field)  # noqa: B023  used at once
                raise BadField(field=field, value=e.value, expected=e.expected) from e
            taken = joined(taken, told)
            start += len(some)
        return taken


def as_record(given: FedRecord | Mapping[str, Any], place: int) -> FedRecord:
    """Raises BadField, naming the record and its field."""
    if isinstance(given, FedRecord):
        return given
    try:
        return msgspec.convert(given, FedRecord)
    except msgspec.ValidationError as e:
        problem, _, where = str(e).partition(" - at `$")
        field = f"records[{place}]{where.rstrip('`')}"
        raise BadField(field=field, value=str(given)[:60], expected=f"a record ({problem})") from e


def read(path: Path) -> Iterator[Mapping[str, Any]]:
    """The records of a file, a part at a time. Raises BadField, OSError."""
    if path.suffix == ".parquet":
        yield from from_parquet(path)
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    yield msgspec.json.decode(line, type=dict[str, Any])
                except (msgspec.DecodeError, UnicodeDecodeError) as e:
                    value = line[:40].decode(errors="replace")
                    raise BadField(field=f"{path}, line {number}", value=value, expected=f"a JSON object ({e})") from e


def from_parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    """Rows of a table; `inputs` and `outputs` are structs, or JSON in texts; null is left out."""
    parquet = needed("pyarrow.parquet")
    try:
        file = parquet.ParquetFile(path)
    except ValueError as e:  # what Arrow raises for other bytes is one
        raise BadField(field=str(path), value="its bytes", expected=f"a Parquet file ({e})") from e
    for batch in file.iter_batches(batch_size=BATCH):
        for number, row in enumerate(batch.to_pylist()):
            found = {name: value for name, value in row.items() if value is not None}
            for name in ("inputs", "outputs"):
                if isinstance(found.get(name), str):
                    try:
                        found[name] = msgspec.json.decode(found[name])
                    except msgspec.DecodeError as e:
                        raise BadField(field=f"{path}, {name}", value=found[name][:40], expected=f"JSON ({e})") from e
            for name in ("at", "event_at"):
                if isinstance(found.get(name), datetime) and found[name].tzinfo is None:
                    expected = "times with their zone, such as UTC"
                    raise BadField(field=f"{path}, row {number}, {name}", value=str(found[name]), expected=expected)
                if isinstance(found.get(name), datetime):
                    found[name] = found[name].astimezone(UTC)
            yield found


def joined(one: Fed, other: Fed) -> Fed:
    """What became of two batches together."""
    conflicts = [*one.conflicts, *other.conflicts][:100]
    count = one.conflict_count + other.conflict_count
    return Fed(one.new + other.new, one.known + other.known, count, conflicts)
