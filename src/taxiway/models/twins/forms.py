"""What a model computes, in the one form that twins are written from: steps that prepare a row, then trees or a sum.

A model's library gives the form, and the file follows from it alone, byte for byte. So whoever reads the model can
write the file again, and see whether one that came along is its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from taxiway.models.twins.onnx import ML, Graph, Node
from taxiway.models.twins.record import Link, NoTwin, Twin
from taxiway.models.twins.steps import Doubles, Origin, Step, Written, origins
from taxiway.models.twins.trees import MOST_NODES, Ensemble, attributes


class Weights(NamedTuple):
    """A linear model: columns times coefficients, a column of these for each target, and what is added."""

    coefficients: Doubles
    added: Doubles
    link: Link


class Form(NamedTuple):
    """A model as twins know it. width: of the rows as they are given; labels: of a classifier.

    words: for columns of text, those that an encoder knows; refused: such columns where it takes no others.
    """

    width: int
    answers: Ensemble | Weights
    labels: tuple[bool | int | float | str, ...] | None = None
    steps: tuple[Step, ...] = ()
    words: Mapping[str, Sequence[str]] = {}
    refused: tuple[str, ...] = ()

    @property
    def origins(self) -> list[Origin | None]:
        """The column that each one came from which the trees see."""
        return origins(self.steps, [Origin(column) for column in range(self.width)])


@runtime_checkable
class Formed(Protocol):
    """A predictor that can say what its model computes."""

    def form(self) -> Form:
        """Raises NoTwin for a model of another kind."""
        ...


def check_size(form: Form) -> None:
    """Raises NoTwin for more trees than a twin may have."""
    size = form.answers.size if isinstance(form.answers, Ensemble) else 0
    if size > MOST_NODES:
        raise NoTwin(f"its trees have {size:,} nodes, and a twin may have {MOST_NODES:,}")


def shape_of(form: Form, runtime: str) -> Twin:
    """The record of a twin, before anything was compared."""
    answers = form.answers
    trees = answers if isinstance(answers, Ensemble) else None
    narrow = trees is not None and trees.narrow
    return Twin(
        runs="twin",
        why="",
        runtime=runtime,
        link=answers.link,
        divisor=trees.divisor if trees else 1,
        narrow=narrow,
        prepared=trees.width if trees and narrow and form.steps else 0,
        width=form.width,
        labels=form.labels,
        words={name: tuple(words) for name, words in form.words.items()},
        refused=form.refused,
    )


def graph_of(form: Form) -> Graph:
    """The steps: `sums` is what the model adds up to, and `scores` what the link makes of it, for other runtimes."""
    written = Written([], {})
    rows = written.write(form.steps, "rows")
    answers = form.answers
    if isinstance(answers, Weights):
        product = written.node("MatMul", [rows, written.constant(answers.coefficients)])
        written.nodes.append(Node("Add", [product, written.constant(answers.added)], "sums"))
        targets, single, divisor = len(answers.added), False, 1
    else:
        targets, single, divisor = answers.targets, answers.single, answers.divisor
        if answers.narrow and form.steps:
            written.nodes.append(Node("Identity", [rows], "prepared"))
        if answers.narrow or single:
            rows = written.node("Cast", [rows], to=1)
        if answers.narrow:
            rows = written.node("Cast", [rows], to=11)
        written.nodes.append(Node("TreeEnsemble", [rows], "sums", attributes(answers), ML))
    linked, constants = links(single, divisor)[answers.link]
    outputs = {"sums": targets, "scores": targets}
    if any(node.output == "prepared" for node in written.nodes) and isinstance(answers, Ensemble):
        outputs["prepared"] = answers.width
    singles = frozenset({"sums", "scores"}) if single else frozenset[str]()
    return Graph(form.width, [*written.nodes, *linked], outputs, written.constants | constants, singles)


Steps: TypeAlias = tuple[list[Node], dict[str, NDArray[Any]]]
EXP: Steps = ([Node("Exp", ["sums"], "scores")], {})
SOFTMAX: Steps = ([Node("Softmax", ["sums"], "scores", {"axis": 1})], {})


def links(single: bool, divisor: int) -> dict[Link, Steps]:
    """What becomes of the sum, as other runtimes do it."""
    logistic = [
        Node("Neg", ["sums"], "negative"),
        Node("Exp", ["negative"], "odds"),
        Node("Add", ["odds", "one"], "whole"),
        Node("Div", ["one", "whole"], "scores"),
    ]
    one = np.array(1.0, dtype=np.float32 if single else np.float64)
    return {
        "identity": ([Node("Identity", ["sums"], "scores")], {}),
        "mean": ([Node("Div", ["sums", "divisor"], "scores")], {"divisor": np.array(float(divisor))}),
        **dict.fromkeys(("exp", "exp-numpy", "exp-single"), EXP),
        **dict.fromkeys(("softmax", "softmax-numpy", "softmax-single"), SOFTMAX),
        **dict.fromkeys(("logistic", "logistic-single"), (logistic, {"one": one})),
    }
