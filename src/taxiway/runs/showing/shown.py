"""Lists of runs and comparisons in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from taxiway.kernel.show import as_grid
from taxiway.runs.compare import Row, code_words
from taxiway.runs.contract import Comparison, Run
from taxiway.runs.sending.sync import Synced
from taxiway.runs.trash.trashed import Freed

MOST_METRICS = 4


def show_runs(runs: Sequence[Run]) -> str:
    """A line for each run, with the metrics that most of them have."""
    count: dict[str, int] = {}
    for run in runs:
        for name in run.metrics:
            count[name] = count.get(name, 0) + 1
    shown = sorted(count, key=lambda name: (-count[name], name))[:MOST_METRICS]
    rows = [
        [
            *(run.id, run.name, run.project, run.experiment, run.status),
            *(run.metrics.get(name) for name in shown),
            *(run.started_at if run.has_start else "not said", run.created_by),
        ]
        for run in runs
    ]
    if not rows:
        return "(none)"
    return as_grid(["id", "name", "project", "experiment", "status", *shown, "started at", "by"], rows)


def show_comparison(comparison: Comparison) -> str:
    """What differs, part by part; what is equal is only counted."""
    names = [run.name for run in comparison.runs]
    heads = [name if names.count(name) == 1 else f"{name} ({i + 1})" for i, name in enumerate(names)]
    parts = ["\n".join(f"{head}  {run.id}" for head, run in zip(heads, comparison.runs, strict=True))]
    for title in ("params", "metrics", "tags", "inputs", "environment"):
        rows: list[Row] = getattr(comparison, title)
        different = [row for row in rows if row.is_different]
        equal = len(rows) - len(different)
        lines = [[row.name, *row.values] for row in different]
        table = as_grid(["name", *heads], lines) + "\n" if lines else ""
        parts.append(f"{title}\n{table}({equal} equal)")
    parts += [change.diff for change in comparison.code]
    kept = [run.code.files if run.code else 0 for run in comparison.runs]
    if words := code_words(list(zip(heads, kept, strict=True)), comparison.code):
        parts.append(f"code\n{words}")
    return "\n\n".join(parts)


def show_synced(found: list[Synced]) -> str:
    """What was delivered late, run by run."""
    return "\n".join(map(say_synced, found)) or "Nothing waits."


def say_synced(one: Synced) -> str:
    """What became of one run.

    >>> say_synced(Synced("a1", "http://one", delivered=1, files=2, is_ended=True))
    'run a1: 1 item, 2 files and its end were delivered'
    """
    items = f"{one.delivered:,} item{'s' * (one.delivered != 1)}"  # points, parameters and tags
    files = f"{one.files:,} file{'s' * (one.files != 1)}"
    parts = [items, *([files] if one.files else []), *(["its end"] if one.is_ended else [])]
    shown = " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    text = f"run {one.run}: {shown} {'was' if shown == '1 item' else 'were'} delivered"
    text += f"; {one.waiting:,} still wait" if one.waiting else ""
    text += f"; {one.refused:,} refused" if one.refused else ""
    text += f"; {', '.join(one.made)} {'is' if len(one.made) == 1 else 'are'} there" if one.made else ""
    return f"{text}: {one.problem}" if one.problem else text


def show_freed(freed: Freed) -> str:
    """What emptying the trash gave back, and what stays because of what."""
    verb = "would be freed" if freed.is_dry else "freed"
    runs = f"{counted(freed.runs, 'run')} and {counted(freed.experiments, 'experiment')}"
    lines = [f"{runs} {verb}, and {counted(freed.files, 'file')} of {in_bytes(freed.size_bytes)}."]
    if freed.young_files:
        young = counted(freed.young_files, "file")
        lines.append(f"{young} that nothing names, sent too lately to be sure, left alone: see --grace.")
    lines += [f"kept {kept.thing}: {kept.because}" for kept in freed.kept]
    return "\n".join(lines)


def counted(count: int, one: str) -> str:
    """A count with its noun.

    >>> counted(1, "run"), counted(2000, "run")
    ('1 run', '2,000 runs')
    """
    return f"{count:,} {one}{'s' * (count != 1)}"


def in_bytes(size: int) -> str:
    """Bytes as people say them, and all of them."""
    units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
    shown = next((f" ({size / unit:.1f} {name})" for unit, name in units if size >= unit), "")
    return f"{size:,} bytes{shown}"
