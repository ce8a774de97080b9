"""LightGBM's trees, as they are in its own text of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from taxiway.models.twins.record import Link, NoTwin
from taxiway.models.twins.trees import Ensemble, Tree

# What the library does with the sum, by the objective that its text names. Others are its own affair.
LINKS: dict[str, Link] = {
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank"), "identity"),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), "exp"),
    "binary": "logistic",
    "multiclass": "softmax",
}
CATEGORICAL, DEFAULT_LEFT, MISSING = 1, 2, 2  # bits of a decision; the last one: how far to shift for missing values
ZERO, NAN = 1, 2  # what counts as missing
SMALL = float(np.float32(1e-35))  # a number as near to zero as this is zero to the library


def ensemble_of(model: Any) -> Ensemble:
    """The trees of a fitted estimator. Raises NoTwin."""
    head, *blocks = model.booster_.model_to_string().split("\nTree=")
    facts = facts_of(head)
    objective, *options = facts.get("objective", "").split() or [""]
    if objective not in LINKS or "sqrt" in options or ("average_output" in head):
        named = facts.get("objective", "") or "of its own"
        raise NoTwin(f"what LightGBM makes of the sum of trees for the objective {named} has no twin")
    if objective == "binary" and "sigmoid:1" not in options:
        raise NoTwin("its sigmoid is stretched, which has no twin")
    targets = int(facts["num_tree_per_iteration"])
    trees = [tree_of(facts_of(block), number % targets) for number, block in enumerate(blocks)]
    return Ensemble(int(facts["max_feature_idx"]) + 1, trees, [0.0] * targets, LINKS[objective])


def facts_of(block: str) -> Mapping[str, str]:
    """The lines of a part of the text, up to the first empty one after a fact."""
    return dict(line.split("=", 1) for line in block.split("\n\n", 1)[0].splitlines() if "=" in line)


def tree_of(facts: Mapping[str, str], target: int) -> Tree:
    """Raises NoTwin for trees that ask more than whether a number is at most another."""
    if facts.get("is_linear", "0") != "0":
        raise NoTwin("its leaves hold linear models")
    if facts["num_cat"] != "0":
        raise NoTwin("its trees split by categories")

    def array(name: str, kind: Any) -> Any:
        return np.array(facts.get(name, "").split(), dtype=kind)

    leaves, threshold = array("leaf_value", np.float64), array("threshold", np.float64)
    decision = array("decision_type", np.int64)
    missing = decision >> MISSING & 3
    if (missing == ZERO).any():
        raise NoTwin("it takes zero for a missing value")
    # Where training saw no gap, one in use counts as zero.
    missing_left = np.where(missing == NAN, decision & DEFAULT_LEFT > 0, threshold >= 0.0)
    threshold[(threshold >= -SMALL) & (threshold < 0)] = np.nextafter(-SMALL, -1.0)
    threshold[(threshold >= 0) & (threshold < SMALL)] = SMALL
    sides = array("left_child", np.int64), array("right_child", np.int64)
    return Tree(array("split_feature", np.int64), threshold, *sides, missing_left, leaves, target)
