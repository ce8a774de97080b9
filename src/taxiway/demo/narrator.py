"""Telling a story as it happens, in plain text: acts, numbered steps, tables, progress, and what was expected."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.show import as_table

WIDTH = 112
INDENT = "     "
BAR_CELLS = 32
REDRAW_S = 0.1


class StoryDiffers(TaxiwayError):
    """A step of the demo ended in another way than the story says."""

    status = 500
    step: str
    expected: str
    found: str

    def __str__(self) -> str:
        return (
            f"Step {self.step} ended in another way than the story says. Expected: {self.expected}. "
            f"Found: {self.found}. Run it in a fresh folder with `taxiway demo --home DIR`; if it differs there, too, "
            f"report it with what is printed above."
        )


class Narrator:
    """Prints a story and holds it to what it promises."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.is_live = out.isatty()
        self.acts = 0
        self.steps = 0

    @property
    def place(self) -> str:
        """The number of the step that is being told, such as 1.3."""
        return f"{self.acts}.{self.steps}"

    def act(self, title: str, about: str) -> None:
        self.acts, self.steps = self.acts + 1, 0
        self.line()
        self.line(f"Act {self.acts}. {title}")
        self.line("=" * len(f"Act {self.acts}. {title}"))
        self._wrapped(about, "")

    def step(self, title: str) -> None:
        self.steps += 1
        self.line()
        self.line(f"{self.place}  {title}")

    def aside(self, title: str) -> None:
        """What belongs to no act."""
        self.line()
        self.line(title)

    def say(self, text: str) -> None:
        """A paragraph below the step."""
        self._wrapped(text, INDENT)

    def show(self, text: str) -> None:
        """Lines as they are, such as another program's output."""
        for line in text.splitlines():
            self.line(f"{INDENT}{line}".rstrip())

    def table(self, rows: Sequence[dict[str, Any]]) -> None:
        """A table with a column for each key of the first row."""
        self.show(as_table(list(rows)))

    def line(self, text: str = "") -> None:
        print(text, file=self.out, flush=True)

    def expect(self, holds: bool, expected: str, found: object) -> None:
        """Raises StoryDiffers unless it holds."""
        if not holds:
            raise StoryDiffers(step=self.place, expected=expected, found=str(found))

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """Gives a function that takes how much more is done, and draws a bar; nothing where nobody watches."""
        done, drawn_at = 0, 0.0

        def advance(more: int) -> None:
            nonlocal done, drawn_at
            done += more
            if self.is_live and (done >= total or time.monotonic() - drawn_at > REDRAW_S):
                drawn_at = time.monotonic()
                self._draw(f"{what}  {bar(done, total)} {done:,} of {total:,}")

        try:
            yield advance
        finally:
            if self.is_live:
                self._draw("")
                print("\r", end="", file=self.out, flush=True)

    def _draw(self, text: str) -> None:
        print(f"\r{INDENT}{text}".ljust(WIDTH)[:WIDTH], end="", file=self.out, flush=True)

    def _wrapped(self, text: str, indent: str) -> None:
        for line in textwrap.wrap(
            text,
            WIDTH,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ):
            self.line(line)


def bar(done: int, total: int) -> str:
    """A bar as full as the work is done.

    >>> bar(1, 2)
    '████████████████················'
    """
    full = min(BAR_CELLS * done // max(total, 1), BAR_CELLS)
    return "█" * full + "·" * (BAR_CELLS - full)
