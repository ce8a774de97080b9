"""The words and signs that a filter is made of. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, NoReturn, TypeVar

from taxiway.kernel.errors import BadField

Sign = TypeVar("Sign", bound=str)
Listed = TypeVar("Listed")

MOST_CHARACTERS = 20_000
QUOTED = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.|'')*'"""
TICKED = r"`(?:[^`\\]|\\.)+`"
TOKEN = re.compile(
    rf"""\s*(?:
        (?P<field>(?:[^\W\d]\w*|`[^\W\d]\w*`)\.(?:{TICKED}|{QUOTED}|[\w./-]+))
      | (?P<text>{QUOTED})
      | (?P<name>{TICKED})
      | (?P<span>\d+(?:\.\d+)?(?:ms|s|sec|min|m|h|d|w)\b)
      | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
      | (?P<sign><=|>=|!=|=|<|>|~)
      | (?P<mark>[(),])
      | (?P<word>[^\W\d]\w*)
    )""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A word or sign, and the character it begins at, counted from 1. kind "end" is what follows the last one."""

    kind: str
    text: str
    at: int

    def says(self, *words: str) -> bool:
        """Whether it is one of these words, in any case, or one of these marks."""
        return self.kind in ("word", "mark", "sign") and self.text.lower() in words


class Tokens:
    """The tokens of a text, one after the other."""

    def __init__(self, text: str, name: str) -> None:
        """name: what the text is called in a refusal. Raises BadField."""
        self.source = text
        self.name = name
        if len(text) > MOST_CHARACTERS:
            self.refuse(None, f"at most {MOST_CHARACTERS:,} characters")
        self.rest = self._read()
        self.total = len(self.rest)

    def _read(self) -> list[Token]:
        found: list[Token] = []
        at, text = 0, self.source
        while text[at:].strip():
            match = TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                rest = text[at:].lstrip()
                ended = "a closing quote" if rest[0] in "\"'`" else "a word, a number, a text in quotes or a sign"
                self.refuse(Token("end", rest[:20], len(text) - len(rest) + 1), ended)
            found.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1))
            at = match.end()
        return [*found, Token("end", "", len(text.rstrip()) + 1)]

    @property
    def now(self) -> Token:
        return self.rest[0]

    @property
    def is_begun(self) -> bool:
        """Whether a token was taken."""
        return len(self.rest) < self.total

    def take(self) -> Token:
        """The next token; the end stays."""
        return self.rest.pop(0) if len(self.rest) > 1 else self.rest[0]

    def skip(self, *words: str) -> bool:
        """Takes the next token if it is one of these words or marks; whether it did."""
        if self.now.says(*words):
            self.take()
            return True
        return False

    def take_sign(
        self, signs: Sequence[Sign], *, also: Mapping[str, Sign] = {}, spelled: Callable[[str], str] = str
    ) -> Sign:
        """The next sign, in one word or more, such as ``not in``. Raises BadField for one that is not among these.

        also: other words for some of them. spelled: how a refusal writes them.
        """
        at = self.take()
        said = at.text.lower() if at.kind in ("sign", "word") else ""
        if said == "not" and self.skip("in"):
            said = "not in"
        elif said == "is":
            said = "is not null" if self.skip("not") else "is null"
            if not self.skip("null"):
                self.refuse(self.now, spelled("null"))
        said = also.get(said, said)
        found = next((sign for sign in signs if sign == said), None)
        if found is None:
            self.refuse(at, one_of([spelled(sign) for sign in signs]))
        return found

    def take_list(
        self, take: Callable[[Sequence[Listed]], Listed], *, most: int, is_python: bool = False
    ) -> tuple[Listed, ...]:
        """What stands between parentheses, a comma between each. Raises BadField.

        take: takes one, told those before it. is_python: a comma may follow the last one.
        """
        found = list[Listed]()
        if not self.skip("("):
            self.refuse(self.now, 'a list such as ("a", "b")')
        while True:
            found.append(take(found))
            if len(found) > most:
                self.refuse(None, f"at most {most:,} values in a list")
            if self.skip(")"):
                return tuple(found)
            if not self.skip(","):
                self.refuse(self.now, "a comma or a closing parenthesis")
            if is_python and self.skip(")"):
                return tuple(found)

    def refuse(self, token: Token | None, expected: str) -> NoReturn:
        """Raises BadField: what would be accepted, where, and what stands there."""
        if token is not None:
            found = f"in place of {token.text[:40]!r}" if token.text else "where it ends"
            expected = f"{expected} at character {token.at}, {found}"
        shown = self.source if len(self.source) <= 200 else self.source[:199] + "…"
        raise BadField(field=self.name, value=repr(shown), expected=expected)


def unquoted(text: str) -> str:
    """What stands between quotes. A backslash takes a quote or backslash as it is; before all else it is itself."""
    mark = text[0]
    inner = text[1:-1].replace("''", "'") if mark == "'" else text[1:-1]
    return re.sub(r"\\([\\\"'`])", r"\1", inner)


def one_of(words: Sequence[str]) -> str:
    return f"one of {', '.join(words)}"
