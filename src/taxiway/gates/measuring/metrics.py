"""A metric by its name, whoever computes it: its words, what it takes, and its interval alone or against a champion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from taxiway.gates.laws import statistics
from taxiway.gates.laws.estimates import Estimate
from taxiway.gates.laws.intervals import mean, wilson
from taxiway.gates.measuring import engine, ranked, scikit
from taxiway.gates.measuring.engine import Ways
from taxiway.gates.measuring.laws import LAWS, Law, Takes, quantile_loss

AREA, PRECISION, QUANTILE = "roc_auc", "average_precision", "quantile_loss"
RANKED = {AREA: "area under the ROC curve", PRECISION: "average precision"}
MEANS = ("mse", "mae", "mape", "mean_error", "brier", "log_loss", QUANTILE)  # of which the t interval is known
OWN = (*LAWS, *RANKED, QUANTILE)
NAMES = (*OWN, *scikit.NAMES)
SHARES = ("accuracy", "balanced_accuracy", "f1", "precision", "recall", "specificity", AREA, PRECISION)  # from 0 to 1
FEW_CLUSTERS = 30


@dataclass(frozen=True)
class Metric:
    """name: one of NAMES. quantile: of the quantile loss alone."""

    name: str
    quantile: float = 0.5

    @property
    def words(self) -> str:
        if self.name == QUANTILE:
            return quantile_loss(self.quantile).words
        if self.name in LAWS:
            return LAWS[self.name].words
        return RANKED.get(self.name, self.name.replace("_", " "))

    @property
    def takes(self) -> Takes:
        if self.name in RANKED:
            return "score"
        return LAWS[self.name].takes if self.name in LAWS else scikit.NAMES.get(self.name, "prediction")

    @property
    def is_higher_better(self) -> bool:
        if self.name in LAWS:
            return LAWS[self.name].better == "higher"
        return self.name in RANKED or self.name in scikit.HIGHER

    def measure(self, labels: ArrayLike, column: ArrayLike, ways: Ways) -> Estimate:
        """Raises ValueErrors that say, in a sentence, why the data do not define it."""
        is_plain = ways.clusters is None and ways.weights is None
        if self.name == "accuracy" and is_plain:
            return statistics.accuracy(labels, column, ways.confidence)
        if self.name in ("precision", "recall", "specificity") and is_plain:
            return of_some(self.name, labels, column, ways.confidence)
        if self.name == AREA:
            return ranked.roc_auc(labels, column, ways)
        if self.name == PRECISION:
            return ranked.average_precision(labels, column, ways)
        if self.name in scikit.NAMES:
            return scikit.measured(self.name, labels, column, ways)
        return engine.measured(self._law(), labels, column, ways)

    def compare(self, labels: ArrayLike, before: ArrayLike, after: ArrayLike, ways: Ways) -> Estimate:
        """How much larger it is after than before on the same rows, with the interval of the paired difference."""
        if self.name == AREA:
            return ranked.roc_auc_difference(labels, before, after, ways)
        if self.name == PRECISION:
            return ranked.average_precision_difference(labels, before, after, ways)
        if self.name in scikit.NAMES:
            return scikit.compared(self.name, labels, before, after, ways)
        law = self._law()
        if self.name in (*MEANS, "accuracy") and ways.clusters is None and ways.weights is None:
            truth = np.asarray(labels)
            rows = law.rows(truth, np.asarray(after)) - law.rows(truth, np.asarray(before))
            return mean(rows[:, 0], ways.confidence)
        return engine.compared(law, labels, before, after, ways)

    def _law(self) -> Law:
        return quantile_loss(self.quantile) if self.name == QUANTILE else LAWS[self.name]


def of_some(name: str, labels: ArrayLike, predictions: ArrayLike, confidence: float) -> Estimate:
    """A share among some of the rows, with Wilson's interval: given how many they are, it is one of a binomial."""
    y, said = statistics.binary(labels, "labels"), statistics.binary(predictions, "predictions")
    statistics.require_equal_rows(labels=y.size, predictions=said.size)
    among = {"precision": said == 1, "recall": y == 1, "specificity": y == 0}[name]
    hits = (y == said)[among]
    return wilson(int(hits.sum()), int(hits.size), confidence)
