"""The law of discussions: whom a text mentions, and who has still to answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

# What stands in code is no mention, nor is the middle of an address.
FENCE = re.compile(r" {0,3}(```+|~~~+)")
TICKS = re.compile(r"`+")
MENTION = re.compile(r"(?<![\w@./-])@([a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?)")
MOST_MENTIONED = 50
LONGEST_OPENING = 120


def mentioned(text: str) -> list[str]:
    """The names after an @, each once, in the order of the text.

    >>> mentioned("@vera, is `@olu` right? Write to ana@bank.example.")
    ['vera']
    """
    found = MENTION.findall(without_spans(without_blocks(text)))
    return list(dict.fromkeys(found))[:MOST_MENTIONED]


def unheard(text: str, told: Iterable[str], by: str) -> list[str]:
    """The names that a text mentions in vain: of nobody, or of somebody who may not read it, which is told alike.

    >>> unheard("@verra and @vera, look", told=["vera"], by="ana")
    ['verra']
    """
    return [name for name in mentioned(text) if name not in told and name != by]


def without_blocks(text: str) -> str:
    """A text without its fenced blocks of code; one that is never closed reaches to the end."""
    kept, fence = [], ""
    for line in text.splitlines():
        found = FENCE.match(line)
        if fence:
            fence = "" if found and found[1].startswith(fence) and not line.strip(" `~") else fence
        elif found and "`" not in line[found.end() :]:
            fence = found[1]
        else:
            kept.append(line)
    return "\n".join(kept)


def without_spans(text: str) -> str:
    """A text without what stands between as many backticks as before it. Read once from left to right."""
    runs = [found.span() for found in TICKS.finditer(text)]
    last_of = {end - start: number for number, (start, end) in enumerate(runs)}
    kept, at, number = [], 0, 0
    while number < len(runs):
        start, end = runs[number]
        number += 1
        if last_of[end - start] < number:
            continue  # nothing closes it
        close = next(n for n in range(number, len(runs)) if runs[n][1] - runs[n][0] == end - start)
        kept.append(text[at:start])
        at, number = runs[close][1], close + 1
    return " ".join([*kept, text[at:]])


def waiting(asked: Sequence[str], role: str, answered: Iterable[str]) -> list[str]:
    """Who was asked and has not answered. Of those who were asked for their role, one answers for all."""
    done = set(answered) & set(asked)
    if role and done:
        return []
    return [name for name in asked if name not in done]


def closes_itself(asked: Sequence[str], role: str, answers: Mapping[str, str]) -> bool:
    """Whether everybody who was asked has answered, and agrees."""
    given = {name: answer for name, answer in answers.items() if name in asked}
    return bool(given) and not waiting(asked, role, given) and all(answer == "agree" for answer in given.values())


def first_line(text: str) -> str:
    """The first line that says something, without its marks."""
    line = next((line.strip(" #>*-") for line in text.splitlines() if line.strip(" #>*-")), "")
    return line if len(line) <= LONGEST_OPENING else f"{line[: LONGEST_OPENING - 1]}…"
