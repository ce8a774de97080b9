"""How the story is printed, and how it is held to what it promises."""

from __future__ import annotations

import io

import pytest

from taxiway.demo.doors import refusal_on
from taxiway.demo.narrator import Narrator, StoryDiffers, bar
from taxiway.demo.scene import percentile


class Terminal(io.StringIO):
    """A text stream that somebody watches."""

    def isatty(self) -> bool:
        return True


def test_steps_are_numbered_within_their_act() -> None:
    out = io.StringIO()
    narrator = Narrator(out)

    narrator.act("One", "about one")
    narrator.step("first")
    narrator.step("second")
    narrator.act("Two", "about two")
    narrator.step("third")

    assert [line for line in out.getvalue().splitlines() if line[:1].isdigit()] == [
        "1.1  first",
        "1.2  second",
        "2.1  third",
    ]


def test_an_expectation_that_does_not_hold_names_the_step() -> None:
    narrator = Narrator(io.StringIO())
    narrator.act("One", "about one")
    narrator.step("first")

    narrator.expect(holds=True, expected="anything", found="anything")
    with pytest.raises(StoryDiffers) as differs:
        narrator.expect(holds=False, expected="a pass", found="a fail")

    assert (differs.value.step, differs.value.expected, differs.value.found) == ("1.1", "a pass", "a fail")


def test_progress_is_drawn_where_somebody_watches_and_nowhere_else() -> None:
    watched, piped = Terminal(), io.StringIO()

    for out in (watched, piped):
        with Narrator(out).progress("replaying", 10) as advance:
            advance(10)

    assert "10 of 10" in watched.getvalue()
    assert watched.getvalue().endswith("\r")
    assert piped.getvalue() == ""


def test_paragraphs_keep_to_the_width() -> None:
    out = io.StringIO()

    Narrator(out).say("word " * 100)

    assert max(len(line) for line in out.getvalue().splitlines()) <= 112


@pytest.mark.parametrize(("done", "total", "full"), [(0, 10, 0), (5, 10, 16), (10, 10, 32), (12, 10, 32), (0, 0, 0)])
def test_a_bar_is_as_full_as_the_work_is_done(done: int, total: int, full: int) -> None:
    assert bar(done, total).count("█") == full
    assert len(bar(done, total)) == 32


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 2.0), (0.75, 3.0), (0.99, 4.0), (1.0, 4.0)])
def test_a_percentile_is_an_observed_value(share: float, value: float) -> None:
    assert percentile([4.0, 2.0, 1.0, 3.0], share) == value


def test_the_refusal_on_a_page_is_read_as_it_was_written() -> None:
    shown = (
        '<p>before</p><div class="refusal" role="alert"><p class="rule">Not yet:</p>'
        "<ul><li>it is &lt; 0.8</li></ul><p>See <code>taxiway gates</code>.</p></div><p>after</p>"
    )

    assert refusal_on(shown).split("\n") == ["Not yet:", "- it is < 0.8", "See `taxiway gates`."]
    assert refusal_on("<p>all is well</p>") == ""
