"""Whether the run that made a version was done again, and did the same."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Outcome
from taxiway.runs.again.sameness import TOLERANCE, Reproduction
from taxiway.runs.again.verdicts import apart


class ReproducibleAsks(Struct, frozen=True, forbid_unknown_fields=True):
    """tolerance: the largest difference of two values, relative to the larger where that is above 1.

    ignore: patterns of metrics that do not count, such as ``*_s`` for times.
    """

    tolerance: float = TOLERANCE
    ignore: list[str] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance <= 1:
            raise ValueError("a tolerance from 0 to 1, such as 1e-6")


class Reproducible:
    """Passes when the newest reproduction of the version's run is the same within the tolerance.

    It fails where the run started from the same and led elsewhere. Where what it started from was another, or it
    could not be done at all, nothing is decided.
    """

    name = "reproducible"
    parameters = ReproducibleAsks
    inputs: tuple[Input, ...] = ("reproductions",)
    is_live = False

    def title(self, parameters: ReproducibleAsks) -> str:
        return f"its run done again, the same within {parameters.tolerance:g}"

    def ask(self, parameters: ReproducibleAsks, case: Case) -> Outcome:
        run = case.version.run
        if not run:
            reason = "The version names no run that could be done again."
            return Outcome("missing", reason, "Log the model from a run, as a new version.")
        again = f"Run `taxiway runs reproduce {run}`."
        found = case.reproductions()
        if not found:
            return Outcome("missing", "Its run was not done again yet.", again)
        newest = found[0]
        if newest.verdict == "impossible":
            return Outcome("inconclusive", f"Its run cannot be done again: {'; '.join(newest.because)}.", again)
        if not (newest.metrics or newest.predictions or newest.files or newest.equal_files):
            return Outcome("inconclusive", "Its run left no result that could be compared.", "Log what it measures.")
        return judged(newest, parameters, again)


def judged(newest: Reproduction, parameters: ReproducibleAsks, again: str) -> Outcome:
    """What a reproduction says at the gate's own tolerance."""
    verdict = newest.judged(parameters.tolerance, parameters.ignore)
    if verdict == "bit-equal":
        return Outcome("pass", "Its run was done again, and every result is bit-equal.")
    largest = newest.largest(parameters.ignore)
    far = f"the largest difference is {apart(largest)}" if largest else "nothing was measured"
    if verdict == "within tolerance":
        return Outcome("pass", f"Its run was done again, and {far}.")
    reasons = [*newest.because, far] + [f"{row.name} is another parameter" for row in newest.params]
    said = f"Its run was done again and differs: {'; '.join(reasons)}."
    if newest.inputs:
        others = "; ".join(f"{gap.kind}: {gap.what}" for gap in newest.inputs[:3])
        return Outcome("inconclusive", f"{said} It did not start from the same ({others}).", again)
    return Outcome("fail", said, "Seed what is random with `tw.seed(…)`, and log the model as a new version.")
