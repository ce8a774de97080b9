"""The checks there are, by the name that a path's YAML gives them: ours, and those of installed packages.

All are entry points of `taxiway.checks`, each loaded when somebody first asks for it. A package whose check cannot be
used is told in `problems` and in the log; the others go on.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from threading import RLock
from typing import Any

import msgspec
from msgspec import Struct

from taxiway.gates.checks.port import INPUTS, OF_PARAMETER, Check
from taxiway.kernel.ids import is_name

GROUP = "taxiway.checks"
BUILT_IN = {
    "data_contract": "taxiway.gates.checks.data_contract:DataContract",
    "reproducible": "taxiway.gates.checks.reproducible:Reproducible",
    "performance": "taxiway.gates.checks.performance:Performance",
    "fairness": "taxiway.gates.checks.fairness:Fairness",
    "calibration": "taxiway.gates.checks.calibration:Calibration",
    "robustness": "taxiway.gates.checks.robustness:Robustness",
    "explanations": "taxiway.gates.checks.explanations:Explanations",
    "latency": "taxiway.gates.checks.latency:Latency",
    "memory": "taxiway.gates.checks.memory:Memory",
    "scan": "taxiway.gates.checks.scan:Scan",
    "card": "taxiway.gates.checks.card:CardComplete",
    "attestation": "taxiway.gates.checks.attestation:Attestation",
    "findings": "taxiway.gates.checks.findings:OpenFindings",
    "review_threads": "taxiway.gates.checks.review_threads:ReviewThreads",
    "canary": "taxiway.gates.checks.canary:Canary",
    "approvals": "taxiway.gates.checks.approvals:Approvals",
}
OURS = "taxiway"
MODE = "mode"  # stands beside a check's name in a path

log = logging.getLogger("taxiway.gates")


class Problem(Struct, frozen=True):
    """A check that a package offers and that cannot be used. why: a sentence."""

    name: str
    package: str
    why: str


class BadCheck(ValueError):
    """Something registered as a check that is none; the sentence says what it lacks."""


class Register(Mapping[str, Check]):
    """Checks by name: looked up among the installed packages once, loaded one by one."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._entries: dict[str, EntryPoint] | None = None
        self._loaded: dict[str, Check] = {}
        self._lock = RLock()

    def __getitem__(self, name: str) -> Check:
        with self._lock:
            if name not in self._loaded:
                self._load(name, self._known()[name])
            return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.load_all()))

    def __len__(self) -> int:
        return len(self.load_all())

    def load_all(self) -> dict[str, Check]:
        """Every check that can be used."""
        with self._lock:
            for name, entry in list(self._known().items()):
                if name not in self._loaded:
                    try:
                        self._load(name, entry)
                    except KeyError:
                        continue
            return {name: self._loaded[name] for name in self._known()}

    def package(self, name: str) -> str:
        """The package that a check comes in."""
        return package_of(self._known()[name])

    def forget(self) -> None:
        """Looks anew what is installed when it is next asked."""
        with self._lock:
            self._entries, self._loaded, self.problems = None, {}, []

    def _known(self) -> dict[str, EntryPoint]:
        with self._lock:
            if self._entries is None:
                self._entries = {name: EntryPoint(name, where, GROUP) for name, where in BUILT_IN.items()}
                for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, package_of(entry))):
                    self._offer(entry)
            return self._entries

    def _offer(self, entry: EntryPoint) -> None:
        assert self._entries is not None
        if not (is_name(entry.name) and entry.name.isidentifier()) or entry.name == MODE:
            self._tell(entry, f"{entry.name!r} is no name of a-z, 0-9 and '_', or is taken")
        elif entry.name in self._entries:
            self._tell(entry, f"{package_of(self._entries[entry.name])} has a check of that name already")
        else:
            self._entries[entry.name] = entry

    def _load(self, name: str, entry: EntryPoint) -> None:
        """Raises KeyError for one that cannot be used; it is not known from then on."""
        try:
            found = entry.load()
            check: Any = found() if inspect.isclass(found) else found
            require_check(name, check)
        except Exception as e:
            del self._known()[name]
            self._tell(entry, str(e) if isinstance(e, BadCheck) else f"{type(e).__name__}: {e}")
            raise KeyError(name) from e
        self._loaded[name] = check

    def _tell(self, entry: EntryPoint, why: str) -> None:
        problem = Problem(entry.name, package_of(entry), why)
        self.problems.append(problem)
        log.warning("The check %s of %s cannot be used: %s", problem.name, problem.package, problem.why)


def package_of(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else OURS


def require_check(name: str, check: Any) -> None:
    """Raises BadCheck for what a path could not ask."""
    for member, kind in (("name", str), ("inputs", tuple), ("is_live", bool), ("parameters", type)):
        if not isinstance(getattr(check, member, None), kind):
            raise BadCheck(f"its `{member}` is no {kind.__name__}")
    for member in ("title", "ask"):
        if not callable(getattr(check, member, None)):
            raise BadCheck(f"it has no method `{member}`")
    if check.name != name:
        raise BadCheck(f"its entry point is called {name}, and it calls itself {check.name}")
    if not issubclass(check.parameters, Struct):
        raise BadCheck("its `parameters` is no msgspec.Struct")
    if odd := [each for each in check.inputs if each not in INPUTS and not each.startswith(OF_PARAMETER)]:
        raise BadCheck(f"its input {odd[0]!r} is none of {', '.join(INPUTS)}, {OF_PARAMETER}PARAMETER")
    if check.is_live and package_of_module(check) != OURS:
        raise BadCheck("it is live, and only Taxiway's own checks are asked in the server")
    msgspec.json.schema(check.parameters)


def package_of_module(check: Any) -> str:
    return type(check).__module__.partition(".")[0]


CHECKS = Register()
