"""What is different about a version: its own facts and those of its run, held against another version."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from taxiway.kernel.caller import Caller
from taxiway.models.contract import ModelVersion
from taxiway.runs.compare import CodeChange, Row, Scalar
from taxiway.runs.comparison import Comparisons
from taxiway.runs.contract import CompareRuns
from taxiway.runs.showing.telling import of_code
from taxiway.web.numbers import number, signed, size
from taxiway.web.words import plural

Line = tuple[str, list[str], bool, str]  # as parts.compare takes it: name, values, whether they differ, the change


class Changes(Struct, frozen=True):
    """Versions side by side, part by part. code: how the sources of each later one differ from the first's.
    code_words: what there is to say beside that."""

    versions: list[ModelVersion]
    facts: list[Line]
    metrics: list[Line]
    params: list[Line]
    data: list[Line]
    environment: list[Line]
    code: list[CodeChange]
    code_words: str


def changes(caller: Caller, versions: Sequence[ModelVersion], comparisons: Comparisons) -> Changes:
    """Where one of them has no run, or all have the same, only the versions' own facts are compared."""
    runs = [version.run for version in versions if version.run]
    found = None
    if len(runs) == len(versions) and len(set(runs)) == len(runs):
        found = comparisons.compare(caller, CompareRuns(run=runs))
    return Changes(
        versions=list(versions),
        facts=facts(versions),
        metrics=[line(row) for row in found.metrics] if found else [],
        params=[line(row) for row in found.params] if found else [],
        data=[line(row) for row in found.inputs] if found else [],
        environment=[line(row) for row in found.environment] if found else [],
        code=found.code if found else [],
        code_words=of_code(found.runs, found.code) if found else "The code cannot be compared: each needs its own run.",
    )


def facts(versions: Sequence[ModelVersion]) -> list[Line]:
    sides: list[tuple[str, list[str]]] = [
        ("flavour", [version.flavour for version in versions]),
        ("decision threshold", [number(version.threshold) for version in versions]),
        ("inputs", [plural(len(version.signature.inputs), "column") for version in versions]),
        ("evaluated on", [judged_on(version) for version in versions]),
        ("size", [size(version.size_bytes) for version in versions]),
    ]
    return [(name, values, len(set(values)) > 1, "") for name, values in sides]


def judged_on(version: ModelVersion) -> str:
    evaluation = version.evaluation
    return f"{number(evaluation.rows)} predictions, {evaluation.split}".rstrip(", ") if evaluation else "–"


def line(row: Row) -> Line:
    """A row of a comparison of runs. Of two numbers that differ, the change is told too."""
    change = ""
    if row.is_different and len(row.values) == 2:
        before, after = row.values
        if is_number(before) and is_number(after):
            change = signed(float(after or 0) - float(before or 0), 4)
    return row.name, [shown(value) for value in row.values], row.is_different, change


def is_number(value: Scalar | None) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def shown(value: Scalar | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value, 4)
    return value or "–"
