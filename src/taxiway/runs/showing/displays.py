"""Runs, comparisons and reproductions as notebooks show them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from taxiway.kernel.numbers import from_wire
from taxiway.kernel.rich import Link, bar, card, facts, grid, sentence

if TYPE_CHECKING:
    from taxiway.runs.again.sameness import Reproduction
    from taxiway.runs.compare import Row
    from taxiway.runs.contract import Comparison, Run


def run_html(run: Run) -> str:
    """A run with its parameters, newest metrics and data."""
    metrics = [(name, from_wire(value)) for name, value in run.metrics.items()]
    return card(
        run.name or run.id,
        run.ref,
        facts(
            [
                ("status", f"{run.status} {run.failure}".strip()),
                ("project", Link(run.project, f"project:{run.project}")),
                ("experiment", run.experiment),
                ("started", run.started_at if run.has_start else "not said"),
                ("data", ", ".join(ref.removeprefix("dataset:") for ref in run.inputs)),
                ("id", run.id),
            ]
        ),
        grid("metrics", ["metric", "newest"], metrics),
        grid("parameters", ["parameter", "value"], list(run.params.items())),
    )


def comparison_html(found: Comparison) -> str:
    """Runs side by side: every metric with a bar for each run, and what else differs."""
    names = [run.name or run.id for run in found.runs]
    parts = [grid("runs", ["run", "status"], [[Link(run.name or run.id, run.ref), run.status] for run in found.runs])]
    parts.append(
        grid("metrics", ["", "metric", *(n for name in names for n in (name, ""))], metric_rows(found.metrics))
    )
    for title, rows in (
        ("parameters", found.params),
        ("tags", found.tags),
        ("data", found.inputs),
        ("environment", found.environment),
    ):
        different = [[row.name, *row.values] for row in rows if row.is_different]
        parts.append(grid(f"{title} that differ", ["name", *names], different))
    parts.append(sentence(", ".join(sorted({change.file for change in found.code}))))
    return card(" and ".join(names), "", *parts)


def metric_rows(rows: list[Row]) -> list[list[object]]:
    shown: list[list[object]] = []
    for row in rows:
        values = [from_wire(value) if value is not None else None for value in row.values]  # type: ignore[arg-type]
        largest = max((abs(v) for v in values if v is not None and math.isfinite(v)), default=0.0)
        pairs = [part for value in values for part in (value, bar(value, largest))]
        shown.append(["≠" if row.is_different else "=", row.name, *pairs])
    return shown


def reproduction_html(found: Reproduction) -> str:
    """The verdict, and what differs."""
    from taxiway.runs.again.verdicts import sentence as words

    gaps = [gap for gap in (*found.metrics, *found.predictions) if not gap.is_equal]
    return card(
        found.verdict,
        f"run:{found.run}",
        sentence(words(found)),
        facts([("done again as", Link(found.again, f"run:{found.again}") if found.again else "")]),
        grid("results", ["result", "largest difference", ""], [[g.name, from_wire(g.largest), g.note] for g in gaps]),
        grid("what it started from", ["what", "difference"], [[gap.kind, gap.what] for gap in found.inputs]),
    )
