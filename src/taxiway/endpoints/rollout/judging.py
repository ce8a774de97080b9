"""A shadow held against what callers got: its comparisons joined with the rows that were asked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from taxiway.endpoints.inferences.log import read
from taxiway.endpoints.rollout.cohorts import concentrated
from taxiway.endpoints.rollout.comparisons import Compared, latest
from taxiway.endpoints.rollout.contract import AskComparison, Difference, ShadowComparison
from taxiway.endpoints.rollout.guard import interval
from taxiway.endpoints.service import Endpoints
from taxiway.kernel.caller import Caller

MOST_ROWS = 20_000
EARLIER = timedelta(minutes=2)


class Comparing:
    """Tells where a shadow differs."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints

    def compare(self, caller: Caller, body: AskComparison, *, endpoint: str, number: int) -> ShadowComparison:
        """The latest 20,000 rows that a shadow answered as well. Raises NotFound."""
        self.endpoints.revision(caller, endpoint=endpoint, number=number)
        return comparison_of(self.endpoints.home, endpoint, number, body.rows)


def comparison_of(home: Path, endpoint: str, shadow: int, rows: int) -> ShadowComparison:
    found = latest(home, endpoint, shadow, MOST_ROWS)
    compared = [each for each in found if each.shadow_outputs is not None]
    agreed = sum(each.agrees for each in compared)
    inputs = inputs_of(home, endpoint, found)
    known = [each for each in compared if (each.prediction_id, each.row) in inputs]
    asked = [inputs[(each.prediction_id, each.row)] for each in known]
    differing = [each for each in reversed(found) if not each.agrees][:rows]
    return ShadowComparison(
        endpoint,
        shadow,
        len(compared),
        agreed,
        *interval(agreed, len(compared)),
        looked_at=len(known),
        cohorts=concentrated(asked, [not each.agrees for each in known]),
        differences=[
            Difference(
                each.prediction_id,
                each.row,
                each.at,
                each.revision,
                each.outputs,
                each.shadow_outputs,
                inputs.get((each.prediction_id, each.row), {}),
            )
            for each in differing
        ],
    )


def inputs_of(home: Path, endpoint: str, found: list[Compared]) -> dict[tuple[str, int], dict[str, Any]]:
    """What was asked, by prediction id and row, as far as the log still has it."""
    if not found:
        return {}
    wanted = {(each.prediction_id, each.row) for each in found}
    # A record is made a moment before its comparison, and a request waits for half a minute at most.
    table = read(home, endpoint, since=found[0].at.replace(microsecond=0) - EARLIER)
    columns = (table[name].to_pylist() for name in ("prediction_id", "row", "inputs", "shadow"))
    return {
        (id_, row): msgspec.json.decode(text)
        for id_, row, text, is_shadow in zip(*columns, strict=True)
        if (id_, row) in wanted and text is not None and not is_shadow
    }
