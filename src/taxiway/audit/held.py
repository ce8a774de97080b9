"""Heads that were kept elsewhere, as files and people hold them: one in JSON, or one to a line."""

from __future__ import annotations

from collections.abc import Sequence

from taxiway.audit.contract import TreeHead
from taxiway.kernel.errors import BadField
from taxiway.kernel.problems import decode


def forked(heads: Sequence[TreeHead]) -> int | None:
    """A size of which two of these heads differ: then the log was forked; None where no two do."""
    roots: dict[int, str] = {}
    return next((head.size for head in heads if roots.setdefault(head.size, head.root) != head.root), None)


def read_heads(data: bytes, name: str = "what was given") -> list[TreeHead]:
    """The heads in a text, of which blank lines are no part. name: what a refusal calls it. Raises BadField."""
    lines = [line for line in data.splitlines() if line.strip()]
    try:
        return [decode(line, TreeHead) for line in lines]
    except BadField as e:
        expected = "heads as `taxiway audit head --out FILE` and witnesses write them, one to a line"
        raise BadField(field="head", value=repr(name), expected=expected) from e
