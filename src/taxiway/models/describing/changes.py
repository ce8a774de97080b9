"""What is different about a version: its own facts and those of its run, held against another version."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from taxiway.kernel.caller import Caller
from taxiway.models.contract import ModelVersion
from taxiway.runs.compare import CodeChange
from taxiway.runs.comparison import Comparisons
from taxiway.runs.contract import CompareRuns
from taxiway.runs.showing.telling import is_by_fold, is_of_machine, metric_lines, of_code, plain_lines
from taxiway.web.numbers import number, size
from taxiway.web.sides import Line, of_texts
from taxiway.web.words import plural


class Changes(Struct, frozen=True):
    """Versions side by side, part by part.

    machine: what the machine measured while they were made. code: how the sources of each later one differ from the
    first's. code_words: what there is to say beside that.
    """

    versions: list[ModelVersion]
    facts: list[Line]
    metrics: list[Line]
    machine: list[Line]
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
        metrics=metric_lines(row for row in found.metrics if is_chief(row.name)) if found else [],
        machine=metric_lines(row for row in found.metrics if is_of_machine(row.name)) if found else [],
        params=plain_lines(found.params) if found else [],
        data=plain_lines(found.inputs) if found else [],
        environment=plain_lines(found.environment) if found else [],
        code=found.code if found else [],
        code_words=of_code(found.runs, found.code) if found else "The code cannot be compared: each needs its own run.",
    )


def is_chief(metric: str) -> bool:
    """Whether a metric sums up how good a model is: not of one fold, nor of the machine."""
    return not is_by_fold(metric) and not is_of_machine(metric)


def facts(versions: Sequence[ModelVersion]) -> list[Line]:
    sides: list[tuple[str, list[str]]] = [
        ("flavour", [version.flavour for version in versions]),
        ("decision threshold", [number(version.threshold) for version in versions]),
        ("inputs", [plural(len(version.signature.inputs), "column") for version in versions]),
        ("evaluated on", [judged_on(version) for version in versions]),
        ("size", [size(version.size_bytes) for version in versions]),
    ]
    return [of_texts(name, values, is_different=len(set(values)) > 1) for name, values in sides]


def judged_on(version: ModelVersion) -> str:
    evaluation = version.evaluation
    return f"{number(evaluation.rows)} predictions, {evaluation.split}".rstrip(", ") if evaluation else "–"
