"""A column of numbers that keeps what it is given, bit by bit, on both databases."""

from __future__ import annotations

from sqlalchemy import Float
from sqlalchemy.ext.compiler import compiles


class ExactFloat(Float[float]):
    """A floating-point number of which every bit is kept.

    In a column that SQLite takes for one of numbers, a whole one is kept as an integer, and -0.0 loses its sign.
    """


@compiles(ExactFloat, "sqlite")
def write_exact_float(_type: ExactFloat, _compiler: object, **_given: object) -> str:
    return "BLOB"  # which converts nothing
