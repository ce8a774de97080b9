"""What an import or an export says at its end."""

from __future__ import annotations

from msgspec import Struct

from taxiway.imports.contract import Counts, Skipped

MOST_LINES = 20
COUNTED = (
    *("experiments", "runs", "params", "tags", "points", "inputs", "files", "logged", "measures", "uses"),
    *("models", "versions", "aliases", "traces", "spans", "remarks"),
)
SHOWN = {"inputs": "data read", "logged": "logged models", "measures": "their metrics", "uses": "uses of them"}
NOUNS = SHOWN | {"inputs": "data sets read", "measures": "metrics of these", "uses": "uses of these"}
# Where less of it is here, something was not taken; files may have been left on purpose, aliases to the gates.
WHOLE = tuple(name for name in COUNTED if name not in ("files", "aliases"))


class Report(Struct, frozen=True, kw_only=True):
    """What is on both sides after an import. skipped: what was not taken as it was. left: what waits for somebody."""

    source: str
    origin: str
    project: str
    there: Counts
    here: Counts
    new_runs: int
    new_points: int
    new_files: int
    copied_bytes: int
    took_s: float
    rows_per_s: int
    infinities: int
    skipped: list[Skipped]
    left: list[str]

    @property
    def is_whole(self) -> bool:
        """Whether all of it is here: nothing is counted less often, and nothing was left out."""
        is_counted = all(getattr(self.here, name) >= getattr(self.there, name) for name in WHOLE)
        return is_counted and not any(one.is_lost for one in self.skipped)


class Exported(Struct, frozen=True):
    """What an export wrote."""

    folder: str
    wrote: Counts
    skipped: list[Skipped]


def show_report(report: Report) -> str:
    """The counts side by side, then what was skipped and what is left to do."""
    lines = [f"From {report.origin}", "", f"{'':<14}{'there':>14}{'here':>14}"]
    for name in COUNTED:
        there, here = getattr(report.there, name), getattr(report.here, name)
        if name == "files":
            lines.append(f"{name:<14}{'not counted':>14}{here:>14,}   {size_of(report.here.file_bytes)}")
        elif name == "points" and here and not there:  # over HTTP they are known only once they are read
            lines.append(f"{name:<14}{'not counted':>14}{here:>14,}")
        elif there or here:
            is_fewer = here < there and name in WHOLE
            shown = SHOWN.get(name, name)
            lines.append(f"{shown:<14}{there:>14,}{here:>14,}{'   ▲ fewer' if is_fewer else ''}")
    lines += [
        "",
        f"New now: {report.new_runs:,} runs, {report.new_points:,} points, {report.new_files:,} files.",
        f"{report.copied_bytes:,} bytes copied; {report.took_s:.1f} s, {report.rows_per_s:,} rows/s.",
    ]
    if report.infinities:
        lines.append(
            f"{report.infinities:,} values of ±1.7976931348623157e308 stood for infinities, and are that again."
        )
    lines += listed("Left for you", report.left)
    lines += listed("Not taken as it was", told(report.skipped))
    return "\n".join(lines)


def told(skipped: list[Skipped]) -> list[str]:
    """What was left out, a line each; what many share for one reason is said once, with how many there are."""
    alike: dict[tuple[str, str], list[str]] = {}
    for one in skipped:
        alike.setdefault((one.kind, one.problem), []).append(one.name)
    return [
        f"{kind} {names[0]}: {problem}"
        if len(names) == 1
        else f"{len(names):,} × {kind}, such as {names[0]}: {problem}"
        for (kind, problem), names in alike.items()
    ]


def one_of(noun: str) -> str:
    return "alias" if noun == "aliases" else noun.removesuffix("s")


def size_of(size: int) -> str:
    """Bytes as people say them.

    >>> size_of(298), size_of(30070), size_of(5_600_000)
    ('298 bytes', '30.1 kB', '5.6 MB')
    """
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1e3:,.1f} kB" if size < 1e6 else f"{size / 1e6:,.1f} MB"


def listed(title: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    more = [f"  … and {len(lines) - MOST_LINES:,} more (--json lists them)"] if len(lines) > MOST_LINES else []
    return ["", f"{title}:", *(f"  {line}" for line in lines[:MOST_LINES]), *more]


def show_export(done: Exported) -> str:
    wrote = [(getattr(done.wrote, name), NOUNS.get(name, name)) for name in COUNTED]
    counts = ", ".join(f"{count:,} {one_of(noun) if count == 1 else noun}" for count, noun in wrote if count)
    lines = [
        f"Wrote {counts or 'nothing'} to {done.folder}.",
        "Open it with MLFLOW_ALLOW_FILE_STORE=true and that folder as MLFLOW_TRACKING_URI,",
        "or turn it into a database with `mlflow migrate-filestore`.",
    ]
    lines += listed("Not written", told(done.skipped))
    return "\n".join(lines)
