"""What may name an artifact. Pure."""

from __future__ import annotations

import unicodedata

from taxiway.kernel.errors import BadField

LONGEST_PATH = 1000
LONGEST_SEGMENT = 250
EXPECTED = (
    "a relative path such as figures/roc.svg: segments of at most 250 bytes between slashes, none of them empty, "
    "'.' or '..', without backslashes or control characters, in Unicode's composed form (NFC)"
)


def check_path(path: str) -> str:
    """The path of an artifact, as it is. Raises BadField.

    Nothing on the disk is ever named by it; it is refused where it could mislead whoever saves the file.
    """
    segments = path.split("/")
    is_safe = (
        len(path.encode("utf-8", "replace")) <= LONGEST_PATH
        and all(s not in ("", ".", "..") and len(s.encode("utf-8", "replace")) <= LONGEST_SEGMENT for s in segments)
        and "\\" not in path
        and is_clean(path)
        and unicodedata.is_normalized("NFC", path)
    )
    if not is_safe:
        raise BadField(field="path", value=repr(path[:100]), expected=EXPECTED)
    return path


def check_key(field: str, key: str) -> None:
    """Refuses a name of a metric, parameter or tag that could not be shown in a line. Raises BadField."""
    if not is_clean(key) or key != key.strip():
        expected = "a name of 1 to 250 characters in one line, without blanks at its ends"
        raise BadField(field=field, value=repr(key[:100]), expected=expected)


def is_clean(text: str) -> bool:
    """Whether a text has no control characters, surrogates or marks that turn its direction."""
    return not any(unicodedata.category(c) in ("Cc", "Cs") or c in BIDI for c in text)


BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
