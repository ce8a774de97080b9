"""The walk over the graph and the page that draws it."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import pytest

from taxiway.audit.service import Record
from taxiway.kernel.caller import SYSTEM
from taxiway.lineage.contract import Edge, Graph
from taxiway.lineage.service import draw_edge
from taxiway.web.pages.lineage import draw, nearest
from tests.support.live import Live
from tests.web.browse import Visitor

RUN = "run:01932c5f8e7a7b3c9d0e1f2a3b4c5d6e"
EDGES = (
    ("dataset:fraud/cards@1", "cleaned_into", "dataset:fraud/cards@2"),
    ("dataset:fraud/cards@2", "read_by", RUN),
    (RUN, "produced", "model:a_b@1"),
    (RUN, "produced", "model:axb@1"),
    ("model:a_b@1", "deployed_as", "revision:cards/1"),
)


@pytest.fixture
def ana(live: Live) -> Visitor:
    live.as_person("ana").projects.create("fraud")
    live.as_person("ben").projects.create("claims")
    join(live, "fraud", *EDGES)
    join(live, "claims", ("dataset:fraud/cards@2", "read_by", "run:of-claims"))
    visitor = Visitor(live.url)
    visitor.post(urlsplit(live.sign_in_link("ana")).path)
    return visitor


def join(live: Live, project: str, *edges: tuple[str, str, str]) -> None:
    def make(record: Record) -> int:
        for source, verb, target in edges:
            draw_edge(record, source=source, verb=verb, target=target, project=project)
        return len(edges)

    live.house.ledger.change(SYSTEM, "test.join", f"project:{project}", make, answer=int, project=project)


def ends(graph: Graph) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in graph.edges}


@pytest.mark.parametrize("thing", ["dataset:fraud/cards@2", RUN, "model:a_b@1", "endpoint:cards"])
def test_every_kind_of_thing_is_drawn_with_links(ana: Visitor, thing: str) -> None:
    page = ana.get(f"/lineage?thing={quote(thing, safe='')}").text

    assert 'class="figure-svg lineage' in page
    assert 'href="/datasets/fraud/cards/versions/2"' in page
    assert f'href="/runs/{RUN[4:]}"' in page


def test_a_thing_without_version_stands_for_its_own_versions_alone(live: Live, ana: Visitor) -> None:
    graph = live.client.lineage.walk("model:a_b")

    assert (RUN, "model:a_b@1") in ends(graph)
    assert (RUN, "model:axb@1") not in ends(graph)


def test_a_model_without_version_has_a_page_with_all_of_them(live: Live, ana: Visitor) -> None:
    join(live, "fraud", (RUN, "produced", "model:a_b@2"))

    page = ana.get("/lineage/model:a_b").text

    assert "Model a_b, in 2 versions, is joined to" in page
    assert page.count("node is-here") == 4  # both versions, in the wide and in the narrow drawing


def test_a_run_goes_by_its_name_and_the_beginning_of_its_id(live: Live, ana: Visitor) -> None:
    run = live.people["ana"].runs.start("calm-heron", project="fraud")
    run.finish()
    join(live, "fraud", (f"run:{run.id}", "produced", "model:named@1"))

    page = ana.get("/lineage?thing=model:named@1").text

    assert f"run · {run.id[:10]}" in page
    assert f"run calm-heron ({run.id[:10]})" in page


def test_an_endpoint_stands_for_its_revisions(live: Live, ana: Visitor) -> None:
    assert ("model:a_b@1", "revision:cards/1") in ends(live.client.lineage.walk("endpoint:cards"))


def test_a_project_stands_for_everything_in_it(live: Live, ana: Visitor) -> None:
    assert ends(live.client.lineage.walk("project:fraud")) == {(source, target) for source, _, target in EDGES}


def test_fewer_steps_end_the_walk_sooner(live: Live, ana: Visitor) -> None:
    graph = live.client.lineage.walk("dataset:fraud/cards@1", steps=1)

    assert ends(graph) == {("dataset:fraud/cards@1", "dataset:fraud/cards@2")}


def test_edges_of_other_peoples_projects_stay_hidden(ana: Visitor) -> None:
    page = ana.get("/lineage?thing=dataset:fraud/cards@2").text

    assert "of-claims" not in page


def test_a_thing_without_edges_and_no_thing_are_explained(ana: Visitor) -> None:
    assert "Nothing is joined to model none@1 yet" in ana.get("/lineage?thing=model:none@1").text
    assert "Name a thing" in ana.get("/lineage").text


def test_too_many_steps_are_refused_on_a_page(ana: Visitor) -> None:
    refused = ana.get("/lineage?thing=model:a_b@1&steps=999")

    assert refused.status == 400
    assert "a number from 1 to 50" in refused.text


def test_a_large_graph_is_drawn_as_far_as_it_is_near(live: Live) -> None:
    at = live.house.clock()
    fan = [Edge(source="dataset:p/d@1", verb="read_by", target=f"run:{number}", at=at) for number in range(200)]
    graph = Graph("dataset:p/d@1", fan)

    near = nearest(graph, 60)

    assert len(near) == 60
    assert near[0] == "dataset:p/d@1"
    assert len(draw(graph, near, {}).nodes) == 60


def test_an_edge_over_a_layer_bends_around_what_stands_there(live: Live) -> None:
    at = live.house.clock()
    pairs = (("a", "b"), ("b", "c"), ("a", "c"))
    graph = Graph("m:a", [Edge(source=f"m:{s}", verb="x", target=f"m:{t}", at=at) for s, t in pairs])

    figure = draw(graph, nearest(graph, 10), {})

    assert {(edge.source, edge.target): len(edge.via) for edge in figure.edges}["m:a", "m:c"] == 1
