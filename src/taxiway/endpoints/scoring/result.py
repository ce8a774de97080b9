"""What a scoring says: how far it is, and what came of it. Light, for the client."""

from __future__ import annotations

from msgspec import Struct


class HowFar(Struct, frozen=True):
    """share: 0 to 1; seconds_left: None while nothing was answered yet."""

    rows: int
    share: float
    rows_per_s: float
    seconds_left: float | None


class Scored(Struct, frozen=True, kw_only=True):
    """A file of answers. failed: rows with an error instead of one; resumed: rows that an earlier run had answered.

    difference: the largest found between answers in a block and those of the same rows alone, of 64 rows of the first
    block; 0 is equal to the last bit. inputs: the registered datasets that the input is;
    registered: the dataset version that the output became.
    """

    id: str
    model: str
    version: int
    is_trial: bool
    rows: int
    failed: int
    resumed: int
    output: str
    digest: str
    input_digest: str
    seconds: float = 0.0
    difference: float | None = None
    inputs: list[str] = []
    registered: str = ""
