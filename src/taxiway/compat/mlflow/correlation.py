"""MLflow's call that tells how far two kinds of traces coincide: pointwise mutual information, normalised (NPMI)."""

from __future__ import annotations

import math

from msgspec import Struct

from taxiway.access.service import Access
from taxiway.compat.mlflow import names
from taxiway.compat.mlflow.call import Call, Given
from taxiway.compat.mlflow.door import Dialect
from taxiway.kernel.caller import Caller
from taxiway.kernel.numbers import Number, to_wire
from taxiway.traces.filter import parse_filter
from taxiway.traces.query import Search
from taxiway.traces.service import Traces

JEFFREYS = 0.5  # added to each cell of the table, so that few traces do not make certain


class Correlate(Struct, frozen=True):
    """base_filter: the traces that are looked at; those of both other filters are among them."""

    experiment_ids: list[str]
    filter_string1: Given
    filter_string2: Given
    base_filter: str = ""


class Correlation(Struct, frozen=True):
    npmi: Number
    npmi_smoothed: Number
    filter1_count: int
    filter2_count: int
    joint_count: int
    total_count: int


correlate = Call(
    "POST",
    "/mlflow/traces/calculate-filter-correlation",
    Correlate,
    Correlation,
    "runs.read",
    "platform",
    ("3.0",),
)


class CorrelationCalls:
    """The handler. It counts only what the caller may see."""

    def __init__(self, traces: Traces, access: Access) -> None:
        self.traces = traces
        self.access = access

    def bind(self, dialect: Dialect) -> None:
        dialect.serve(correlate, self.correlate)

    def correlate(self, caller: Caller, ask: Correlate) -> Correlation:
        visible = self.access.visible(caller)
        experiments = tuple(names.experiment_number(one) for one in ask.experiment_ids)
        base, first, second = (
            tuple(parse_filter(one)) for one in (ask.base_filter, ask.filter_string1, ask.filter_string2)
        )
        kinds = (base, base + first, base + second, base + first + second)
        projects = None if visible is None else tuple(visible)
        searches = [Search(terms=kind, experiments=experiments, projects=projects) for kind in kinds]
        total, ones, others, both = self.traces.count_found(searches)
        return Correlation(
            npmi=to_wire(npmi(both, ones, others, total)),
            npmi_smoothed=to_wire(npmi(both, ones, others, total, added=JEFFREYS)),
            filter1_count=ones,
            filter2_count=others,
            joint_count=both,
            total_count=total,
        )


def npmi(both: int, ones: int, others: int, total: int, *, added: float = 0.0) -> float:
    """From -1 for what never coincides over 0 for chance to 1 for what always does; NaN where one never happens.

    ``ln(p(x, y) / (p(x) p(y))) / -ln p(x, y)`` (Bouma, 2009). added: to each of the four cells of the table, of which
    what always coincides takes no notice.

    >>> npmi(10, 20, 15, 100), npmi(5, 5, 5, 5), npmi(0, 3, 4, 9)
    (0.5228787452803376, 1.0, -1.0)
    """
    if ones == 0 or others == 0:
        return math.nan
    if both == total:
        return 1.0
    x_and_y = both + added
    if x_and_y == 0:
        return -1.0
    whole, x, y = total + 4 * added, ones + 2 * added, others + 2 * added
    found = math.log(x_and_y * whole / (x * y)) / -math.log(x_and_y / whole)
    return max(-1.0, min(1.0, found))
