"""Pages as MLflow's client asks for them: a size within bounds, and an opaque token that is absent on the last page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from taxiway.compat.mlflow.refusals import ParameterMissing, invalid

Row = TypeVar("Row")

LONGEST_TOKEN = 4096


def page_size(given: int | None, *, usual: int | None, most: int) -> int:
    """How many to give. usual: where nothing was said; None means that it must be said. Raises ParameterInvalid."""
    if given is None and usual is None:
        raise ParameterMissing(parameter="max_results")
    size = usual if given is None else given
    if size is None or not 1 <= size <= most:
        raise invalid("max_results", given, f"a whole number: max_results must be between 1 and {most}")
    return size


def page(rows: Sequence[Row], *, size: int, token: str) -> tuple[Sequence[Row], str]:
    """The rows of a page, and the token of the next one; empty on the last, also where that is full."""
    start = read_offset(token)
    end = start + size
    return rows[start:end], write_token(str(end)) if end < len(rows) else ""


def write_token(place: str) -> str:
    """A place as an opaque token."""
    return base64.urlsafe_b64encode(place.encode()).decode()


def read_token(token: str) -> str:
    """The place that a token stands for. Raises ParameterInvalid."""
    try:
        return base64.b64decode(token[:LONGEST_TOKEN].encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError) as e:
        raise invalid("page_token", token, "the next_page_token of the page before") from e


def read_offset(token: str) -> int:
    place = read_token(token) if token else "0"
    if not (place.isascii() and place.isdigit()) or len(place) > 18:
        raise invalid("page_token", token, "the next_page_token of the page before")
    return int(place)
