"""The port of a check: what it takes, what it leans on, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from taxiway.datasets.contract import DatasetVersion
from taxiway.discussions.contract import Thread
from taxiway.gates.canaries.contract import CanaryEvidence
from taxiway.gates.contract import Approval, Outcome
from taxiway.gates.findings.contract import Finding
from taxiway.gates.laws.predictions import Predictions
from taxiway.gates.questionnaires.contract import Attested
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.contract import Card, ModelVersion
from taxiway.runs.again.sameness import Reproduction

if TYPE_CHECKING:
    from taxiway.gates.working.rows import Rows
    from taxiway.models.bundles.bundle import Bundle
    from taxiway.models.predicting.predictor import Predictor

# What an answer rests on: one of INPUTS, or `dataset:FIELD`, the dataset that the parameter FIELD names.
Input = str
INPUTS = ("bundle", "evaluation", "datasets", "card", "reproductions", "champion", "attestations")
OF_PARAMETER = "dataset:"


class NotGiven(TaxiwayError):
    """A check that asks for what its `inputs` do not name."""

    status = 500
    what: str

    def __str__(self) -> str:
        return f"The case holds no {self.what}. Name it in the check's `inputs`, so that its evidence rests on it."


def none() -> list[Reproduction]:
    return []


def no_threads(things: list[str]) -> list[Thread]:
    return []


def nobody() -> None:
    return None


def not_given(what: str) -> Callable[..., Any]:
    """Stands for what a case does not hold."""

    def refuse(*_: object) -> Any:
        raise NotGiven(what=what)

    return refuse


class Case(Struct, frozen=True):
    """A version with what checks look at. What costs something to fetch is a call.

    reproductions: how the version's run was done again, newest first. bundle: its folder, every byte checked.
    predictor: the model, loaded as a serving worker loads it. rows: what the model can be asked anew on, row by row as
    the predictions where these were pinned with their features. table: the rows of a dataset, by the parameter that
    names it. training: the rows of the datasets that it was trained on, by their references. champion: the version
    that stands in production under the same name, with its own predictions and predictor; None where none does, or
    where it is this one. attested: the answers to questionnaires that count.

    approvals: those given for the stage of the gate that is asked, each knowing whether it counts; who_can: who
    could still give one; unknown_authors: the accounts that made the version and are no persons; findings: those
    about the version that are not closed; discussions: those of the things asked for that are not resolved; canaries:
    how those of the version ended, newest first.
    """

    version: ModelVersion
    card: Callable[[], Card]
    datasets: Callable[[], list[DatasetVersion]]
    predictions: Callable[[], Predictions]
    reproductions: Callable[[], list[Reproduction]] = none
    approvals: list[Approval] = []
    who_can: list[str] = []
    unknown_authors: list[str] = []
    findings: Callable[[], list[Finding]] = list
    discussions: Callable[[list[str]], list[Thread]] = no_threads
    canaries: Callable[[], list[CanaryEvidence]] = list
    bundle: Callable[[], Bundle] = not_given("bundle")
    predictor: Callable[[], Predictor] = not_given("bundle")
    rows: Callable[[], Rows] = not_given("evaluation")
    table: Callable[[str], Any] = not_given("table")
    training: Callable[[], dict[str, Any]] = not_given("datasets")
    champion: Callable[[], Case | None] = nobody
    attested: Callable[[], Attested] = not_given("attestations")


class Check(Protocol):
    """A question that a gate asks of a version.

    parameters: the struct that a path's YAML is read into. inputs: the digests that the answer rests on; while they
    are the same, the answer is, and only what they name is in the case. is_live: asked anew each time in the server,
    for what no record can hold still; the others are asked in a worker process and leave evidence.
    """

    name: str
    parameters: type[Any]
    inputs: tuple[Input, ...]
    is_live: bool

    def title(self, parameters: Any) -> str:
        """What is asked, in words, such as "accuracy at least 0.85"."""
        ...

    def ask(self, parameters: Any, case: Case) -> Outcome:
        """The answer. What the data do not define is an answer too; only what is broken raises."""
        ...


def inputs_asked(check: Check, parameters: Any) -> tuple[Input, ...]:
    """What an answer rests on: a check's `inputs`, or what its method `inputs_of` says of these parameters.

    So a gate that asks for nothing of the champion keeps its evidence when another champion comes.
    """
    of = getattr(check, "inputs_of", None)
    return tuple(of(parameters)) if of is not None else check.inputs
