"""What the run that made a version recorded: its method, code, packages, machine, data and whether it was repeated."""

from __future__ import annotations

from taxiway.dossiers.documents.contract import Grid, Said
from taxiway.dossiers.documents.facts import Data, Facts
from taxiway.runs.contract import CHANGES, NOTEBOOK, SOURCES

MOST_ROWS = 60


def method(facts: Facts) -> Said | None:
    run = facts.run
    if run is None:
        return None
    text = [f"Run {run.name} of the experiment {run.experiment}, by {run.created_by}, {run.started_at:%Y-%m-%d}"]
    text += [f"Command: {' '.join(run.command)}"] if run.command else []
    text += [f"Its model is of the flavour {facts.version.flavour}"] if facts.version.flavour else []
    return Said(text, refs=[run.ref])


def parameters(facts: Facts) -> Said | None:
    run = facts.run
    if run is None or not run.params:
        return None
    return Said(
        [], Grid(["parameter", "value"], cut([[k, str(v)] for k, v in sorted(run.params.items())])), refs=[run.ref]
    )


def metrics(facts: Facts) -> Said | None:
    """What the run itself measured, the objective among it."""
    run = facts.run
    if run is None or not run.metrics:
        return None
    rows = [[name, f"{float(value):.4g}"] for name, value in sorted(run.metrics.items())]
    return Said([], Grid(["metric", "value"], cut(rows)), refs=[run.ref])


def code(facts: Facts) -> Said | None:
    run = facts.run
    if run is None or run.code is None:
        return None
    kept = [each.path for each in facts.artifacts if each.path in (SOURCES, CHANGES, NOTEBOOK)]
    text = [f"Commit {run.code.commit}{', with changes' if run.code.is_dirty else ''}"] if run.code.commit else []
    text += [f"{run.code.files} files were kept with the run: {', '.join(kept)}"] if kept else []
    return Said(text, refs=[run.ref]) if text else None


def software(facts: Facts) -> Said | None:
    """The environment's lock, or what was installed where it ran."""
    text = [f"Python {facts.run.environment.python}"] if facts.run and facts.run.environment else []
    if facts.version.environment and facts.lock:
        rows = [[*pair] for pair in locked(facts.lock)]
        text.append(f"Locked packages, {facts.version.environment}")
        return Said(text, Grid(["package", "version"], cut(rows)), refs=[facts.version.ref])
    if facts.packages:
        return Said(text, Grid(["package", "version"], cut([[*pair] for pair in facts.packages.items()])))
    return None


def locked(lock: str) -> list[tuple[str, str]]:
    """The pinned packages of a lock, with their versions."""
    lines = [line.strip() for line in lock.splitlines()]
    pins = [line.partition(";")[0].partition("==") for line in lines if "==" in line and not line.startswith("#")]
    return [(name.strip(), version.strip(" \\")) for name, _, version in pins]


def hardware(facts: Facts) -> Said | None:
    machine = facts.run.environment if facts.run else None
    if machine is None:
        return None
    text = [f"{machine.cpus} processors ({machine.cpu or machine.machine}), {machine.platform}"]
    text += machine.gpus
    return Said(text, refs=[facts.run.ref] if facts.run else [])


def compute(facts: Facts) -> Said | None:
    run = facts.run
    if run is None or run.ended_at is None:
        return None
    text = [f"It took {run.took_s:,.1f} s from start to end"]
    text += [f"and {run.cpu_s:,.1f} s of processor time"] if run.cpu_s is not None else []
    return Said([" ".join(text)], refs=[run.ref])


def training_data(facts: Facts) -> Said | None:
    rows = [
        [
            each.version.ref.partition(":")[2],
            f"{each.version.rows:,}",
            str(len(each.version.columns)),
            each.version.digest,
        ]
        for each in facts.datasets
    ]
    rows += [[ref.partition(":")[2], "not shown", "", ""] for ref in facts.unseen]
    refs = [each.version.ref for each in facts.datasets]
    return Said([], Grid(["data", "rows", "columns", "digest"], rows), refs=refs) if rows else None


def data_profile(facts: Facts) -> Said | None:
    """Column by column: what is missing, and the middle."""
    rows = [row for each in facts.datasets for row in profile_rows(each)]
    head = ["column", "type", "missing", "middle or most frequent", "lowest", "highest"]
    return Said([], Grid(head, cut(rows)), refs=[each.version.ref for each in facts.datasets]) if rows else None


def profile_rows(data: Data) -> list[list[str]]:
    found = []
    for column in data.profile.columns if data.profile else []:
        middle = (
            short(column.quantiles["0.5"])
            if "0.5" in column.quantiles
            else short(column.top[0].value if column.top else None)
        )
        lost = column.nulls + column.nans
        found.append([column.name, column.type, f"{lost:,}", middle, short(column.min), short(column.max)])
    return found


def data_origin(facts: Facts) -> Said | None:
    """Where data came from, and what was done to it."""
    text, refs = [], []
    for each in facts.datasets:
        version = each.version
        note = f": {version.note}" if version.note else ""
        text.append(
            f"{version.name}@{version.version}, registered {version.created_at:%Y-%m-%d} by {version.created_by}{note}"
        )
        text += [f"Made from {ref.partition(':')[2]}" for ref in version.derived_from]
        refs += [version.ref, *version.derived_from]
    return Said(text, refs=refs) if text else None


def data_contract(facts: Facts) -> Said | None:
    """What the data had to fulfil when it was registered."""
    kept = [(each.version, each.version.result) for each in facts.datasets if each.version.result is not None]
    text = [f"{version.name}@{version.version}: {result.sentence}" for version, result in kept]
    return Said(text, refs=[version.ref for version, _ in kept]) if text else None


def reproduced(facts: Facts) -> Said | None:
    text = [f"Done again {each.at:%Y-%m-%d} by {each.by}: {each.verdict}" for each in facts.reproductions]
    return Said(text, refs=[facts.run.ref] if facts.run else []) if text else None


def short(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def cut(rows: list[list[str]]) -> list[list[str]]:
    """The first rows, and how many more there are."""
    if len(rows) <= MOST_ROWS:
        return rows
    rest = [f"and {len(rows) - MOST_ROWS:,} more", *[""] * (len(rows[0]) - 1)]
    return [*rows[:MOST_ROWS], rest]


READERS = {
    "method": method,
    "run": method,
    "parameters": parameters,
    "metrics": metrics,
    "code": code,
    "software": software,
    "hardware": hardware,
    "compute": compute,
    "training_data": training_data,
    "data_profile": data_profile,
    "data_origin": data_origin,
    "data_contract": data_contract,
    "reproduced": reproduced,
}
