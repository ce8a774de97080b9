"""The law of discussions: who is mentioned, who has still to answer."""

from __future__ import annotations

import pytest

from taxiway.discussions.rules import closes_itself, first_line, mentioned, unheard, waiting


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@vera, look", ["vera"]),
        ("ask @ana.b and (@olu-2)!", ["ana.b", "olu-2"]),
        ("@vera @vera", ["vera"]),
        ("Ends with @vera.", ["vera"]),
        ("vera@bank.example is an address", []),
        ("`@vera` is code", []),
        ("```\n@vera\n```\nand @ana", ["ana"]),
        ("~~~\n@vera\n~~~", []),
        ("```py\n@vera", []),
        ("```code``` @vera", ["vera"]),
        ("`one ``@vera`` @ana` @olu", ["olu"]),
        ("``a ` @vera`` and ` @ana", ["ana"]),
        ("@@vera", []),
        ("/@vera", []),
        ("@Vera is no name", []),
    ],
)
def test_mentions_are_names_after_an_at_outside_code_and_addresses(text: str, names: list[str]) -> None:
    assert mentioned(text) == names


def test_a_text_full_of_backticks_is_read_in_no_time() -> None:
    assert mentioned("a " + "`" * 5000 + " @vera") == ["vera"]
    assert mentioned("`a``b" * 4000 + " @vera") == ["vera"]


@pytest.mark.parametrize(
    ("role", "answered", "waits"),
    [("", [], ["ana", "olu"]), ("", ["ana"], ["olu"]), ("", ["kim"], ["ana", "olu"]), ("approver", ["olu"], [])],
)
def test_each_answers_for_themselves_and_for_a_role_one_for_all(
    role: str, answered: list[str], waits: list[str]
) -> None:
    assert waiting(["ana", "olu"], role, answered) == waits


@pytest.mark.parametrize(
    ("role", "answers", "closes"),
    [
        ("", {"ana": "agree", "olu": "agree"}, True),
        ("", {"ana": "agree"}, False),
        ("", {"ana": "agree", "olu": "comment"}, False),
        ("", {"ana": "agree", "olu": "decline"}, False),
        ("validator", {"ana": "agree"}, True),
        ("", {"kim": "agree"}, False),
        ("", {}, False),
    ],
)
def test_a_question_is_settled_once_all_agree(role: str, answers: dict[str, str], closes: bool) -> None:
    assert closes_itself(["ana", "olu"], role, answers) is closes


def test_the_first_line_that_says_something_stands_for_the_whole() -> None:
    assert first_line("\n## Why is\nincome left out?") == "Why is"
    assert len(first_line("x" * 500)) == 120


def test_a_name_that_nobody_has_was_mentioned_in_vain() -> None:
    assert unheard("@verra, @vera and @ana: see `@olu`", ["vera"], "ana") == ["verra"]
