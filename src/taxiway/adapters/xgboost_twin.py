"""XGBoost's trees, as they are in its own JSON of a model: thresholds, leaves and sums in 32 bits."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from taxiway.models.twins.record import Link, NoTwin
from taxiway.models.twins.trees import Ensemble, Tree, places

# What the library does with the sum, by the objective that its file names. Others are its own affair.
LINKS: dict[str, Link] = {
    **dict.fromkeys(
        ("reg:squarederror", "reg:pseudohubererror", "reg:absoluteerror", "reg:squaredlogerror"), "identity"
    ),
    **dict.fromkeys(("rank:ndcg", "rank:pairwise", "rank:map"), "identity"),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), "exp-single"),
    **dict.fromkeys(("binary:logistic", "reg:logistic"), "logistic-single"),
    "multi:softprob": "softmax-single",
}


def ensemble_of(model: Any) -> Ensemble:
    """The trees of a fitted estimator. Raises NoTwin."""
    missing = model.missing
    if not (isinstance(missing, float) and np.isnan(missing)):
        raise NoTwin(f"it takes {missing} for a missing value")
    learner = json.loads(bytes(model.get_booster().save_raw("json")))["learner"]
    objective, booster = learner["objective"]["name"], learner["gradient_booster"]
    if objective not in LINKS:
        raise NoTwin(f"what XGBoost makes of the sum of trees for the objective {objective} has no twin")
    if booster["name"] != "gbtree":
        raise NoTwin(f"its booster {booster['name']} adds up something else than plain trees")
    facts, inside = learner["learner_model_param"], booster["model"]
    if int(facts["num_target"]) != 1:
        raise NoTwin("it answers several things at once")
    targets = max(int(facts["num_class"]), 1)
    base = np.array(json.loads(facts["base_score"]), dtype=np.float32).ravel()
    first = np.resize(base, targets)
    link = LINKS[objective]
    best = early(model)
    count = len(inside["trees"]) if best is None else inside["iteration_indptr"][best + 1]
    pairs = zip(inside["trees"][:count], inside["tree_info"][:count], strict=True)
    trees = [tree_of(tree, target) for tree, target in pairs]
    width = int(facts["num_feature"])
    return Ensemble(width, trees, [float(margin(each, link)) for each in first], link, single=True)


def early(model: Any) -> int | None:
    """The round that answers, where the training stopped early."""
    try:
        return int(model.best_iteration)
    except AttributeError:
        return None


def margin(score: np.float32, link: Link) -> np.float32:
    """What the sum begins with, for the score that the file names: in 32 bits, by C's logarithm."""
    log = ctypes.CDLL(None).logf
    log.restype, log.argtypes = ctypes.c_float, (ctypes.c_float,)
    if link == "logistic-single":
        one = np.float32(1)
        return np.float32(-log(float(one / score - one)))
    return np.float32(log(float(score))) if link == "exp-single" else score


def tree_of(facts: Mapping[str, Any], target: int) -> Tree:
    """Raises NoTwin for trees that ask more than whether a number is less than another."""
    if any(facts["split_type"]) or facts["categories_nodes"]:
        raise NoTwin("its trees split by categories")
    if int(facts["tree_param"]["size_leaf_vector"]) > 1:
        raise NoTwin("its leaves hold several numbers")
    left, right = (np.array(facts[side], dtype=np.int64) for side in ("left_children", "right_children"))
    is_leaf = left < 0
    values = np.array(facts["split_conditions"], dtype=np.float32).astype(np.float64)
    inner = ~is_leaf
    return Tree(
        np.array(facts["split_indices"], dtype=np.int64)[inner],
        values[inner],
        places(is_leaf, left)[inner],
        places(is_leaf, right)[inner],
        np.array(facts["default_left"], dtype=bool)[inner],
        values[is_leaf],
        target,
    )
