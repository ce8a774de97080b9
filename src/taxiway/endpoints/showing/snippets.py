"""How to ask an endpoint from a shell and from Python, with the row that its model was recorded with. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

from taxiway.endpoints.contract import EndpointDetail
from taxiway.endpoints.showing.trying import as_number

WIDEST = 76  # characters of a line, so that nothing of it is hidden beside the page


def snippets(detail: EndpointDetail, example: dict[str, Any]) -> dict[str, str]:
    """The texts by language."""
    row = {column.name: plain(example.get(column.name)) for column in detail.signature.inputs}
    url = detail.gateway or f"$TAXIWAY_URL{detail.path}"
    return {
        "curl": (
            f"curl {url} \\\n  -H 'Content-Type: application/json' \\\n"
            f'  -H "Authorization: Bearer $TAXIWAY_TOKEN" \\\n  -d {shlex.quote(packed(row, json.dumps))}'
        ),
        "python": (
            "import taxiway as tw\n\n"
            f'answer = tw.connect().endpoints.invoke("{detail.endpoint.name}", {packed(row, literal)})\n'
            "print(answer.predictions, answer.prediction_id)"
        ),
    }


def plain(value: Any) -> Any:
    """A value as a person would write it.

    >>> plain(3.200000047683716), plain(7), plain("AA")
    (3.2, 7, 'AA')
    """
    return float(as_number(value)) if isinstance(value, float) else value


def literal(value: Any) -> str:
    """A value as Python writes it, texts in double quotes."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def packed(row: dict[str, Any], say: Callable[[Any], str]) -> str:
    """An object with as many of its fields on a line as fit.

    >>> print(packed({"income": 71.5, "is_urban": True}, literal))
    {
      "income": 71.5, "is_urban": True
    }
    """
    lines: list[str] = []
    for name, value in row.items():
        said = f"{json.dumps(name)}: {say(value)}"
        if lines and len(lines[-1]) + len(said) + 3 <= WIDEST:
            lines[-1] += f", {said}"
        else:
            lines.append(f"  {said}")
    return "{\n" + ",\n".join(lines) + "\n}"
