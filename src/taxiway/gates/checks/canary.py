"""Whether a version proved itself on live requests, beside the version that answers now."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from taxiway.gates.canaries.contract import CanaryEvidence, CanaryMetric
from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Outcome

WORDS = {
    "log_loss": "log loss",
    "brier": "Brier score",
    "accuracy": "share of wrong answers",
    "squared_error": "squared error",
    "absolute_error": "absolute error",
}


class CanaryAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """share: of the requests, that it may answer at most. non_inferiority: by how much its loss may be worse;
    null asks that it be better. cluster: hour, day, week, or the field of a row whose value is the key.

    min_clusters: whole clusters before which nothing is decided. paired: every request is scored by both; false also
    takes a canary in which each is scored by the version alone that answers it. rollback: there is one way, what is
    worse goes by itself; it stands in a path so that it says so.
    """

    metric: CanaryMetric = "log_loss"
    non_inferiority: Annotated[float, Meta(ge=0)] | None = 0.01
    share: Annotated[float, Meta(gt=0, le=0.5)] = 0.1
    cluster: str = "day"
    min_clusters: Annotated[int, Meta(ge=6, le=1000)] = 14
    paired: bool = True
    rollback: Literal["auto"] = "auto"


class Canary:
    """Passes when the newest canary of this very bundle that asked at least as much said promote.

    Asked anew each time: what a canary showed of another bundle says nothing of this one.
    """

    name = "canary"
    parameters = CanaryAsk
    inputs: tuple[Input, ...] = ("bundle",)
    is_live = True

    def title(self, parameters: CanaryAsk) -> str:
        words = WORDS[parameters.metric]
        if parameters.non_inferiority is None:
            asked = f"{words} is lower than the champion's"
        else:
            asked = f"{words} is worse by at most {parameters.non_inferiority:g}"
        return f"a canary of {100 * parameters.share:g} % shows over {parameters.min_clusters} clusters that {asked}"

    def ask(self, parameters: CanaryAsk, case: Case) -> Outcome:
        version = case.version
        fitting = [each for each in case.canaries() if each.bundle == version.bundle and is_as_asked(each, parameters)]
        if not fitting:
            advice = f"Begin it with `taxiway endpoints canary NAME {version.model}@{version.version}`."
            return Outcome("missing", "No canary as the path asks has come to an end.", advice)
        newest = fitting[0]
        said = f"{newest.sentence} (at {newest.endpoint}, {newest.at:%Y-%m-%d})"
        if newest.verdict == "promote":
            return Outcome("pass", said)
        return Outcome("fail", said, "Log a better version; or begin another canary once the cause is known.")


def is_as_asked(evidence: CanaryEvidence, asked: CanaryAsk) -> bool:
    """Whether a canary asked at least as much as a gate does; one that ended badly did, whatever it asked."""
    if evidence.verdict == "roll back":
        return True
    wanted, given = asked.non_inferiority, evidence.non_inferiority
    is_strict = given is None or (wanted is not None and given <= wanted)
    return (
        is_strict
        and (evidence.metric, evidence.cluster) == (asked.metric, asked.cluster)
        and evidence.min_clusters >= asked.min_clusters
        and evidence.share <= asked.share
        and (evidence.paired or not asked.paired)
    )
