import math

import pytest

from taxiway.web.figures.forest import Check, ForestPlot
from tests.web.drawn import parse, place, texts, with_class

FAIRNESS = Check(name="ratio", verdict="inconclusive", estimate=0.75, low=0.7, high=0.8, threshold=0.8, url="/e/1")


def test_a_row_has_estimate_interval_threshold_and_verdict() -> None:
    root = parse(ForestPlot(title="Evidence", checks=(FAIRNESS,)).draw(880))
    interval, *_ = with_class(root, "whisker")
    (dashed,) = with_class(root, "threshold")
    (dot,) = with_class(root, "dot")

    assert place(dot, "cx") == pytest.approx((place(interval, "x1") + place(interval, "x2")) / 2, abs=0.02)
    assert place(dashed, "x1") == place(interval, "x2")
    assert with_class(root, "verdict-inconclusive")
    assert {"ratio", "0.75", "[0.700, 0.800]", "0.8"} <= set(texts(root))


def test_a_row_says_itself_in_words() -> None:
    assert FAIRNESS.says() == "ratio: 0.75 [0.700, 0.800], at least 0.8: inconclusive"


def test_a_check_without_an_estimate_shows_its_verdict_alone() -> None:
    root = parse(ForestPlot(title="Evidence", checks=(Check(name="card", verdict="missing"),)).draw(880))

    assert not with_class(root, "dot")
    assert "missing" in texts(root)


def test_rows_on_one_scale_share_their_threshold_line() -> None:
    checks = tuple(
        Check(name=f"fold {fold}", verdict="pass", estimate=0.8 + fold / 50, low=0.7, high=0.95, threshold=0.75)
        for fold in range(3)
    )
    root = parse(ForestPlot(title="Folds", checks=checks, own_scales=False).draw(880))

    assert len({place(each, "x1") for each in with_class(root, "threshold")}) == 1


def test_an_interval_without_a_lower_end_is_not_drawn() -> None:
    check = Check(name="ratio", verdict="fail", estimate=0.5, low=math.nan, high=0.6, threshold=0.8)

    assert not with_class(parse(ForestPlot(title="t", checks=(check,)).draw(880)), "whisker")


def test_a_one_sided_interval_runs_on_without_an_end_mark() -> None:
    check = Check(name="loss", verdict="pass", estimate=0.5, low=-math.inf, high=0.6, threshold=0.8, asks="at most")
    bar, *marks = with_class(parse(ForestPlot(title="t", checks=(check,)).draw(880)), "whisker")

    assert len(marks) == 1
    assert place(bar, "x2") == place(marks[0], "x1")
    assert "∞, 0.600]" in check.says()


def test_no_checks_make_an_empty_sheet() -> None:
    assert not with_class(parse(ForestPlot(title="t", checks=()).draw(880)), "forest-row")
