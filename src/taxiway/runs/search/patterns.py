"""Regular expressions of filters, by an engine whose time grows with the text alone: no pattern can hang a search."""

from __future__ import annotations

from functools import lru_cache

import re2

LONGEST = 1_000
MOST_BYTES = 1 << 20  # of a compiled pattern: it refuses a{1000}{1000}


class PatternBroken(ValueError):
    """A regular expression that cannot be read; says why."""


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re2._Regexp:
    """The pattern, ready to search with. Raises PatternBroken."""
    if len(pattern) > LONGEST:
        raise PatternBroken(f"it has more than {LONGEST:,} characters")
    options = re2.Options()
    options.max_mem = MOST_BYTES
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as e:
        said = e.args[0] if e.args else "it cannot be read"
        raise PatternBroken(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from e


def is_found(pattern: str, text: str | None) -> bool:
    """Whether the pattern is anywhere in the text."""
    return text is not None and compiled(pattern).search(text) is not None
