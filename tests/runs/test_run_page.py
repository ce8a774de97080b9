"""A run's page while it runs, its metrics large, its files previewed, and many runs side by side."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from taxiway.runs.compare import Row
from taxiway.runs.showing.compare_page import is_common, short
from taxiway.runs.showing.curves import Look, smoothed
from taxiway.runs.showing.preview import pretty, read_csv, table_in
from tests.support.browser import assert_accessible
from tests.support.live import Live, running
from tests.web.browse import Visitor

HOSTILE = b"<h1>Report</h1><script>document.title='owned'; top.location='/runs'</script>"

numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("pages") / "home", login=False) as live:
        yield live


@given(st.lists(numbers, min_size=1), st.integers(0, 99))
def test_smoothing_stays_between_the_extremes_and_keeps_a_level(values: list[float], share: int) -> None:
    points = [(float(x), y) for x, y in enumerate(values)]

    found = [y for _, y in smoothed(points, share / 100)]
    level = [y for _, y in smoothed([(x, values[0]) for x, _ in points], share / 100)]

    slack = 1e-9 * max(map(abs, values)) + 1e-12
    assert all(min(values) - slack <= y <= max(values) + slack for y in found)
    assert level == pytest.approx([values[0]] * len(values), abs=1e-6)
    assert found[0] == pytest.approx(values[0], abs=1e-6)


def test_what_is_not_finite_moves_no_average() -> None:
    found = smoothed([(0, 1.0), (1, math.nan), (2, math.inf), (3, 1.0)], 0.9)

    assert math.isnan(found[1][1])
    assert math.isinf(found[2][1])
    assert found[3][1] == pytest.approx(1.0)


def test_a_look_shows_names_by_part_or_by_pattern() -> None:
    assert Look(find="LOSS").shows("val/loss")
    assert Look(find="val/*").shows("val/loss")
    assert not Look(find="val/*").shows("loss")


def test_a_table_is_found_in_separated_values_and_in_json() -> None:
    separated = read_csv('a,b\n1,"x, y"\n2\n', "t.csv", is_cut=False)
    said = table_in('{"columns": ["a"], "data": [[1], [null]]}')

    assert (separated.columns, separated.rows, separated.rows_in_all) == (["a", "b"], [["1", "x, y"], ["2", ""]], 2)
    assert said is not None
    assert said.rows == [["1"], [""]]
    assert table_in('{"a": 1}') is None
    assert table_in("[" * 100_000) is None


def test_json_nested_without_end_is_shown_as_it_is() -> None:
    broad = "[" * 900 + "1," * 100_000 + "1" + "]" * 900

    assert pretty(broad) == broad
    assert pretty("[" * 100_000) == "[" * 100_000
    assert pretty('{"a":["[[[["]}') == '{\n  "a": [\n    "[[[["\n  ]\n}'


def test_pictures_of_steps_and_names_with_numbers_are_shown_as_people_say_them(served: Live) -> None:
    visitor, tail = Visitor(served.url), "+timestamp+1732370000000+0e3f5c1e-3b1d-4c5e-9f52-7a1b2c3d4e5f"
    with served.client.runs.start("pictures") as run:
        for step in (10, 2):
            run.log_artifact(b"<svg/>", f"images/dog+step+{step}{tail}.svg")
        run.log_artifact(b"RIFF", f"images/dog+step+2{tail}+compressed.webp")
        run.params(layer_10=1, layer_2=1)

    page = visitor.get(f"/runs/{run.id}").text
    one = visitor.get(f"/runs/{run.id}/artifact?path=images/dog%2Bstep%2B10{tail.replace('+', '%2B')}.svg").text

    assert re.findall(r">(dog, step [^<]+)</figcaption>", page) == ["dog, step 2", "dog, step 10"]
    assert f'title="images/dog+step+10{tail}.svg">dog, step 10</a>' in page
    assert ">dog, step 2, small</a>" in page
    assert page.index("layer_2") < page.index("layer_10")
    assert "<title>dog, step 10 · " in one
    assert f"images/dog+step+10{tail}.svg" in one.partition("<dl")[2]


def test_the_charts_part_is_empty_where_nothing_was_logged_since(served: Live) -> None:
    visitor = Visitor(served.url)
    with served.client.runs.start("polled") as run:
        run.log(step=0, loss=1.0)
        run.log(step=1, loss=0.5)
        run.flush()
        page = visitor.get(f"/runs/{run.id}/charts").text
        mark = page.partition('data-mark="')[2].partition('"')[0]
        again = visitor.get(f"/runs/{run.id}/charts?seen={mark}").text
        run.log(step=2, loss=0.4)
        run.flush()
        later = visitor.get(f"/runs/{run.id}/charts?seen={mark}").text

    assert "loss" in page
    assert again.strip() == ""
    assert "<svg" in later


def test_what_is_measured_on_folds_is_dots_with_their_mean_and_no_curve(served: Live) -> None:
    with served.client.runs.start("folded") as run:
        for fold, value in enumerate((0.7, 0.8, 0.9)):
            run.log(step=fold, fold_auc=value)

    page = Visitor(served.url).get(f"/runs/{run.id}").text

    assert "By fold" in page
    assert "mean of the folds 0.8" in page
    assert ">fold</text>" in page
    assert 'class="line"' not in page
    assert page.count('class="dot"') == 3


def test_many_curves_are_small_ones_under_headings_of_which_the_first_are_open(served: Live) -> None:
    with served.client.runs.start("layers") as run:
        for step in range(3):
            run.log(step=step, **{f"layer_{n}/{kind}": 1.0 for n in range(12) for kind in "abcd"})
    visitor = Visitor(served.url)

    whole = visitor.get(f"/runs/{run.id}").text
    found = visitor.get(f"/runs/{run.id}?find=layer_9/*").text

    headings = re.findall(r'data-keep="charts (layer_\d+)"( open)?', whole)
    assert headings == [(f"layer_{n}", " open" if n < 8 else "") for n in range(12)]
    assert whole.count("is-dense") == 12
    assert re.findall(r'data-keep="charts (layer_\d+)"( open)?', found) == [("layer_9", " open")]
    assert "is-dense" not in found


def test_an_axis_that_few_runs_pass_is_left_out_of_the_lines() -> None:
    common = [Row("lr", [0.1, 0.2, 0.3], True), Row("depth", [None, 1, 2], True)]
    rare = [Row("odd", [None, None, 1], True), Row("same", [None, 2, 2], True)]

    assert [is_common(row) for row in (*common, *rare)] == [True, True, False, False]
    assert (short("0.0041666666666"), short("0.5"), short("a long word"), short("nanometres")) == (
        "0.004167",
        "0.5",
        "a long word",
        "nanometres",
    )


@pytest.mark.parametrize(
    "query", ["x=sideways", "smooth=100", "smooth=-1", "smooth=x", "from=x&key=loss", f"key=loss&to={2**64}"]
)
def test_an_odd_look_is_refused_by_name(served: Live, query: str) -> None:
    with served.client.runs.start("odd") as run:
        run.log(step=0, loss=1.0)

    refused = Visitor(served.url).get(f"/runs/{run.id}/metric?key=loss&{query}")

    assert refused.status == 400
    assert query.partition("=")[0] in refused.text


@pytest.mark.browser
def test_a_page_follows_the_run_that_it_shows(served: Live, page: Page) -> None:
    with served.client.runs.start("watched") as run:
        for step in range(5):
            run.log(step=step, loss=1 / (step + 1))
        run.flush()
        page.goto(f"{served.url}/runs/{run.id}")
        expect(page.get_by_role("heading", level=1)).to_contain_text("watched is running")
        for step in range(5, 40):
            run.log(step=step, loss=1 / (step + 1), **{"val/loss": 2.0})
        run.flush()
        expect(page.get_by_role("link", name="val/loss").first).to_be_visible(timeout=10_000)
    expect(page.get_by_role("heading", level=1)).to_contain_text("watched finished", timeout=10_000)
    assert_accessible(page)


@pytest.mark.browser
def test_a_metric_is_looked_at_closely(served: Live, page: Page) -> None:
    with served.client.runs.start("close") as run:
        for step in range(3000):
            run.log(step=step, loss=math.exp(-step / 500))

    page.goto(f"{served.url}/runs/{run.id}?smooth=50")
    page.locator("figcaption").get_by_role("link", name="loss").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("3,000 points from step 0 to 2,999")
    page.get_by_label("logarithmic").check()
    page.wait_for_url("**log=1*")
    page.get_by_label("from step").fill("100")
    page.get_by_label("from step").press("Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text("2,900 points from step 100 to 2,999")
    assert "smooth=50" in page.url
    assert_accessible(page)


@pytest.mark.browser
def test_artifacts_are_previewed_and_run_nothing(served: Live, page: Page, tmp_path: Path) -> None:
    table = io.BytesIO()
    pq.write_table(pa.table({"x": list(range(500))}), table)
    with served.client.runs.start("files") as run:
        run.log_artifact(HOSTILE, "report.html")
        run.log_artifact(table.getvalue(), "tables/big.parquet")
        run.log_artifact(b"not a parquet", "tables/broken.parquet")
        run.log_artifact(b"\xff\xfe", "odd.txt")

    page.goto(f"{served.url}/runs/{run.id}")
    page.get_by_role("link", name="report.html").click()
    expect(page.frame_locator("iframe").get_by_role("heading")).to_have_text("Report")
    assert page.title() == "report.html · Taxiway"
    page.go_back()
    page.get_by_role("link", name="tables/big.parquet").click()
    expect(page.get_by_text("1 column, 500 rows; the first 200")).to_be_visible()
    assert_accessible(page)

    visitor = Visitor(served.url)
    assert "cannot be read as a table" in visitor.get(f"/runs/{run.id}/artifact?path=tables/broken.parquet").text
    assert "no text in UTF-8" in visitor.get(f"/runs/{run.id}/artifact?path=odd.txt").text
    framed = visitor.get(f"/api/runs/{run.id}/artifacts/frame?path=report.html")
    assert framed.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert framed.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.browser
def test_thirty_runs_are_rows_and_lines(served: Live, page: Page) -> None:
    ids = []
    for number in range(30):
        with served.client.runs.start(f"trial-{number}") as run:
            run.params(lr=10 ** (-number / 10), model=("tree", "linear")[number % 2])
            run.log(step=0, loss=1.0)
            run.log(step=1, loss=number / 30)
        ids.append(run.id)

    page.goto(f"{served.url}/runs/compare?" + "&".join(f"run={id_}" for id_ in ids))

    expect(page.get_by_role("heading", level=1)).to_have_text("30 runs differ in 2 parameters and 1 metric")
    expect(page.locator(".parallel:visible .series")).to_have_count(30)
    expect(page.get_by_text("The code of up to twenty runs is shown side by side")).to_be_visible()
    assert_accessible(page)
