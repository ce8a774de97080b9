"""Every operator and order of MLflow's search of runs. What is expected here a real server answers too: see `judge`."""

from __future__ import annotations

from tests.compat.mlflow import scripts
from tests.compat.mlflow.conftest import Tracking

BETTER = {  # MLflow refuses these; one language for all doors has them
    "user_id IN ('nobody')": "",
    "status IN ('FINISHED', 'failed')": "ag",
    "params.model IN ('tree', 'forest')": "ab",
    "run_name ~ '^[ab]$' or (text ~ 'c')": "abc",
    "tags.team contains 'RISK'": "ab",
    "start_time > '1970-01-02' or duration < 1h and started_at < '1970-01-02'": "abcdg",
    "metrics.acc > 0.4 or params.model = 'tree'": "abdg",
    "not (metrics.acc > 0.4 or tags.team = 'risk')": "cef",
    "params.lr > 0.05": "ag",
    "metrics.acc IN (0.1, 2)": "a",
}


def test_every_operator_and_order_answers_as_mlflow_does(tracking: Tracking) -> None:
    number = tracking.run(scripts.make_searched_runs, name="searched")
    orders = [order.split(", ") if order else [] for order in scripts.ORDERS]

    found, ordered = tracking.run(
        scripts.search_all_ways,
        number=number,
        filters=[*scripts.FILTERS, *scripts.REFUSED, *BETTER],
        orders=[*orders, *scripts.BAD_ORDERS],
    )

    expected = scripts.FILTERS | BETTER | dict.fromkeys(scripts.REFUSED, "INVALID_PARAMETER_VALUE")
    assert {where: names for where, names in found.items() if names != expected[where]} == {}
    bad = {", ".join(order): "INVALID_PARAMETER_VALUE" for order in scripts.BAD_ORDERS}
    assert ordered == scripts.ORDERS | bad


def test_an_order_is_one_field_to_a_text(tracking: Tracking) -> None:
    """As MLflow's client cannot ask for: it splits no text, and sends none that is empty."""
    for order in ([""], [" "], ["run_name", ""], ["run_name, status"], ["run_name,"]):
        told = tracking.call("POST", "/runs/search", {"experiment_ids": ["0"], "order_by": order})
        assert (told.status, told.code) == (400, "INVALID_PARAMETER_VALUE"), order


def test_pages_hold_every_run_once_and_the_last_has_no_token(tracking: Tracking) -> None:
    number = tracking.new_experiment()
    made = {tracking.new_run(number, start_time=1000 + place // 4) for place in range(12)}
    ask = {"experiment_ids": [number], "max_results": 4, "order_by": ["metrics.none"]}

    pages: list[list[str]] = []
    token = ""
    while not pages or token:
        told = tracking.call("POST", "/runs/search", {**ask, "page_token": token}).body
        pages.append([run["info"]["run_id"] for run in told["runs"]])
        token = told.get("next_page_token", "")

    assert [len(page) for page in pages] == [4, 4, 4]
    assert {run for page in pages for run in page} == made
    other = tracking.call("POST", "/runs/search", {**ask, "page_token": "nonsense"})
    assert (other.status, other.code) == (400, "INVALID_PARAMETER_VALUE")


def test_what_is_not_there_or_not_named_matches_nothing(tracking: Tracking) -> None:
    asks = [{}, {"experiment_ids": []}, {"experiment_ids": ["999999", "abc", "../..", "0" * 300]}]

    assert [tracking.call("POST", "/runs/search", ask) for ask in asks] == [(200, {})] * 3


def test_the_trash_is_searched_when_asked_for(tracking: Tracking) -> None:
    number = tracking.new_experiment()
    kept, gone = tracking.new_run(number), tracking.new_run(number)
    tracking.call("POST", "/runs/delete", {"run_id": gone})

    def found(view: str) -> list[str]:
        told = tracking.call("POST", "/runs/search", {"experiment_ids": [number], "run_view_type": view})
        return [run["info"]["run_id"] for run in told.body["runs"]]

    assert (found("ACTIVE_ONLY"), found("DELETED_ONLY"), sorted(found("ALL"))) == ([kept], [gone], sorted([kept, gone]))
    assert tracking.shown(gone)["info"]["lifecycle_stage"] == "deleted"
    assert tracking.call("POST", "/runs/search", {"experiment_ids": [number], "run_view_type": "SOME"}).status == 400
