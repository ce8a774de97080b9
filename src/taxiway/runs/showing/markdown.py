"""Two runs side by side in Markdown: the table that a pull request gets."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from taxiway.kernel.numbers import from_wire
from taxiway.kernel.show import as_markdown, cell, plain
from taxiway.runs.again.sameness import counts
from taxiway.runs.compare import CodeChange, Row, Scalar, code_words
from taxiway.runs.contract import Comparison, Run

MOST_FILES = 30


def comparison_markdown(comparison: Comparison) -> str:
    """What differs between runs, with a mark. What the machines did meanwhile is left out."""
    measured = [row for row in comparison.metrics if counts(row.name, [])]
    comparison = msgspec.structs.replace(comparison, metrics=measured)
    heads = [plain(run.name or run.id) for run in comparison.runs]
    if len(set(heads)) < len(heads):
        heads = [f"{head} ({number})" for number, head in enumerate(heads, start=1)]
    lines = [f"### {' → '.join(heads)}", verdict(comparison)]
    lines += [f"| run | id | status |\n|---|---|---|\n{runs_rows(heads, comparison.runs)}"]
    if comparison.metrics:
        lines.append(metrics_table(comparison.metrics, heads))
    for title, rows in (
        ("parameter", comparison.params),
        ("data", comparison.inputs),
        ("environment", comparison.environment),
    ):
        if different := [row for row in rows if row.is_different]:
            table = [[row.name, *(shown(value) for value in row.values)] for row in different]
            lines.append(as_markdown([title, *heads], table))
    lines.append(code_table(comparison, heads))
    return "\n\n".join(lines)


def verdict(comparison: Comparison) -> str:
    """What differs, counted, in a sentence."""
    changed = [
        counted(sum(row.is_different for row in rows), word)
        for rows, word in (
            (comparison.metrics, "metric"),
            (comparison.params, "parameter"),
            (comparison.inputs, "dataset"),
            (comparison.environment, "environment fact"),
        )
        if any(row.is_different for row in rows)
    ]
    if comparison.code:
        changed.append(counted(len({change.file for change in comparison.code}), "source file"))
    failed = [run for run in comparison.runs if run.status != "finished"]
    states = [f"**{plain(run.name)} is {run.status}**." for run in failed]
    said = f"**What differs:** {', '.join(changed)}." if changed else "**Nothing differs.**"
    return " ".join([*states, said])


def counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def runs_rows(heads: Sequence[str], runs: Sequence[Run]) -> str:
    return "\n".join(f"| {head} | `{run.id}` | {run.status} |" for head, run in zip(heads, runs, strict=True))


def metrics_table(rows: Sequence[Row], heads: Sequence[str]) -> str:
    """Every metric, those that differ first and marked, with the change from the first run to the last."""
    ordered = sorted(rows, key=lambda row: not row.is_different)
    table = [
        ["≠" if row.is_different else "=", row.name, *(shown(value) for value in row.values), change(row)]
        for row in ordered
    ]
    return as_markdown(["", "metric", *heads, "change"], table)


def change(row: Row) -> str:
    """From the first value to the last, absolute and in percent; empty where there is no such number."""
    first, last = (number_of(value) for value in (row.values[0], row.values[-1]))
    if first is None or last is None or not row.is_different:
        return ""
    percent = f" ({(last - first) / abs(first):+.2%})" if first else ""
    return f"{last - first:+.4g}{percent}"


def number_of(value: Scalar | None) -> float | None:
    if isinstance(value, bool) or value is None or (isinstance(value, str) and value not in WORDS):
        return None
    return from_wire(value)  # type: ignore[arg-type]  # one of its words


WORDS = ("NaN", "Infinity", "-Infinity")


def shown(value: Scalar | None) -> str:
    return "–" if value is None else cell(value)


def code_table(comparison: Comparison, heads: Sequence[str]) -> str:
    """The files that changed, with how many lines; or why they cannot be compared."""
    kept = [run.code.files if run.code else 0 for run in comparison.runs]
    words = code_words(list(zip(heads, kept, strict=True)), comparison.code)
    if not comparison.code:
        return words
    rows = [[change.file, *lines_of(change)] for change in comparison.code[:MOST_FILES]]
    more = len(comparison.code) - MOST_FILES
    return as_markdown(["source", "added", "removed"], rows) + (f"\n\nand {more:,} more files" if more > 0 else "")


def lines_of(change: CodeChange) -> tuple[int, int]:
    """How many lines a diff adds and takes away."""
    lines = change.diff.splitlines()[2:]
    return sum(line.startswith("+") for line in lines), sum(line.startswith("-") for line in lines)
