"""The SDK of inference logs."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from taxiway.endpoints.inferences.logs import contract
from taxiway.endpoints.inferences.logs.contract import (
    MOST_RECORDS,
    AskLog,
    EndpointLog,
    Erased,
    EraseSubject,
    FetchLog,
    KeepLog,
    LogAnswer,
    LogChecked,
    LogRecord,
)
from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.kernel.errors import BadField
from taxiway.kernel.transport import Transport

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

POLL_S = 1.0
OVERLAP = "1 min"  # a slow request's record comes after those of quicker ones that began later


class InferenceLog:
    """The inference log of one endpoint: what it answered, how that is kept, and whose fields are erased."""

    def __init__(self, transport: Transport, name: str) -> None:
        self.transport, self.name = transport, name

    # --- what it holds ---

    def records(
        self, *, where: str = "", since: str = "", until: str = "", limit: int = 100, shadows: bool = False
    ) -> LogAnswer:
        """The newest records that meet a condition, newest first; at most ten thousand. Raises BadField, NotFound.

        shadows: what shadows said in place of what callers were answered.

        >>> client.endpoints.inferences("mortgage").records(where="latency_ms > 50", since="1h")  # doctest: +SKIP
        """
        return self.transport.call(contract.ask_log, AskLog(where, since, until, limit, shadows), endpoint=self.name)

    def table(self, *, where: str = "", since: str = "", until: str = "", shadows: bool = False) -> pa.Table:
        """Every record that meets a condition as an Arrow table, oldest first; `inputs` and `outputs` are JSON texts.

        where: such as ``latency_ms > 50 and inputs.district = "north"``. since, until: a span such as ``1h``, or a
        date. shadows: what shadows said in place of what callers were answered. Raises BadField, LogTooSlow, NotFound.

        >>> table = client.endpoints.inferences("mortgage").table(where="score < 0.5", since="1 day")  # doctest: +SKIP
        >>> table.num_rows  # doctest: +SKIP
        12
        """
        target = io.BytesIO()
        asked = FetchLog(where, since, until, shadows)
        self.transport.download(contract.fetch_log, target, asked, endpoint=self.name)
        found: pa.Table = needed("pyarrow").ipc.open_stream(target.getvalue()).read_all()
        return found.sort_by([("at", "ascending"), ("prediction_id", "ascending"), ("row", "ascending")])

    def relation(
        self, *, where: str = "", since: str = "", until: str = "", shadows: bool = False
    ) -> duckdb.DuckDBPyRelation:
        """The same as a relation of DuckDB, to go on with in SQL. Raises as `table`."""
        table = self.table(where=where, since=since, until=until, shadows=shadows)
        found: duckdb.DuckDBPyRelation = needed("duckdb").from_arrow(table)
        return found

    def follow(
        self, *, where: str = "", since: str = "1 min", poll_s: float = POLL_S, shadows: bool = False
    ) -> Iterator[LogRecord]:
        """The records that meet a condition as they come, for ever; each once, those of `since` first."""
        seen: dict[tuple[str, int, bool], None] = {}
        asked = since
        while True:
            found = self.records(where=where, since=asked, limit=MOST_RECORDS, shadows=shadows).records
            for record in reversed(found):
                key = (record.prediction_id, record.row, record.shadow)
                if key not in seen:
                    seen[key] = None
                    yield record
            for key in list(seen)[: -2 * MOST_RECORDS]:
                del seen[key]
            asked = OVERLAP
            time.sleep(poll_s)

    def check(self) -> LogChecked:
        """Whether its sealed files are as they were sealed. Raises NotFound."""
        return self.transport.call(contract.check_log, endpoint=self.name)

    # --- how it is kept ---

    def show(self) -> EndpointLog:
        """How it is kept and how it does. Raises NotFound."""
        return self.transport.call(contract.show_log, endpoint=self.name)

    def keep(self, policy: LogPolicy, *, reason: str = "") -> EndpointLog:
        """Has it kept like this from now on. Raises BadField, DurabilityAsked, NotFound.

        >>> policy = LogPolicy(personal=("name", "street"), subject="customer", keep_days=365)
        >>> client.endpoints.inferences("mortgage").keep(policy, reason="DPIA of May")  # doctest: +SKIP
        """
        return self.transport.call(contract.keep_log, KeepLog(policy, reason), endpoint=self.name)

    def erase(self, subject: str, *, reason: str) -> Erased:
        """Makes a subject's personal fields unreadable in every record, for ever. Raises LogHeld, NotFound."""
        return self.transport.call(contract.erase_subject, EraseSubject(subject, reason), endpoint=self.name)


def needed(library: str) -> Any:
    """A library that the client does without. Raises BadField where it is not installed."""
    try:
        return import_module(library)
    except ImportError as e:
        expected = f"{library}, which `pip install {library}` brings"
        raise BadField(field="a table", value="what is installed", expected=expected) from e
