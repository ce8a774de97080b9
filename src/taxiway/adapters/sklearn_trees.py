"""Trees of scikit-learn that were read from a file: they are looked at before they answer.

Its code follows the numbers of nodes and columns without a look at how many there are. A file whose numbers point
elsewhere would have it read whatever lies in the memory there, or go round for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

TREE = "sklearn.tree._tree.Tree"
HANDS_ON = ("RandomForest", "ExtraTrees", "GradientBoosting")  # give rows to their trees as they are
MOST_PARTS = 2_000_000


def check_trees(model: Any) -> None:
    """Raises ValueError for a tree whose nodes point outside of it, back, or at columns that its rows do not have."""
    for each in objects(model):
        if hasattr(each, "tree_"):
            check_tree(each.tree_, int(each.n_features_in_))
        if type(each).__name__.startswith(HANDS_ON) and hasattr(each, "estimators_"):
            for tree in np.ravel(np.array(each.estimators_, dtype=object)).tolist():
                if int(tree.n_features_in_) != int(each.n_features_in_):
                    raise ValueError("a tree of it looks at other columns than it is given")


def check_tree(tree: Any, columns: int) -> None:
    """Every node is a leaf on both sides, or both of its children come after it."""
    if f"{type(tree).__module__}.{type(tree).__qualname__}" != TREE:
        raise ValueError("what it calls a tree is none")
    left, right = np.asarray(tree.children_left), np.asarray(tree.children_right)
    inner = (left != -1) | (right != -1)
    own = np.flatnonzero(inner)
    for side in (left[inner], right[inner]):
        if ((side <= own) | (side >= len(left))).any():
            raise ValueError("a node of a tree points outside of it")
    features = np.asarray(tree.feature)[inner]
    if not len(left) or int(tree.n_features) != columns or ((features < 0) | (features >= columns)).any():
        raise ValueError("a tree of it looks at columns that its rows do not have")


def objects(model: Any) -> Iterator[Any]:
    """The model, and what it is made of, each once. Raises ValueError for one of more parts than any has."""
    waiting, seen = [model], {0}
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, str | bytes | int | float | None) or id(thing) in seen:
            continue
        seen.add(id(thing))
        if len(seen) > MOST_PARTS:
            raise ValueError("it is made of more parts than any model")
        if isinstance(thing, dict):
            waiting += thing.values()
        elif isinstance(thing, list | tuple | set):
            waiting += thing
        elif isinstance(thing, np.ndarray):
            waiting += thing.ravel().tolist() if thing.dtype == object else []
        elif type(thing).__module__.partition(".")[0] not in ("builtins", "numpy"):
            yield thing
            waiting += getattr(thing, "__dict__", {}).values()
