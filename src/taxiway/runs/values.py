"""What may be logged: numbers, parameters and figures in the shapes that libraries give them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import msgspec

from taxiway.kernel.errors import BadField
from taxiway.kernel.numbers import Number, from_wire, to_wire
from taxiway.runs.compare import Row, Scalar
from taxiway.runs.contract import Comparison, Point, Run
from taxiway.runs.paths import check_key

LONGEST_TEXT = 8_000
LONGEST_NAME = 250
SVG, PNG, JPEG = "image/svg+xml", "image/png", "image/jpeg"
ENDINGS = {SVG: ".svg", PNG: ".png", JPEG: ".jpg"}


def floats(measured: Mapping[str, Number]) -> dict[str, Number]:
    """Metrics as a program counts with them: what cannot be said in JSON travelled as a word."""
    return {key: from_wire(value) for key, value in measured.items()}


def run_in_floats(run: Run) -> Run:
    return msgspec.structs.replace(run, metrics=floats(run.metrics))


def point_in_floats(point: Point) -> Point:
    return msgspec.structs.replace(point, value=from_wire(point.value))


def comparison_in_floats(found: Comparison) -> Comparison:
    """The comparison with the metrics of its runs and their rows as floats; parameters stay as they were logged."""
    rows = [
        Row(row.name, [None if value is None else float(value) for value in row.values], row.is_different)
        for row in found.metrics
    ]
    return msgspec.structs.replace(found, runs=[run_in_floats(run) for run in found.runs], metrics=rows)


def as_measured(key: str, value: Any) -> float:
    """A metric's value as a float: from Python, numpy or torch. Raises BadField for texts and what is no one number."""
    if not isinstance(value, (str, bytes)):
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            pass
    raise BadField(field=key, value=shorten(value), expected="one number; NaN and the infinities are numbers too")


def as_step(step: Any) -> int:
    """A step as an int. Raises BadField."""
    if isinstance(step, bool) or not hasattr(step, "__index__"):
        raise BadField(field="step", value=shorten(step), expected="a whole number")
    whole = int(step.__index__())
    if not -(2**63) <= whole < 2**63:
        raise BadField(field="step", value=shorten(step), expected="a whole number of at most 64 bits")
    return whole


def as_param(name: str, value: Any) -> Scalar:
    """A parameter as text, number or truth; anything else as Python would print it. Raises BadField."""
    if not isinstance(value, (str, bool, int, float)) and callable(item := getattr(value, "item", None)):
        try:
            value = item()  # a scalar of numpy or torch
        except (TypeError, ValueError, RuntimeError):
            value = str(value)
    match value:  # their subclasses, such as numpy's float64 and enumerations, become plain
        case bool():
            return bool(value)
        case int():
            return int(value)
        case float():
            return to_wire(float(value))
    return as_text(name, str(value))


def as_text(name: str, text: str) -> str:
    """A text that is not too long for a parameter or tag. Raises BadField."""
    if len(text) > LONGEST_TEXT:
        expected = f"at most {LONGEST_TEXT:,} characters; log longer ones as an artifact"
        raise BadField(field=name, value=f"a text of {len(text):,} characters", expected=expected)
    return text


def as_name(kind: str, name: str) -> None:
    """Refuses what the server would not take as the name of a metric, parameter or tag. Raises BadField."""
    if not 1 <= len(name) <= LONGEST_NAME:
        expected = f"a name of 1 to {LONGEST_NAME} characters in one line"
        raise BadField(field=kind, value=shorten(name), expected=expected)
    check_key(kind, name)


def as_figure(figure: Any) -> tuple[bytes, str]:
    """The bytes of a figure and their media type: a matplotlib Figure as SVG; SVG text; SVG, PNG or JPEG bytes."""
    if callable(save := getattr(figure, "savefig", None)):
        into = io.BytesIO()
        save(into, format="svg", metadata={"Date": None}, bbox_inches="tight")
        return into.getvalue(), SVG
    data = figure.encode() if isinstance(figure, str) else figure
    if isinstance(data, (bytes, bytearray)):
        start = bytes(data[:200]).lstrip()
        if start.startswith(b"\x89PNG\r\n\x1a\n"):
            return bytes(data), PNG
        if start.startswith(b"\xff\xd8\xff"):
            return bytes(data), JPEG
        if start.startswith((b"<svg", b"<?xml", b"<!DOCTYPE svg")):
            return bytes(data), SVG
    raise BadField(
        field="figure",
        value=shorten(figure),
        expected="a matplotlib Figure, SVG text, or the bytes of an SVG, PNG, JPEG",
    )


def shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
