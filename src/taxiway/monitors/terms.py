"""The words of monitors that need no arrays: metrics, spans of time, and what was found in a window."""

from typing import Final, Literal

from msgspec import Struct

from taxiway.gates.laws.estimates import Estimate

Metric = Literal["accuracy", "brier", "log_loss", "roc_auc"]
State = Literal["alert", "ok", "not enough yet"]
WindowSize = Literal["day", "week", "month"]
Cluster = Literal["hour", "day", "week"]

MIN_CLUSTERS: Final = 14
"""Two weeks of days: with fewer, intervals of the flight data called good models bad and bad ones good."""

METRIC_WORDS: Final[dict[Metric, str]] = {
    "accuracy": "accuracy",
    "brier": "Brier score",
    "log_loss": "log loss",
    "roc_auc": "AUC",
}
HIGHER_IS_BETTER: Final[dict[Metric, bool]] = {
    "accuracy": True,
    "brier": False,
    "log_loss": False,
    "roc_auc": True,
}


class WindowPerformance(Struct, frozen=True):
    """A metric over one window, with an interval that allows for rows erring together within a block."""

    metric: Metric
    estimate: Estimate
    clusters: int  # blocks with labelled rows
