"""Reading conditions by descent: ``or`` binds less than ``and``, and that less than ``not``. Pure.

What one condition is, each language says; how conditions are joined, turned round and nested is the same in all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, Literal, TypeVar

from taxiway.runs.search.tokens import Tokens

Node = TypeVar("Node")

MOST_NESTED = 20


class Descent(ABC, Generic[Node]):
    """Reads one text. most_terms: how many conditions it may have. lets_and_dangle: ``and`` may end it."""

    most_terms: int
    lets_and_dangle = False

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.terms = 0
        self.depth = 0

    @abstractmethod
    def term(self) -> Node:
        """One condition. Raises BadField."""

    @abstractmethod
    def joined(self, word: Literal["and", "or"], parts: Sequence[Node]) -> Node:
        """Two conditions or more as one."""

    @abstractmethod
    def turned(self, part: Node) -> Node:
        """What holds where the part does not."""

    def whole(self) -> Node | None:
        """All of the text; None where it is empty. Raises BadField with the position and what would do."""
        if self.tokens.now.kind == "end":
            return None
        node = self.either()
        if self.tokens.now.kind != "end":
            self.tokens.refuse(self.tokens.now, "and, or, or the end")
        return node

    def either(self) -> Node:
        self.depth += 1
        if self.depth > MOST_NESTED:
            self.tokens.refuse(self.tokens.now, f"at most {MOST_NESTED} parentheses within each other")
        parts = [self.every()]
        while self.tokens.skip("or"):
            parts.append(self.every())
        self.depth -= 1
        return self.joined("or", parts) if len(parts) > 1 else parts[0]

    def every(self) -> Node:
        parts = [self.part()]
        while self.tokens.skip("and"):
            if self.lets_and_dangle and self.tokens.now.kind == "end" and self.depth == 1:
                break
            parts.append(self.part())
        return self.joined("and", parts) if len(parts) > 1 else parts[0]

    def part(self) -> Node:
        is_turned = False
        while self.tokens.skip("not"):
            is_turned = not is_turned
        if self.tokens.skip("("):
            node = self.either()
            if not self.tokens.skip(")"):
                self.tokens.refuse(self.tokens.now, "and, or, or a closing parenthesis")
        else:
            node = self.counted()
        return self.turned(node) if is_turned else node

    def counted(self) -> Node:
        self.terms += 1
        if self.terms > self.most_terms:
            self.tokens.refuse(None, f"at most {self.most_terms} conditions")
        return self.term()
