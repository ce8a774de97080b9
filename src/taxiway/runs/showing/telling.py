"""What the pages of runs say, in words and rows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from taxiway.kernel.natural import natural
from taxiway.kernel.numbers import from_wire
from taxiway.runs.compare import CodeChange, Row, Scalar, code_words
from taxiway.runs.contract import Comparison, ListRuns, Run, RunStatus
from taxiway.runs.points.segments import History
from taxiway.web.numbers import duration, number
from taxiway.web.sides import Line, of_numbers, of_settings, of_texts
from taxiway.web.words import listed, plural

STATUSES: tuple[RunStatus, ...] = ("scheduled", "running", "finished", "failed", "stopped", "lost")
STEPPED = re.compile(  # one of its older clients wrote % and #
    r"images/(?P<key>[^+%]+)[+%]step[+%](?P<step>-?\d+)[+%]timestamp[+%]\d+[+%][0-9a-f-]{36}(?P<small>[+%]compressed)?\.\w+"
)
BY_FOLD = ", by fold"
SYSTEM = "system/"  # what the names of a machine's metrics begin with
MOST_FILES = 60  # whose differences are shown of one run
CHIEF = ("accuracy", "auc", "roc_auc", "log_loss", "loss")


class DiffLine(NamedTuple):
    """kind: ins, del, hunk or same."""

    kind: str
    text: str


class CodeDiffs(NamedTuple):
    """The source files of one run that differ: how many, and the first of them with their lines."""

    label: str
    total: int
    files: list[tuple[str, list[DiffLine]]]


def of_list(ask: ListRuns, counts: Mapping[str, int]) -> str:
    """How many runs there are, and how they ended."""
    total = sum(counts.values())
    where = f" in {ask.experiment}" if ask.experiment else ""
    where += f" of {ask.project}" if ask.project and ask.experiment else f" in {ask.project}" if ask.project else ""
    if total == 0:
        return f"No run{where} fits this filter" if ask.filter else f"No run yet{where}"
    parts = [f"{number(counts[status])} {status}" for status in STATUSES if counts.get(status)]
    fits = " fit this filter" if ask.filter and total > 1 else " fits this filter" if ask.filter else ""
    return f"{plural(total, 'run')}{where}{fits}: {listed(parts)}"


def of_run(run: Run, counts: Mapping[str, int]) -> str:
    """How a run stands, and some of its metrics: those measured once come first, they sum it up. counts: of points."""
    after = f" after {duration(run.took_s)}" if run.has_start else ""
    match run.status:
        case "running":
            head = f"{run.name} is running"
        case "lost":
            head = f"{run.name} is lost: nothing was heard of it for five minutes"
        case "failed":
            head = f"{run.name} failed{after}"
        case "stopped":
            head = f"{run.name} was stopped{after}"
        case _:
            head = f"{run.name} finished{after.replace(' after ', ' in ')}"
    if run.status == "failed" and run.failure:
        return f"{head}: {run.failure if len(run.failure) <= 160 else run.failure[:159] + '…'}"
    names = sorted(run.metrics, key=lambda name: (rank(name), counts.get(name, 0) > 1, natural(name)))[:3]
    measured = [f"{name} {number(from_wire(run.metrics[name]))}" for name in names]
    return f"{head} with {listed(measured)}" if measured else head


def number_of(run: Run, metric: str) -> float | None:
    """A run's newest value; None where it has none."""
    value = run.metrics.get(metric)
    return None if value is None else from_wire(value)


def of_series(key: str, found: History) -> str:
    """What a stretch of a metric holds, in a sentence."""
    if not len(found):
        return f"{key} has no point between these steps"
    finite = found.values[np.isfinite(found.values)]
    steps = f"{plural(len(found), 'point')} from step {number(int(found.steps[0]))} to {number(int(found.steps[-1]))}"
    if not finite.size:
        return f"{key}: {steps}, none of them a finite number"
    odd = len(found) - finite.size
    tail = f", {plural(odd, 'point')} not finite" if odd else ""
    return f"{key}: {steps}, lowest {number(float(finite.min()))}, highest {number(float(finite.max()))}{tail}"


def of_comparison(found: Comparison) -> str:
    """In what runs differ."""
    parts = [
        plural(count, what)
        for what, count in (
            ("parameter", different(found.params)),
            ("metric", different(found.metrics)),
            ("input", different(found.inputs)),
            ("package or platform fact", different(found.environment)),
            ("source file", len({change.file for change in found.code})),
        )
        if count
    ]
    who = listed(labels(found.runs)) if len(found.runs) <= 3 else plural(len(found.runs), "run")
    return f"{who} differ in {listed(parts)}" if parts else f"{who} are alike in everything recorded"


def of_code(runs: Sequence[Run], changes: Sequence[CodeChange]) -> str:
    """What there is to say of the code of runs beside its changes."""
    kept = [run.code.files if run.code else 0 for run in runs]
    return code_words(list(zip(labels(runs), kept, strict=True)), changes)


def different(rows: Iterable[Row]) -> int:
    return sum(row.is_different for row in rows)


def labels(runs: Sequence[Run]) -> list[str]:
    """The runs' names; those that two runs share are followed by the end of the id."""
    names = [run.name for run in runs]
    return [name if names.count(name) == 1 else f"{name} {run.id[-4:]}" for name, run in zip(names, runs, strict=True)]


def metric_lines(rows: Iterable[Row]) -> list[Line]:
    """Metrics, those first that sum a run up; of two runs each with its change."""
    lines = []
    for row in rows:
        values = [None if value is None else float(value) for value in row.values]
        lines.append(of_numbers(shown_name(row.name), values, is_different=row.is_different))
    return sorted(lines, key=lambda line: (line.name.endswith(BY_FOLD), rank(line.name)))


def plain_lines(rows: Iterable[Row]) -> list[Line]:
    """Parameters, tags and the like: numbers with as many digits as it takes to tell them apart."""
    return [plain_line(row) for row in rows]


def plain_line(row: Row) -> Line:
    numbers = [value for value in row.values if isinstance(value, float)]
    if len(numbers) == len(row.values):
        return of_settings(row.name, numbers, is_different=row.is_different)
    return of_texts(row.name, [text_of(value) for value in row.values], is_different=row.is_different)


def shown_name(metric: str) -> str:
    """What a metric is called for people: one that is logged for each fold is named so.

    >>> shown_name("fold_accuracy"), shown_name("val/fold.auc"), shown_name("folder_size")
    ('accuracy, by fold', 'val/auc, by fold', 'folder_size')
    """
    head, slash, last = metric.rpartition("/")
    for start in ("fold_", "fold."):
        if last.startswith(start) and len(last) > len(start):
            return f"{head}{slash}{last.removeprefix(start)}{BY_FOLD}"
    return metric


def shown_path(path: str) -> str:
    """What a file is called for people: pictures of MLflow's client have key, step, time and an id in their names.

    >>> shown_path("images/val~dog+step+3+timestamp+1732370000000+0e3f5c1e-3b1d-4c5e-9f52-7a1b2c3d4e5f.png")
    'val/dog, step 3'
    >>> shown_path("figures/roc.svg")
    'figures/roc.svg'
    """
    found = STEPPED.fullmatch(path)
    if found is None:
        return path
    small = ", small" if found["small"] else ""
    return f"{found['key'].replace('~', '/').replace('#', '/')}, step {found['step']}{small}"


def is_by_fold(metric: str) -> bool:
    return shown_name(metric) != metric


def is_of_machine(metric: str) -> bool:
    """Whether a metric is the machine's, not the model's."""
    return metric.startswith(SYSTEM)


def text_of(value: Scalar | None) -> str:
    if value is None:
        return "–"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def common(sides: Sequence[Mapping[str, object]]) -> list[str]:
    """The names that most sides have, the most common first."""
    count: dict[str, int] = {}
    for side in sides:
        for name in side:
            count[name] = count.get(name, 0) + 1
    return sorted(count, key=lambda name: (-count[name], natural(name)))


def rank(name: str) -> int:
    """How likely a metric is what somebody looks for first, 0 the likeliest: "test.accuracy" counts as accuracy."""
    last = name.removesuffix(BY_FOLD).replace("/", ".").rpartition(".")[2].lower()
    return CHIEF.index(last) if last in CHIEF else len(CHIEF)


def chief(sides: Sequence[Mapping[str, object]]) -> str:
    """The metric to show of several runs: of those that most have, the one that says most; "" where there is none."""
    names = common(sides)
    most = sum(names[0] in side for side in sides) if names else 0
    frequent = [name for name in names if sum(name in side for side in sides) * 2 >= most]
    return min(frequent, key=rank, default="")


def varying(sides: Sequence[Mapping[str, Scalar]], most: int) -> list[str]:
    """The names whose values differ between the sides: what is worth a column."""
    return [name for name in common(sides) if len({repr(side.get(name)) for side in sides}) > 1][:most]


def is_numeric(runs: Sequence[Run], param: str) -> bool:
    values = [run.params[param] for run in runs if param in run.params]
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def code_diffs(found: Comparison) -> list[CodeDiffs]:
    """How the source files of each later run differ from the first's."""
    sides = zip(found.runs[1:], labels(found.runs)[1:], strict=True)
    changed = [(label, [change for change in found.code if change.run == run.id]) for run, label in sides]
    return [
        CodeDiffs(label, len(changes), [(each.file, diff_lines(each.diff)) for each in changes[:MOST_FILES]])
        for label, changes in changed
        if changes
    ]


def diff_lines(diff: str) -> list[DiffLine]:
    """The lines of a unified diff of one file with what they are, without the two that name the file."""
    return patch_lines(diff.partition("\n")[2].partition("\n")[2])


def patch_lines(patch: str) -> list[DiffLine]:
    """The lines of a patch with what they are."""
    found = []
    for line in patch.splitlines():
        kind = {"+": "ins", "-": "del", "@": "hunk"}.get(line[:1], "same")
        found.append(DiffLine(kind, line))
    return found
