"""Whether anything that people discuss about a version, its run or its data is still unresolved."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from taxiway.discussions.contract import Thread
from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Outcome
from taxiway.models.contract import ModelVersion

Part = Literal["version", "model", "run", "datasets"]
MOST_SAID = 3


def version_alone() -> list[Part]:
    return ["version"]


class ReviewThreadsAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """of: what no open discussion may be about: the version, its model, its run, its datasets."""

    of: list[Part] = msgspec.field(default_factory=version_alone)

    def __post_init__(self) -> None:
        if not self.of:
            raise ValueError("at least one of version, model, run and datasets")


class ReviewThreads:
    """Passes when every discussion is resolved. Asked anew each time: discussions come and go."""

    name = "review_threads"
    parameters = ReviewThreadsAsk
    inputs: tuple[Input, ...] = ()
    is_live = True

    def title(self, parameters: ReviewThreadsAsk) -> str:
        words = {"version": "the version", "model": "its model", "run": "its run", "datasets": "its data"}
        return f"no discussion of {' or '.join(words[part] for part in parameters.of)} is open"

    def ask(self, parameters: ReviewThreadsAsk, case: Case) -> Outcome:
        found = case.discussions(things_of(parameters.of, case.version))
        if not found:
            return Outcome("pass", "Every discussion is resolved.")
        head = "1 discussion is" if len(found) == 1 else f"{len(found)} discussions are"
        more = f" and {len(found) - MOST_SAID} more" if len(found) > MOST_SAID else ""
        reason = f"{head} not resolved: {'; '.join(map(said, found[:MOST_SAID]))}{more}."
        who = " and ".join(sorted({each.by for each in found}))
        them = "it" if len(found) == 1 else "them"
        advice = f"{who} or an owner of the project resolves {them}: `taxiway discussions resolve {found[0].id}`."
        return Outcome("fail", reason, advice)


def things_of(parts: list[Part], version: ModelVersion) -> list[str]:
    """The references of those parts of a version."""
    found = {
        "version": [version.ref],
        "model": [f"model:{version.model}"],
        "run": [f"run:{version.run}"] if version.run else [],
        "datasets": list(version.datasets),
    }
    return [ref for part in dict.fromkeys(parts) for ref in found[part]]


def said(thread: Thread) -> str:
    waits = f", waits for {' and '.join(thread.waits_for)}" if thread.waits_for else ""
    return f"“{thread.opening or 'withdrawn'}” ({thread.by}, about {thread.thing}{waits})"
