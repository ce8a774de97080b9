"""The page with the table of runs, saved views, notes and the trash, as a visitor meets them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from taxiway.kernel.errors import NotAllowed
from taxiway.kernel.ids import new_id
from taxiway.runs import contract
from taxiway.runs.compare import Scalar
from taxiway.runs.contract import LogBatch, Point, StartRun
from taxiway.runs.search.filter import NOTE
from taxiway.web.markdown import render_markdown
from tests.runs.conftest import AT
from tests.support.live import Live, running
from tests.web.browse import Visitor

NAMES = re.compile(r'<td class="run-name first"><a href="[^"]*">([^<]*)</a>')


def names(page: str) -> list[str]:
    return NAMES.findall(page)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One server with 55 runs for every test of this file: each leaves them as they were, or adds some."""
    with running(tmp_path_factory.mktemp("many") / "home", login=False) as live:
        live.client.projects.create("fraud")
        for number in range(55):
            log(live, f"r{number:02}", {"auc": number / 100}, {"lr": number % 3 / 10, "model": "forest"})
        yield live


def log(live: Live, name: str, metrics: dict[str, float], params: dict[str, Scalar]) -> None:
    transport = live.client.transport
    run = transport.call(contract.start_run, StartRun(project="fraud", name=name, tags={"team": "risk"}))
    points = [Point(key, value, 0, AT) for key, value in metrics.items()]
    transport.call(contract.log_batch, LogBatch(new_id(), 0, points, params=params), run=run.id)


def test_rows_go_on_with_the_columns_of_the_page(many: Live) -> None:
    visitor = Visitor(many.url)
    page = visitor.get("/runs?order=metrics.auc&filter=name+~+'%5Er'").text

    further = re.search(r'data-next="([^"]*)"', page)
    assert further is not None
    rows = visitor.get(further[1].replace("&amp;", "&")).text

    assert names(page) == [f"r{number:02}" for number in range(50)]
    assert names(rows) == [f"r{number:02}" for number in range(50, 55)]
    first, later = (text.partition("<tr data-run")[2].partition("</tr>")[0].count("<td") for text in (page, rows))
    assert first == later
    assert "50 runs of 55" in page


def test_what_was_seen_is_not_sent_again(many: Live) -> None:
    visitor = Visitor(many.url)
    page = visitor.get("/runs?col=metrics.auc").text
    mark = re.search(r'data-mark="([^"]*)"', page)
    assert mark is not None
    again = f"/runs/rows?col=metrics.auc&seen={mark[1]}"

    assert visitor.get(again).text.strip() == ""
    log(many, "newest", {}, {})
    assert names(visitor.get(again).text)[0] == "newest"


def test_a_saved_view_opens_with_its_filter_columns_and_order(many: Live) -> None:
    visitor = Visitor(many.url)
    asked = "/runs?project=fraud&filter=params.lr+%3E+0.1&order=-metrics.auc&col=params.lr&col=tags.team"
    query = "filter=params.lr+%3E+0.1&order=-metrics.auc&col=params.lr&col=tags.team&after=xyz"

    visitor.send("/runs/views", page=asked, project="fraud", name="Quick ones", query=query)
    page = visitor.get("/runs?project=fraud&view=Quick+ones").text

    assert names(page)[:2] == ["r53", "r50"]
    assert "Quick ones</a>" in page
    assert 'data-label="team">risk</td>' in page
    visitor.send("/runs/views/forget", page=asked, project="fraud", name="Quick ones")
    assert "Quick ones" not in visitor.get("/runs?project=fraud").text


def test_a_view_is_saved_by_those_who_may_write(live: Live) -> None:
    live.client.projects.create("fraud")
    live.as_person("ana", "viewer", project="fraud")
    visitor = Visitor(live.url)
    visitor.post(live.client.access.make_link("ana").path)

    answer = visitor.send("/runs/views", page="/runs?project=fraud", project="fraud", name="mine", query="")

    assert answer.status == NotAllowed.status


def test_a_note_is_written_on_the_page_found_by_its_words_and_harmless(many: Live) -> None:
    run = many.client.runs.list("name = 'r07'")[0]
    visitor = Visitor(many.url)

    visitor.send(f"/runs/{run.id}/note", page=f"/runs/{run.id}", note="# Why\n\n*Wider* <script>alert(1)</script>")
    page = visitor.get(f"/runs/{run.id}").text

    assert "<h3>Why</h3>" in page
    assert "<em>Wider</em> &lt;script&gt;" in page
    assert [one.name for one in many.client.runs.list('"wider why"')] == ["r07"]
    many.client.runs.note(run.id, "shorter")
    assert many.client.runs.show(run.id).tags[NOTE] == "shorter"
    assert many.client.runs.list('"wider"') == []


def test_a_run_goes_to_the_trash_and_back_on_its_page(many: Live) -> None:
    run = many.client.runs.list("name = 'r07'")[0]
    visitor = Visitor(many.url)

    visitor.send(f"/runs/{run.id}/delete", page=f"/runs/{run.id}")
    gone = visitor.get("/runs?deleted=1").text

    assert names(gone) == ["r07"]
    assert "1 run in the trash" in gone
    assert "Take it back" in visitor.get(f"/runs/{run.id}").text
    visitor.send(f"/runs/{run.id}/restore", page=f"/runs/{run.id}")
    assert "The trash is empty" in visitor.get("/runs?deleted=1").text


def test_a_column_or_filter_that_cannot_be_read_is_said_in_place(many: Live) -> None:
    visitor = Visitor(many.url)

    for asked in ("filter=metrics.auc+%3E+%22x%22", "col=nothing", "order=nothing", "after=zz"):
        answer = visitor.get(f"/runs?{asked}")
        assert (answer.status, "is not accepted" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        (
            "![x](https://example.org/p.png)",
            '<p>!<a href="https://example.org/p.png" rel="noopener noreferrer nofollow">x</a></p>',
        ),
        ("<img src=x onerror=alert(1)>", "<p>&lt;img src=x onerror=alert(1)&gt;</p>"),
        ("a | b\n--|--\n1 | 2", "<table>"),
    ],
)
def test_markdown_does_no_harm(text: str, html: str) -> None:
    assert html in render_markdown(text)
