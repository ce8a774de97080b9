"""Things of the SDK as a notebook shows them."""

from __future__ import annotations

from xml.etree import ElementTree

import pyarrow as pa

from tests.runs.conftest import MakeRun
from tests.support.live import Live


def test_an_open_run_says_what_it_is(open_live: Live) -> None:
    with open_live.client.runs.start("baseline") as run:
        said = repr(run)

    assert said == f"run baseline ({run.id}), running"
    assert repr(run).endswith(", finished")


def test_runs_comparisons_and_data_show_themselves(open_live: Live, make_run: MakeRun) -> None:
    client = open_live.client
    client.projects.create("fraud", purpose="find fraud")
    first = make_run(client, "<b>first</b>", params={"C": 1.0}, metrics={"loss": 0.5, "odd": float("nan")})
    second = make_run(client, "second", params={"C": 2.0}, metrics={"loss": 0.25})
    client.runs.finish(first.id)
    data = client.datasets.register("loans", pa.table({"a": [1, 2]}), project="fraud")

    shown = [
        client.runs.show(first.id)._repr_html_(),
        client.runs.compare(first.id, second.id)._repr_html_(),
        data._repr_html_(),
    ]

    for html in shown:
        ElementTree.fromstring(html)
        assert "<script" not in html
    run, comparison, dataset = shown
    assert "&lt;b&gt;first&lt;/b&gt;" in run
    assert "NaN" in run
    assert comparison.count("<svg") == 2
    assert "parameters that differ" in comparison
    assert "fraud/loans@1" in dataset
