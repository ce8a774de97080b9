"""The columns of the table of runs: which are shown, by what each is ordered, and what stands in its cells. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from taxiway.kernel.errors import BadField
from taxiway.runs.compare import Scalar
from taxiway.runs.contract import Run
from taxiway.runs.search.filter import NOTE, Field, render_field
from taxiway.runs.search.parsing import parse_order
from taxiway.runs.showing.telling import common, is_numeric, number_of, text_of, varying
from taxiway.web.numbers import number

MOST_COLUMNS = 30
MOST_OFFERED = 60  # names of each kind; any other can be written into the URL
VARYING = 3  # parameters shown where nobody chose
LONGEST_TEXT = 60

Look = Literal["number", "text", "time", "took", "seconds", "course"]
Cell = str | float | datetime | None

FACTS = {"experiment": "experiment", "created_by": "by", "user": "user", "started_at": "started", "ended_at": "ended"}
TIMES = {"duration_s": "took", "cpu_s": "processor time"}
LOOKS: dict[str, Look] = {"started_at": "time", "ended_at": "time", "duration_s": "took", "cpu_s": "seconds"}


class TableColumn(Struct, frozen=True):
    """key: as the URL and an order name it; "" for what cannot be ordered. is_right: numbers, on their points."""

    key: str
    label: str
    look: Look
    field: Field

    @property
    def head(self) -> tuple[str, ...]:
        return (self.key, self.label, "num") if self.look in ("number", "took", "seconds") else (self.key, self.label)

    def cell(self, run: Run) -> Cell:
        """What a run has here; None where it has nothing."""
        kind, name = self.field.kind, self.field.name
        if kind == "metrics":
            return number_of(run, name)
        if kind == "params":
            return param_text(run.params[name]) if name in run.params else None
        if kind == "tags":
            return shortened(run.tags[name]) if name in run.tags else None
        found: Cell = None if name == "duration_s" else getattr(run, name)
        return found


def column(field: Field, runs: Sequence[Run]) -> TableColumn:
    """The column of a field, as it suits what these runs have there."""
    key = render_field(field)
    if field.kind == "metrics":
        return TableColumn(key, field.name, "number", field)
    if field.kind == "params":
        return TableColumn(key, field.name, "number" if is_numeric(runs, field.name) else "text", field)
    if field.kind == "tags":
        return TableColumn(key, "note" if field.name == NOTE else field.name, "text", field)
    label = {**FACTS, **TIMES}.get(field.name, field.name)
    return TableColumn(key, label, LOOKS.get(field.name, "text"), field)


def read_columns(keys: Sequence[str]) -> list[Field]:
    """The fields that a URL names as columns. Raises BadField."""
    if len(keys) > MOST_COLUMNS:
        raise BadField(field="col", value=f"{len(keys)} columns", expected=f"at most {MOST_COLUMNS}")
    fields: list[Field] = []
    for key in keys:
        fields += [one.field for one in parse_order(key) if one.field not in fields]
    return fields


def usual_columns(runs: Sequence[Run], metric: str) -> list[Field]:
    """What is shown where nobody chose: the metric, the parameters that differ, and where from and when."""
    found = [Field("metrics", metric)] if metric else []
    found += [Field("params", name) for name in varying([run.params for run in runs], VARYING)]
    return [*found, *(Field("run", name) for name in ("experiment", "created_by", "started_at", "duration_s"))]


def offered(runs: Sequence[Run], shown: Sequence[Field]) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """What may be chosen, by kind: key, label, and whether it is shown. All that is shown is offered."""
    kinds = [
        ("Metrics", [Field("metrics", name) for name in common([run.metrics for run in runs])]),
        ("Parameters", [Field("params", name) for name in common([run.params for run in runs])]),
        (
            "Tags",
            [Field("tags", name) for name in common([run.tags for run in runs]) if not name.startswith("mlflow.")],
        ),
        ("Run", [Field("tags", NOTE), *(Field("run", name) for name in (*FACTS, *TIMES))]),
    ]
    chosen = set(shown)
    groups = []
    for title, fields in kinds:
        there = fields[:MOST_OFFERED]
        kind = {"Metrics": "metrics", "Parameters": "params", "Tags": "tags", "Run": "run"}[title]
        there += [field for field in shown if field.kind == kind and field not in there and field.name != NOTE]
        if there:
            columns = [column(field, runs) for field in there]
            groups.append((title, [(one.key, one.label, one.field in chosen) for one in columns]))
    return groups


def param_text(value: Scalar) -> str:
    """A parameter for a narrow column: four digits of a number, the first line of a text."""
    return number(value, 4) if isinstance(value, float) else shortened(text_of(value))


def shortened(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= LONGEST_TEXT else f"{line[: LONGEST_TEXT - 1]}…"
