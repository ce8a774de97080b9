"""The terms of a contract, and what is found when rows are held against them."""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct

Scalar = str | int | float | bool | None

ColumnType = Literal[
    "boolean",
    "integer",
    "number",
    "string",
    "date",
    "datetime",
    "time",
    "duration",
    "binary",
    "list",
    "struct",
    "null",  # a column that holds nothing at all
]

FindingKind = Literal[
    "column missing",
    "column unexpected",
    "type",
    "missing value",
    "below",
    "above",
    "not allowed",
    "not unique",
    "too few rows",
]


class ColumnTerms(Struct, frozen=True, forbid_unknown_fields=True):
    """What a column must fulfil. A value that is null or NaN is missing, and breaks `nullable: false` alone.

    type: `number` takes integers too; `integer` takes a floating column where every value is whole, for that is how
    pandas keeps integers with gaps. min, max: inclusive; ISO 8601 text for dates and times. allowed: every value
    that may stand there.
    """

    type: ColumnType | None = None
    required: bool = True
    nullable: bool = True
    unique: bool = False
    min: int | float | str | None = None
    max: int | float | str | None = None
    allowed: list[str | int | float | bool] | None = None

    def __post_init__(self) -> None:
        if self.min is not None and self.max is not None:
            if isinstance(self.min, str) != isinstance(self.max, str):
                raise ValueError("min and max of one kind, both numbers or both text")
            if self.min > self.max:  # type: ignore[operator]
                raise ValueError(f"a min that is not above max ({self.min} > {self.max})")
        if any(isinstance(bound, float) and math.isnan(bound) for bound in (self.min, self.max)):
            raise ValueError("a min and max that are numbers")
        if self.allowed == []:
            raise ValueError("at least one allowed value")


class Contract(Struct, frozen=True, forbid_unknown_fields=True):
    """What the rows of a dataset must fulfil.

    columns: terms by column. only_these_columns: any other column is a finding. unique: keys, each a list of
    columns whose values together must differ from row to row. min_rows: how many rows there must be at least.

    >>> Contract(columns={"gdlin": ColumnTerms(type="integer", allowed=[0, 1])}).columns["gdlin"].allowed
    [0, 1]
    """

    columns: dict[str, ColumnTerms] = {}
    only_these_columns: bool = False
    unique: list[list[str]] = []
    min_rows: int = 1

    def __post_init__(self) -> None:
        if self.min_rows < 0:
            raise ValueError("a min_rows of 0 or more")
        if any(not key or len(set(key)) != len(key) for key in self.unique):
            raise ValueError("unique keys of at least one column, each named once")


class ContractFinding(Struct, frozen=True):
    """One way in which rows break a contract.

    column: its name; several names joined by a comma for a key; empty for the table. rule: in words. count: how many
    rows break it, 0 where it is the schema that does. rows: the first of them, counted from 0. values: what stands
    in those rows; for a key of several columns as text.
    """

    column: str
    kind: FindingKind
    rule: str
    count: int
    rows: list[int] = []
    values: list[Scalar] = []

    @property
    def sentence(self) -> str:
        """The finding for people.

        >>> ContractFinding("gdlin", "not allowed", "must be one of 0, 1", 2, [7, 91], [666, 666]).sentence
        'gdlin must be one of 0, 1: 2 rows break this (row 7: 666, row 91: 666).'
        """
        about = self.column or "The table"
        if not self.rows:
            return f"{about} {self.rule}."
        shown = [f"row {row:,}: {said(v)}" for row, v in zip(self.rows[:3], self.values[:3], strict=True)]
        more = ", …" if self.count > len(shown) else ""
        rows = "1 row breaks" if self.count == 1 else f"{self.count:,} rows break"
        return f"{about} {self.rule}: {rows} this ({', '.join(shown)}{more})."


class ContractResult(Struct, frozen=True):
    """Whether rows fulfil a contract, and everything in which they do not."""

    passed: bool
    rows: int
    findings: list[ContractFinding] = []

    @property
    def sentence(self) -> str:
        """The verdict for people."""
        if self.passed:
            return f"All {self.rows:,} rows fulfil the contract."
        number = "1 finding" if len(self.findings) == 1 else f"{len(self.findings)} findings"
        return f"The contract is broken, {number}. {' '.join(f.sentence for f in self.findings[:3])}"


def said(value: Scalar) -> str:
    """A value as it is written in a sentence."""
    if value is None:
        return "missing"
    return repr(value) if isinstance(value, str) else str(value)
