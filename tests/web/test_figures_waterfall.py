"""Waterfalls: bars in their place, words that say what is slow and what failed, on paper of any width."""

from __future__ import annotations

import re

import pytest

from taxiway.web.figures.waterfall import Step, Waterfall

STEPS = (
    Step(name="answer", after_s=0, took_s=2.0, kind="CHAIN", is_failed=True, url="#one"),
    Step(name="search", after_s=0.5, took_s=1.0, depth=1, kind="TOOL"),
    Step(name="open <end>", after_s=1.5, depth=2),
)
FIGURE = Waterfall(title="Steps", steps=STEPS)


def bars(drawing: str) -> list[tuple[float, float]]:
    """Where each bar begins, and how long it is."""
    found = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawing)
    return [(float(start), float(length)) for start, length in found]


@pytest.mark.parametrize("width", [358, 880])
def test_a_bar_begins_where_its_step_did_and_is_as_long(width: int) -> None:
    (start, whole), (half, part), (end, open_) = bars(FIGURE.draw(width))

    assert part == pytest.approx(whole / 2, abs=0.02)
    assert half - start == pytest.approx(whole / 4, abs=0.02)
    assert end - start == pytest.approx(whole * 0.75, abs=0.02)
    assert open_ == 2
    assert start + whole < width


def test_it_says_what_is_slow_and_what_failed() -> None:
    assert FIGURE.words() == "3 steps. 1 of them failed. The longest within it, search, took 1\N{NO-BREAK SPACE}s."
    assert Waterfall(title="None", steps=()).words() == "No steps."
    assert [row[3:] for row in FIGURE.numbers().rows] == [
        ("2\N{NO-BREAK SPACE}s", "failed"),
        ("1\N{NO-BREAK SPACE}s", ""),
        ("not ended", ""),
    ]


def test_names_are_only_text_and_lead_to_their_step() -> None:
    drawing = FIGURE.draw()

    assert "open &lt;end&gt;" in drawing
    assert 'href="#one"' in drawing
    assert 'role="group"' in drawing


def test_nothing_at_all_is_still_a_drawing() -> None:
    assert "<svg" in Waterfall(title="None", steps=()).draw()
