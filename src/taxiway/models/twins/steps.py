"""What happens to rows before a model sees them, as steps of ONNX: scaling, filling of gaps, picking, encoding.

All of it is done in doubles, one operation after the other as the libraries do it, so that the bits are theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from taxiway.models.twins.onnx import DOUBLE, Node, Value

Ints: TypeAlias = NDArray[np.int64]
Doubles: TypeAlias = NDArray[np.float64]


class Each(NamedTuple):
    """An operation with one number for each column."""

    kind: Literal["Add", "Sub", "Mul", "Div"]
    by: Doubles


class Fill(NamedTuple):
    """Gaps become one number for each column."""

    values: Doubles


class Swap(NamedTuple):
    """One number becomes another."""

    old: float
    new: float


class Pick(NamedTuple):
    """Some of the columns, in this order; one may come twice."""

    columns: Ints


class Matches(NamedTuple):
    """1 where a value is the column's, and 0 elsewhere."""

    values: Doubles


class Times(NamedTuple):
    """The rows times a matrix."""

    matrix: Doubles


class Beside(NamedTuple):
    """Several ways of the same rows, their columns side by side."""

    ways: tuple[tuple[Step, ...], ...]


Step: TypeAlias = "Each | Fill | Swap | Pick | Matches | Times | Beside"


class Written(NamedTuple):
    """The nodes that steps became, the constants these read, and the names given so far."""

    nodes: list[Node]
    constants: dict[str, NDArray[Any]]

    def write(self, steps: Iterable[Step], rows: str) -> str:
        """The name of what the steps make of the rows."""
        for step in steps:
            rows = self.write_one(step, rows)
        return rows

    def write_one(self, step: Step, rows: str) -> str:
        match step:
            case Each(kind, by):
                made = self.node(kind, [rows, self.constant(by)])
            case Fill(values):
                made = self.node("Where", [self.node("IsNaN", [rows]), self.constant(values), rows])
            case Swap(old, new):
                is_old = self.node("Equal", [rows, self.constant(np.array(old))])
                made = self.node("Where", [is_old, self.constant(np.array(new)), rows])
            case Pick(columns):
                made = self.node("Gather", [rows, self.constant(columns)], axis=1)
            case Matches(values):
                made = self.node("Cast", [self.node("Equal", [rows, self.constant(values)])], to=DOUBLE)
            case Times(matrix):
                made = self.node("MatMul", [rows, self.constant(matrix)])
            case Beside(ways):
                made = self.node("Concat", [self.write(way, rows) for way in ways], axis=1)
            case _:
                assert_never(step)
        return made

    def node(self, kind: str, inputs: Sequence[str], **attributes: Value) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(Node(kind, inputs, name, attributes))
        return name

    def constant(self, value: NDArray[Any]) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name


class Origin(NamedTuple):
    """The column of the rows that a prepared column came from, and what was done to it, one number at a time."""

    column: int
    done: tuple[tuple[str, float], ...] = ()

    def back(self, values: Doubles) -> Doubles:
        """About the numbers that were given where these came out."""
        undo = {"Add": np.subtract, "Sub": np.add, "Mul": np.divide, "Div": np.multiply}
        with np.errstate(all="ignore"):
            for kind, by in reversed(self.done):
                values = undo[kind](values, by)
        return values


def origins(steps: Iterable[Step], before: Sequence[Origin | None]) -> list[Origin | None]:
    """Where each prepared column came from; None for one that is no single column's."""
    now = list(before)
    for step in steps:
        match step:
            case Each(kind, by):
                now = [
                    None if each is None else Origin(each.column, (*each.done, (kind, float(value))))
                    for each, value in zip(now, by, strict=True)
                ]
            case Pick(columns):
                now = [now[column] for column in columns.tolist()]
            case Matches():
                now = [None] * len(now)
            case Times(matrix):
                now = [None] * matrix.shape[1]
            case Beside(ways):
                now = [each for way in ways for each in origins(way, now)]
            case Fill() | Swap():
                pass
    return now
