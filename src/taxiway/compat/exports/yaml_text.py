"""Plain data as YAML that people read: blocks, two spaces, every text in quotes. The client has no YAML library."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def documents(*found: Mapping[str, Any]) -> str:
    """One or several documents.

    >>> print(documents({"kind": "Service", "spec": {"ports": [{"port": 80}]}}), end="")
    kind: "Service"
    spec:
      ports:
        - port: 80
    """
    return "---\n".join("\n".join(lines(each)) + "\n" for each in found)


def lines(value: Any, indent: str = "") -> Iterator[str]:
    """The lines of a mapping or of a list."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if is_block(inner):
                yield f"{indent}{name}:"
                yield from lines(inner, indent + "  ")
            else:
                yield f"{indent}{name}: {scalar(inner)}"
    else:
        for inner in value:
            if is_block(inner):
                first, *rest = lines(inner, indent + "  ")
                yield f"{indent}- {first.lstrip()}"
                yield from rest
            else:
                yield f"{indent}- {scalar(inner)}"


def is_block(value: Any) -> bool:
    return isinstance(value, Mapping | Sequence) and not isinstance(value, str) and len(value) > 0


def scalar(value: Any) -> str:
    """A value in JSON's form, which is YAML too."""
    return json.dumps(value)
