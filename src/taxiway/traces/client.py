"""The SDK of traces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from taxiway.kernel.transport import Transport
from taxiway.traces import contract
from taxiway.traces.contract import ListTraces, Trace, TraceWithSpans

AT_ONCE = 100


class Traces:
    """What programs told of the requests that went through them: ``client.traces``."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def list(
        self,
        filter: str = "",  # noqa: A002 - the word that CLI, URL and documents use
        *,
        project: str = "",
        experiment: int | None = None,
        limit: int = 50,
    ) -> Sequence[Trace]:
        """The newest traces that a filter lets through, such as ``status = 'ERROR' and tags.team = 'search'``."""
        found: list[Trace] = []
        for trace in self.each(filter, project=project, experiment=experiment):
            if len(found) == limit:
                break
            found.append(trace)
        return found

    def each(
        self,
        filter: str = "",  # noqa: A002 - the same
        *,
        project: str = "",
        experiment: int | None = None,
    ) -> Iterator[Trace]:
        """All of them, asked for page by page."""
        after: str | None = ""
        while after is not None:
            ask = ListTraces(project=project, experiment=experiment, filter=filter, limit=AT_ONCE, after=after)
            page = self.transport.call(contract.list_traces, ask)
            yield from page.items
            after = page.next

    def show(self, trace: str) -> TraceWithSpans:
        """A trace with its spans, by time. Raises NotFound."""
        return self.transport.call(contract.show_trace, trace=trace)
