"""The port of a check: what it takes, what it leans on, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

from msgspec import Struct

from taxiway.datasets.contract import DatasetVersion
from taxiway.gates.contract import Approval, Outcome
from taxiway.gates.predictions import Predictions
from taxiway.models.contract import Card, ModelVersion
from taxiway.runs.again.sameness import Reproduction

Input = Literal["bundle", "evaluation", "datasets", "card", "reproductions"]


def none() -> list[Reproduction]:
    return []


class Case(Struct, frozen=True):
    """A version with what checks look at. What costs something to fetch is a call.

    reproductions: how the version's run was done again, newest first.
    approvals: those given for the stage of the gate that is asked, each knowing whether it counts; who_can: who
    could still give one; unknown_authors: the accounts that made the version and are no persons.
    """

    version: ModelVersion
    card: Callable[[], Card]
    datasets: Callable[[], list[DatasetVersion]]
    predictions: Callable[[], Predictions]
    reproductions: Callable[[], list[Reproduction]] = none
    approvals: list[Approval] = []
    who_can: list[str] = []
    unknown_authors: list[str] = []


class Check(Protocol):
    """A question that a gate asks of a version.

    parameters: the struct that a path's YAML is read into. inputs: the digests that the answer rests on; while they
    are the same, the answer is. is_live: asked anew each time, for what no record can hold still; the others leave
    evidence.
    """

    name: str
    parameters: type[Any]
    inputs: tuple[Input, ...]
    is_live: bool

    def title(self, parameters: Any) -> str:
        """What is asked, in words, such as "accuracy at least 0.85"."""
        ...

    def ask(self, parameters: Any, case: Case) -> Outcome:
        """The answer. What the data do not define is an answer too; only a broken platform raises."""
        ...
