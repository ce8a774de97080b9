"""Answers in a terminal: a table for lists, names and values for one thing, JSON for programs."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.numbers import to_wire

# What a terminal would obey or read backwards, whoever stored it; line ends and tabs are neither.
ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
WIDEST = 72  # a digest fits, with its algorithm
WIDEST_MARKDOWN = 300


def as_json(answer: Any) -> str:
    """An answer or a refusal as indented JSON."""
    if isinstance(answer, TaxiwayError):
        answer = {"error": type(answer).__name__, "detail": str(answer), "facts": answer.facts()}
    return msgspec.json.format(msgspec.json.encode(sayable(msgspec.to_builtins(answer))), indent=2).decode()


def sayable(plain: Any) -> Any:
    """Plain values as JSON can say them: NaN and the infinities as words, as everywhere on the wire."""
    match plain:
        case float():
            return to_wire(plain)
        case list() | tuple():
            return [sayable(value) for value in plain]
        case dict():
            return {name: sayable(value) for name, value in plain.items()}
    return plain


def as_text(answer: Any, columns: Sequence[str] = ()) -> str:
    """An answer for people."""
    if isinstance(answer, str):
        return answer
    plain = msgspec.to_builtins(answer, builtin_types=(datetime,))
    if isinstance(plain, list):
        return as_table(plain, columns)
    if isinstance(plain, dict):
        return as_facts(plain)
    return cell(plain)


def as_table(rows: list[Any], columns: Sequence[str] = ()) -> str:
    """Rows under their headings; numbers to the right."""
    if not rows:
        return "(none)"
    names = list(columns) or list(rows[0])
    heads = [name.rpartition(".")[2].replace("_", " ") for name in names]
    return as_grid(heads, [[pick(row, name) for name in names] for row in rows])


def as_grid(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Values under their headings; columns of numbers to the right."""
    texts = [[cell(value, WIDEST).replace("\n", " ") for value in row] for row in rows]
    widths = [max([len(head), *(len(row[i]) for row in texts)]) for i, head in enumerate(heads)]
    is_number = [all(isinstance(row[i], (int, float, type(None))) for row in rows) for i in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        padded = (c.rjust(w) if n else c.ljust(w) for c, w, n in zip(cells, widths, is_number, strict=True))
        return "  ".join(padded).rstrip()

    return "\n".join([line(heads), line(["-" * w for w in widths]), *map(line, texts)])


def as_markdown(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Values under their headings, as a table in Markdown. What a value says is never markup."""
    is_number = [bool(rows) and all(isinstance(row[i], (int, float)) for row in rows) for i in range(len(heads))]
    rule = ["--:" if n else "---" for n in is_number]
    lines = [list(heads), rule, *([plain(cell(value, WIDEST_MARKDOWN)) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plain(text: str) -> str:
    """A text in one line that Markdown shows as it is.

    >>> plain("a|b <i> *c*")
    'a\\\\|b &lt;i&gt; \\\\*c\\\\*'
    """
    shown = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return " ".join("".join(f"\\{c}" if c in "\\|*_`[]#~!" else c for c in shown).split())


def as_facts(thing: dict[str, Any], indent: str = "") -> str:
    """Names and values, nested ones further in; those without a value are left out."""
    thing = {name: value for name, value in thing.items() if value not in (None, "", [], {})}
    width = max((len(name) for name in thing), default=0)
    lines = []
    for name, value in thing.items():
        label = name.replace("_", " ")
        if isinstance(value, dict) and value:
            lines += [f"{indent}{label}", as_facts(value, indent + "  ")]
        elif isinstance(value, (list, tuple)) and value and isinstance(value[0], dict):
            table = as_table(list(value))
            lines += [f"{indent}{label}", *(f"{indent}  {row}" for row in table.splitlines())]
        else:
            lines.append(f"{indent}{label.ljust(width)}  {cell(value)}".rstrip())
    return "\n".join(lines)


def pick(row: Any, dotted: str) -> Any:
    """A field by its dotted name."""
    for step in dotted.split("."):
        row = row.get(step) if isinstance(row, dict) else None
    return row


def cell(value: Any, widest: int = 10_000) -> str:
    """One value, short."""
    match value:
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case float():
            text = f"{value:.6g}" if math.isfinite(value) else str(to_wire(value))
        case datetime():
            text = f"{value:%Y-%m-%d %H:%M:%S}Z"
        case list():
            text = ", ".join(cell(v) for v in value)
        case dict():
            text = ", ".join(f"{k}={cell(v)}" for k, v in value.items())
        case _:
            text = visible(str(value))
    return text if len(text) <= widest else text[: widest - 1] + "…"


def visible(text: str) -> str:
    """A text whose control characters are written out.

    >>> visible("red \\x1b[31m")
    'red \\\\x1b[31m'
    """
    return ODD.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
