"""A worker: asks one check about one version, from files whose digests it verifies, and ends."""

from __future__ import annotations

import contextlib
import platform
import socket
import sys
import traceback
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version

import msgspec

from taxiway.gates.checks.register import CHECKS
from taxiway.gates.contract import Outcome
from taxiway.gates.working import wire
from taxiway.gates.working.confine import Confined, confine
from taxiway.gates.working.opening import USED, open_case
from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.version import VERSION

# Libraries whose modules are loaded ahead for the jobs that come, and whose versions evidence names.
LIBRARIES = {
    "fairlearn": "fairlearn",
    "lightgbm": "lightgbm",
    "numpy": "numpy",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    "scipy": "scipy",
    "skops": "skops",
    "sklearn": "scikit-learn",
    "xgboost": "xgboost",
}


def work(server: socket.socket) -> None:
    """Reads the job, asks, answers."""
    try:
        job = wire.to_worker.decode(wire.receive(server))
        data = wire.frame(ask(job, confine(job.memory_bytes, wire.files_of(job))))
    except MemoryError:
        data = wire.frame(wire.Failed("it took more memory than a check may have"))
    except Exception as e:  # noqa: BLE001 - a plug-in call: whatever the check raises is its answer's absence
        traceback.print_exc()
        data = wire.frame(wire.Failed(said(e)))
    server.sendall(data)


def ask(job: wire.Job, confined: Confined) -> wire.Answered | wire.Failed:
    """The answer of the job's check; a refusal with a name where the version's files are not what they were."""
    before = set(sys.modules)
    try:
        check = CHECKS[job.check]
        outcome: object = check.ask(msgspec.convert(job.parameters, check.parameters), open_case(job))
    except TaxiwayError as refusal:
        return wire.Failed(str(refusal), type(refusal).__name__, refusal.facts())
    if not isinstance(outcome, Outcome):
        return wire.Failed(f"it answered with {type(outcome).__name__}, not with an Outcome")
    loaded = [name for name in list(sys.modules) if name not in before and name.partition(".")[0] in LIBRARIES]
    return wire.Answered(outcome, tools(type(check).__module__, confined), loaded)


def tools(module: str, confined: Confined) -> dict[str, str]:
    """The versions of what measured, and how it was confined."""
    found = {"taxiway": VERSION, "python": platform.python_version()}
    taken = set(sys.modules)
    found |= {
        LIBRARIES[package]: versions()[package] for package in versions() if package in taken and is_used(package)
    }
    for package in distribution(module):
        found[package] = version(package)
    return found | confined.said()


@cache
def versions() -> dict[str, str]:
    """The versions of the libraries that are installed; the warm process looks them up for all its forks."""
    found = {}
    for package, name in LIBRARIES.items():
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(name)
    return found


def is_used(package: str) -> bool:
    """Whether a library takes part in this job: those that are merely loaded ahead do not."""
    return package in {"numpy", "pyarrow"} or package in USED


def distribution(module: str) -> list[str]:
    """The package that a check comes in, unless it is ours."""
    top = module.partition(".")[0]
    return [] if top == "taxiway" else packages_distributions().get(top, [])[:1]


def said(error: BaseException) -> str:
    """An exception with where it was raised, in one line."""
    text = str(error).strip().partition("\n")[0][:300]
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" ({where[0].filename.rpartition('/')[2]}, line {where[0].lineno})" if where else ""
    return f"{type(error).__name__}: {text}{place}" if text else f"{type(error).__name__}{place}"
