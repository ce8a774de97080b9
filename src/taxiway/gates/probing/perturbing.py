"""Rows as they might come instead: values lost, noise, another unit, a declared change. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from taxiway.models.predicting.signature import Column, Signature

Inputs = dict[str, list[Any]]
NUMERIC = ("number", "integer")


class Perturbed(Struct, frozen=True):
    """Rows after one change. what: such as "x10 in income"."""

    what: str
    inputs: Inputs


def lost(signature: Signature, inputs: Inputs, *, share: float, seed: int) -> Perturbed | None:
    """This share of the values missing, where the signature lets a column have gaps; None where it lets none."""
    columns = [column.name for column in signature.inputs if column.nullable]
    if not columns:
        return None
    draws = np.random.default_rng(seed)
    changed = dict(inputs)
    for name in columns:
        gone = draws.random(len(inputs[name])) < share
        changed[name] = [None if is_gone else value for value, is_gone in zip(inputs[name], gone, strict=True)]
    return Perturbed(f"{share:.0%} of values missing", changed)


def noisy(signature: Signature, inputs: Inputs, *, share: float, seed: int) -> Perturbed | None:
    """Normal noise on every column of numbers, this share of its spread wide; None where there is none.

    Whole numbers stay whole, and so a small noise leaves most of them as they are.
    """
    columns = numeric(signature)
    if not columns:
        return None
    draws = np.random.default_rng(seed)
    changed = dict(inputs)
    for column in columns:
        wide = share * spread(inputs[column.name])
        noise = draws.normal(0.0, wide, len(inputs[column.name])) if wide else np.zeros(len(inputs[column.name]))
        pairs = zip(inputs[column.name], noise.tolist(), strict=True)
        changed[column.name] = [None if v is None else fitted(column, v + n) for v, n in pairs]
    return Perturbed(f"noise of {share:.0%} of the spread", changed)


def in_units(signature: Signature, inputs: Inputs, factor: float) -> Iterator[Perturbed]:
    """Each column of numbers in turn as if it came in another unit; those of truth values, 0 and 1, in none."""
    for column in numeric(signature):
        values = inputs[column.name]
        if {value for value in values if value is not None} <= {0, 1}:
            continue
        yield Perturbed(f"x{factor:g} in {column.name}", inputs | {column.name: changed(column, values, factor, 0.0)})


def declared(signature: Signature, inputs: Inputs, name: str, *, factor: float, add: float) -> Perturbed | None:
    """A column multiplied and moved; None where the model has no such column of numbers."""
    column = next((each for each in numeric(signature) if each.name == name), None)
    if column is None:
        return None
    how = " ".join([f"x{factor:g}"] * (factor != 1) + [f"{add:+g}"] * (add != 0))
    return Perturbed(f"{how} in {name}", inputs | {name: changed(column, inputs[name], factor, add)})


def changed(column: Column, values: list[Any], factor: float, add: float) -> list[Any]:
    """A gap stays one."""
    return [None if value is None else fitted(column, value * factor + add) for value in values]


def fitted(column: Column, value: float) -> Any:
    """A number in its column's type; what is not a number stays a gap."""
    if math.isnan(value):
        return None
    return round(value) if column.type == "integer" else value


def numeric(signature: Signature) -> list[Column]:
    return [column for column in signature.inputs if column.type in NUMERIC]


def spread(values: list[Any]) -> float:
    """The standard deviation of the known values."""
    known = np.asarray([value for value in values if value is not None], dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(known.std()) if known.size else 0.0


def shifts(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> tuple[list[float], bool]:
    """How far each answer moved, and whether answers are decisions.

    1 where a decision is another and 0 where it stays; of a number the distance, in spreads of the answers before.
    """
    old, new = [each["prediction"] for each in before], [each["prediction"] for each in after]
    if "score" in before[0] or not isinstance(old[0], float):
        return [float(a != b) for a, b in zip(old, new, strict=True)], True
    wide = float(np.std(np.asarray(old, dtype=np.float64))) or 1.0
    return [abs(a - b) / wide for a, b in zip(old, new, strict=True)], False
