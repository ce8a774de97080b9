"""Ensembles of trees as every library has them underneath, and the step of ONNX that answers as they do.

Libraries add up their trees one after the other, most in doubles, from a first value on. So does the step
`TreeEnsemble` with one thread; the first value becomes a tree of one leaf, since it would be added last otherwise,
which rounds differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from taxiway.models.twins.onnx import Value
from taxiway.models.twins.record import Link
from taxiway.models.twins.steps import Doubles, Ints

MOST_NODES = 2_000_000
SUM = 1
AT_MOST, LESS = 0, 1


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

    narrow: whether the library looks at a row's values in 32 bits. single: whether it does all in 32 bits, and goes
    left only where a value is less than the threshold. divisor: of the link `mean`.
    """

    width: int
    trees: Sequence[Tree]
    first: Sequence[float]
    link: Link
    narrow: bool = False
    divisor: int = 1
    single: bool = False

    @property
    def targets(self) -> int:
        return len(self.first)

    @property
    def size(self) -> int:
        """How many nodes its trees have."""
        return sum(len(tree.feature) for tree in self.trees)


def places(is_leaf: Any, children: Any) -> Ints:
    """The children's numbers where inner nodes and leaves are counted apart: a leaf is `-1 - its place`."""
    found: Ints = np.where(is_leaf, -np.cumsum(is_leaf), np.cumsum(~is_leaf) - 1)
    chosen: Ints = found[children].astype(np.int64)
    return chosen


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
    kind: Any = np.float32 if ensemble.single else np.float64
    return {
        "aggregate_function": SUM,
        "post_transform": 0,
        "n_targets": ensemble.targets,
        "tree_roots": nodes,
        "nodes_featureids": joined("feature"),
        "nodes_splits": joined("threshold").astype(kind),
        "nodes_modes": np.full(height, LESS if ensemble.single else AT_MOST, dtype=np.uint8),
        "nodes_missing_value_tracks_true": joined("missing_left").astype(np.int64),
        "nodes_truenodeids": left,
        "nodes_trueleafs": left_is,
        "nodes_falsenodeids": right,
        "nodes_falseleafs": right_is,
        "leaf_targetids": targets,
        "leaf_weights": joined("leaves").astype(kind),
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
