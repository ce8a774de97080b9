"""Ensembles of trees as every library has them underneath, and the steps of ONNX that answer as they do.

Libraries add up their trees one after the other, in doubles, from a first value on. So does the step `TreeEnsemble`
with one thread; the first value becomes a tree of one leaf, since it would be added last otherwise, which rounds
differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from taxiway.models.twins.onnx import ML, Graph, Node, Value
from taxiway.models.twins.record import Link

Ints: TypeAlias = NDArray[np.int64]
Doubles: TypeAlias = NDArray[np.float64]

MOST_NODES = 2_000_000
SUM = 1
LEQ = 0


class Tree(NamedTuple):
    """A binary tree: a row goes left where its value is at most the threshold, or missing and `missing_left` says so.

    left and right: the number of an inner node, or `-1 - leaf`. A tree without inner nodes has one leaf.
    """

    feature: Ints
    threshold: Doubles
    left: Ints
    right: Ints
    missing_left: NDArray[np.bool_]
    leaves: Doubles
    target: int = 0


class Ensemble(NamedTuple):
    """Trees whose leaves are added up for each target, in this order, after the target's first value.

    narrow: whether the library looks at a row's values in 32 bits. divisor: of the link `mean`.
    """

    width: int
    trees: Sequence[Tree]
    first: Sequence[float]
    link: Link
    narrow: bool = False
    divisor: int = 1

    @property
    def targets(self) -> int:
        return len(self.first)


def graph_of(ensemble: Ensemble) -> Graph:
    """The steps: `sums` is what the trees add up to, and `scores` what the link makes of it, for other runtimes."""
    nodes: list[Node] = []
    rows = "rows"
    if ensemble.narrow:
        nodes += [Node("Cast", ["rows"], "narrow", {"to": 1}), Node("Cast", ["narrow"], "widened", {"to": 11})]
        rows = "widened"
    nodes.append(Node("TreeEnsemble", [rows], "sums", attributes(ensemble), ML))
    linked, constants = LINKS[ensemble.link]
    if ensemble.link == "mean":
        constants = {"divisor": np.array(float(ensemble.divisor))}
    nodes += linked
    return Graph(ensemble.width, nodes, {"sums": ensemble.targets, "scores": ensemble.targets}, constants)


Steps: TypeAlias = tuple[list[Node], dict[str, NDArray[Any]]]
EXP: Steps = ([Node("Exp", ["sums"], "scores")], {})
SOFTMAX: Steps = ([Node("Softmax", ["sums"], "scores", {"axis": 1})], {})
LINKS: dict[Link, Steps] = {
    "identity": ([Node("Identity", ["sums"], "scores")], {}),
    "mean": ([Node("Div", ["sums", "divisor"], "scores")], {}),
    "exp": EXP,
    "exp-numpy": EXP,
    "softmax": SOFTMAX,
    "softmax-numpy": SOFTMAX,
    "logistic": (
        [
            Node("Neg", ["sums"], "negative"),
            Node("Exp", ["negative"], "odds"),
            Node("Add", ["odds", "one"], "whole"),
            Node("Div", ["one", "whole"], "scores"),
        ],
        {"one": np.array(1.0)},
    ),
}


def attributes(ensemble: Ensemble) -> dict[str, Value]:
    """All trees in the arrays of one step."""
    first = [stump(value, target) for target, value in enumerate(ensemble.first) if value]
    trees = [*first, *map(rooted, ensemble.trees)]
    nodes, leaves = starts([len(tree.feature) for tree in trees]), starts([len(tree.leaves) for tree in trees])

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(tree, name) for tree in trees])

    def children(side: Literal["left", "right"]) -> tuple[Ints, Ints]:
        of_all, are_leaves = [], []
        for tree, node, leaf in zip(trees, nodes, leaves, strict=True):
            child = getattr(tree, side)
            is_leaf = child < 0
            of_all.append(np.where(is_leaf, leaf - 1 - child, node + child))
            are_leaves.append(is_leaf)
        return np.concatenate(of_all), np.concatenate(are_leaves).astype(np.int64)

    (left, left_is), (right, right_is) = children("left"), children("right")
    targets = np.concatenate([np.full(len(tree.leaves), tree.target) for tree in trees])
    height = int(nodes[-1] + len(trees[-1].feature))
    return {
        "aggregate_function": SUM,
        "post_transform": 0,
        "n_targets": ensemble.targets,
        "tree_roots": nodes,
        "nodes_featureids": joined("feature"),
        "nodes_splits": joined("threshold").astype(np.float64),
        "nodes_modes": np.full(height, LEQ, dtype=np.uint8),
        "nodes_missing_value_tracks_true": joined("missing_left").astype(np.int64),
        "nodes_truenodeids": left,
        "nodes_trueleafs": left_is,
        "nodes_falsenodeids": right,
        "nodes_falseleafs": right_is,
        "leaf_targetids": targets,
        "leaf_weights": joined("leaves").astype(np.float64),
    }


def starts(sizes: Sequence[int]) -> Ints:
    """Where each part begins, of parts of these sizes laid end to end."""
    return np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)


def stump(value: float, target: int) -> Tree:
    """A tree that answers the same to all rows."""
    none: Ints = np.empty(0, dtype=np.int64)
    leaves = np.array([value])
    return rooted(Tree(none, none.astype(np.float64), none, none, none.astype(np.bool_), leaves, target))


def rooted(tree: Tree) -> Tree:
    """The tree with an inner node to begin at, which ONNX asks for: both of its sides are then the same leaf."""
    if len(tree.feature):
        return tree
    zero, leaf = np.array([0]), np.array([-1])
    return Tree(zero, np.array([0.0]), leaf, leaf, np.array([False]), tree.leaves, tree.target)
