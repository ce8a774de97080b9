"""The table that a pull request gets."""

from __future__ import annotations

import pytest

from taxiway.client import Client
from taxiway.kernel.show import as_markdown
from taxiway.runs.compare import Row
from taxiway.runs.showing.markdown import change, comparison_markdown
from tests.runs.conftest import MakeRun
from tests.support.live import Live


@pytest.fixture
def client(open_live: Live) -> Client:
    open_live.client.projects.create("fraud", purpose="find fraud")
    return open_live.client


def test_what_differs_is_marked_and_counted(client: Client, make_run: MakeRun) -> None:
    base = make_run(client, "main", params={"C": 1.0, "seed": 7}, metrics={"auc": 0.8, "rows": 100.0})
    head = make_run(client, "a|branch", params={"C": 2.0, "seed": 7}, metrics={"auc": 0.9, "rows": 100.0})
    for run in (base, head):
        client.runs.finish(run.id)

    text = comparison_markdown(client.runs.compare(base.id, head.id))

    lines = text.splitlines()
    assert lines[0] == r"### main → a\|branch"
    assert "**What differs:** 1 metric, 1 parameter." in lines
    assert "| ≠ | auc | 0.8 | 0.9 | +0.1 (+12.50%) |" in lines
    assert "| = | rows | 100 | 100 |  |" in lines
    assert "| C | 1 | 2 |" in lines
    assert lines[-1] == "The code cannot be compared: no sources were kept."


def test_a_run_that_failed_is_said_first(client: Client, make_run: MakeRun) -> None:
    base, head = make_run(client, "main"), make_run(client, "branch")
    client.runs.finish(base.id)
    client.runs.finish(head.id, "failed")

    text = comparison_markdown(client.runs.compare(base.id, head.id))

    assert "**branch is failed**. **Nothing differs.**" in text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1.0, 1.5], "+0.5 (+50.00%)"),
        ([0.0, 1.0], "+1"),
        ([1.0, None], ""),
        (["a", "b"], ""),
        ([1.0, float("nan")], "+nan (+nan%)"),
    ],
)
def test_a_change_is_said_where_there_are_two_numbers(values: list[float | str | None], said: str) -> None:
    assert change(Row("m", [*values], is_different=True)) == said


def test_markdown_in_a_value_stays_text() -> None:
    table = as_markdown(["name"], [["`<img>` | **x**\nnext"]])

    assert table.splitlines()[2] == r"| \`&lt;img&gt;\` \| \*\*x\*\* next |"
