"""The law of contracts: which rows break which terms. Pure.

A value that is null or NaN is missing; it breaks `nullable: false` and nothing else. Rows count from 0.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from taxiway.datasets.kinds import ORDERED, column_type, plain, scalars
from taxiway.datasets.terms import ColumnTerms, ColumnType, Contract, ContractFinding, ContractResult, FindingKind, said

MOST_ROWS_NAMED = 20

Mask = NDArray[np.bool_]


class Table(Protocol):
    """What the law needs of a table; a `pyarrow.Table` fits, and so does a file read column by column."""

    @property
    def schema(self) -> Any: ...
    @property
    def num_rows(self) -> int: ...
    def column(self, name: str) -> Any: ...


class Incomparable(Exception):
    """A bound that no value of the column can be compared with."""


def check(table: Table, contract: Contract) -> ContractResult:
    """Everything in which a table breaks a contract: columns in the contract's order, then keys, then rows."""
    findings = [*column_findings(table, contract), *key_findings(table, contract)]
    if table.num_rows < contract.min_rows:
        rule = f"must have at least {contract.min_rows:,} rows, and has {table.num_rows:,}"
        findings.append(ContractFinding("", "too few rows", rule, 0))
    return ContractResult(passed=not findings, rows=table.num_rows, findings=findings)


def comparable_values(column: Any) -> Any:
    """A column's values in a type that Arrow compares: decimals and half floats wider, and one zero, not two."""
    array = plain(column)
    if pt.is_decimal(array.type):
        array = array.cast(pa.float64())
    if pt.is_float16(array.type):
        array = array.cast(pa.float32())
    return pc.add(array, pa.scalar(0, array.type)) if pt.is_floating(array.type) else array


def column_findings(table: Table, contract: Contract) -> Iterator[ContractFinding]:
    names = list(table.schema.names)
    for name, terms in contract.columns.items():
        if name in names:
            yield from value_findings(name, comparable_values(table.column(name)), terms)
        elif terms.required:
            near = difflib.get_close_matches(name.lower(), [n.lower() for n in names], n=1)
            meant = next((n for n in names if near and n.lower() == near[0]), "")
            yield ContractFinding(
                name, "column missing", "must be there" + (f"; there is {meant!r}" if meant else ""), 0
            )
    if contract.only_these_columns:
        for name in names:
            if name not in contract.columns:
                yield ContractFinding(name, "column unexpected", "is not in the contract and must not be there", 0)


def value_findings(name: str, array: Any, terms: ColumnTerms) -> Iterator[ContractFinding]:
    """Everything in which one column breaks its terms."""
    found = column_type(array.type)
    if terms.type is not None and not is_of(found, terms.type):
        fractions = not_whole(array) if (terms.type, found) == ("integer", "number") else None
        if fractions is None:
            yield ContractFinding(name, "type", f"must be of type {terms.type}, and is of type {found}", 0)
            return
        yield from finding(name, "type", "must hold whole numbers", fractions, array)
    missing = to_mask(pc.is_null(array, nan_is_null=pt.is_floating(array.type)))
    if not terms.nullable:
        yield from finding(name, "missing value", "must not be missing", missing, array)
    for kind, rule, broken in (*bounds(array, terms, found), *membership(array, terms, found)):
        if broken is None:
            yield ContractFinding(name, "type", f"{rule}, but a column of type {found} cannot be compared with that", 0)
        else:
            yield from finding(name, kind, rule, broken & ~missing, array)
    if terms.unique:
        yield from unique_findings(name, [array])


def bounds(array: Any, terms: ColumnTerms, found: ColumnType) -> Iterator[tuple[FindingKind, str, Mask | None]]:
    """The rules of min and max, with the rows beyond them; None where they cannot be compared."""
    if terms.min is not None:
        yield "below", f"must be at least {terms.min}", beyond(array, terms.min, found, is_min=True)
    if terms.max is not None:
        yield "above", f"must be at most {terms.max}", beyond(array, terms.max, found, is_min=False)


def beyond(array: Any, bound: int | float | str, found: ColumnType, *, is_min: bool) -> Mask | None:
    """Rows below a minimum or above a maximum."""
    try:
        if found == "null":
            return np.zeros(len(array), bool)
        if found == "integer":
            return beyond_whole(array, bound, is_min=is_min)
        edge = comparable(bound, array.type, found)
        return to_mask(pc.less(array, edge) if is_min else pc.greater(array, edge))
    except Incomparable:
        return None


def beyond_whole(array: Any, bound: int | float | str, *, is_min: bool) -> Mask:
    """Rows of a whole-number column beyond a bound, which need not be whole nor fit the column's width."""
    if isinstance(bound, str):
        raise Incomparable
    limits = np.iinfo(array.type.to_pandas_dtype())
    if math.isinf(bound):
        edge = int(limits.max) + 1 if bound > 0 else int(limits.min) - 1
    else:
        edge = math.ceil(bound) if is_min else math.floor(bound)
    if limits.min <= edge <= limits.max:
        typed = pa.scalar(edge, array.type)
        return to_mask(pc.less(array, typed) if is_min else pc.greater(array, typed))
    is_every_row_beyond = edge > limits.max if is_min else edge < limits.min
    return np.full(len(array), is_every_row_beyond)


def comparable(bound: int | float | str | bool, type_: Any, found: ColumnType) -> Any:
    """A bound as a scalar of the column's type, in its own precision. Raises Incomparable."""
    is_text = isinstance(bound, str)
    if found not in ORDERED or isinstance(bound, bool) or is_text == (found in ("number", "integer", "duration")):
        raise Incomparable
    try:
        if found == "number":
            return pa.scalar(np.array(bound).astype(type_.to_pandas_dtype())[()], type_)
        if found == "duration":
            return pa.scalar(np.timedelta64(round(float(bound) * 1e9), "ns")).cast(type_, safe=False)
        if found == "datetime" and type_.tz and is_text:
            return pc.assume_timezone(as_naive(str(bound)), "UTC").cast(type_)
        return pa.scalar(bound).cast(type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError, OverflowError) as e:
        raise Incomparable from e


def as_naive(text: str) -> Any:
    """An ISO 8601 moment as UTC without saying so; one without an offset is taken as UTC."""
    try:
        return pa.scalar(text).cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return pa.scalar(text).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))


def membership(array: Any, terms: ColumnTerms, found: ColumnType) -> Iterator[tuple[FindingKind, str, Mask | None]]:
    """The rule of the allowed values, with the rows that hold another."""
    if terms.allowed is None:
        return
    rule = f"must be one of {', '.join(said(v) for v in terms.allowed)}"
    typed = [value for value in terms.allowed if is_comparable(value, found)]
    if len(typed) < len(terms.allowed):
        yield "not allowed", rule, None
    elif found == "null":
        yield "not allowed", rule, np.zeros(len(array), bool)
    elif found == "integer":
        limits = np.iinfo(array.type.to_pandas_dtype())
        whole = [int(v) for v in typed if float(v).is_integer() and limits.min <= int(v) <= limits.max]
        yield "not allowed", rule, ~to_mask(pc.is_in(array, pa.array(whole, array.type)))
    else:
        try:
            given = [bound if found == "boolean" else comparable(bound, array.type, found).as_py() for bound in typed]
            yield "not allowed", rule, ~to_mask(pc.is_in(array, pa.array(given, array.type)))
        except Incomparable:
            yield "not allowed", rule, None


def is_comparable(value: str | int | float | bool, found: ColumnType) -> bool:
    """Whether a column of that type could hold the value at all."""
    if found == "null":
        return True
    if isinstance(value, bool):
        return found == "boolean"
    if isinstance(value, str):
        return found in ("string", "date", "datetime", "time")
    return found in ("integer", "number")


def key_findings(table: Table, contract: Contract) -> Iterator[ContractFinding]:
    """Rows that share the values of a key. A key with a column that is not there is said once."""
    for key in contract.unique:
        name = ", ".join(key)
        gone = [column for column in key if column not in table.schema.names]
        if gone:
            yield ContractFinding(name, "column missing", f"must be a key, but {', '.join(gone)} is not there", 0)
        else:
            yield from unique_findings(name, [comparable_values(table.column(column)) for column in key])


def unique_findings(name: str, arrays: Sequence[Any]) -> Iterator[ContractFinding]:
    rule = "must differ from row to row"
    try:
        repeated = repeats(arrays)
    except pa.ArrowNotImplementedError:
        yield ContractFinding(name, "type", f"{rule}, but a column of such a type cannot be compared", 0)
        return
    if repeated.any():
        rows = np.flatnonzero(repeated)[:MOST_ROWS_NAMED]
        shown = [scalars(array.take(pa.array(rows))) for array in arrays]
        values = shown[0] if len(shown) == 1 else [", ".join(said(v) for v in row) for row in zip(*shown, strict=True)]
        yield ContractFinding(name, "not unique", rule, int(repeated.sum()), rows.tolist(), list(values))


def repeats(arrays: Sequence[Any]) -> Mask:
    """The rows whose values stand in another row too, the first of them included. Rows with a gap are left out."""
    is_whole = np.ones(len(arrays[0]), bool)
    codes = np.zeros(len(arrays[0]), np.int64)
    for array in arrays:
        floats = pt.is_floating(array.type)
        is_whole &= ~to_mask(pc.is_null(array, nan_is_null=floats))
        values = array.dictionary_encode()
        combined = codes * max(len(values.dictionary), 1) + to_codes(values)
        codes = to_codes(pa.array(combined).dictionary_encode())  # dense again, so that the product cannot overflow
    counts = np.bincount(codes[is_whole], minlength=int(codes.max(initial=0)) + 1)
    repeated: Mask = (counts[codes] > 1) & is_whole
    return repeated


def to_codes(encoded: Any) -> NDArray[np.int64]:
    """Which value of its dictionary each row has; a gap counts as the first."""
    codes: NDArray[np.int64] = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def is_of(found: ColumnType, wanted: ColumnType) -> bool:
    """Whether a column's type will do. One that holds nothing at all fits every type."""
    return found in (wanted, "null") or (found == "integer" and wanted == "number")


def not_whole(array: Any) -> Mask | None:
    """Rows of a floating column that hold a fraction or an infinity; None where the column is not floating."""
    if not pt.is_floating(array.type):
        return None
    values = array.cast(pa.float64()).fill_null(0).to_numpy(zero_copy_only=False)
    fractions: Mask = ~np.isnan(values) & (~np.isfinite(values) | (values != np.floor(values)))
    return fractions


def finding(name: str, kind: FindingKind, rule: str, broken: Mask, array: Any) -> Iterable[ContractFinding]:
    """The finding of some broken rows; nothing where there are none."""
    if not broken.any():
        return []
    rows = np.flatnonzero(broken)[:MOST_ROWS_NAMED]
    values = scalars(array.take(pa.array(rows)))
    return [ContractFinding(name, kind, rule, int(broken.sum()), rows.tolist(), values)]


def to_mask(flags: Any) -> Mask:
    """Arrow's answer row by row; no answer counts as no."""
    mask: Mask = flags.fill_null(False).to_numpy(zero_copy_only=False)  # noqa: FBT003 - a value to fill in, no switch
    return mask
