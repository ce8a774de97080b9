"""Experiments and runs through MLflow's real client."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.compat.mlflow.conftest import Tracking
from tests.compat.mlflow.real import ScriptFailed
from tests.web.browse import Visitor


def test_an_experiment_lives_its_whole_life(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        number = client.create_experiment('a life/of "its" own', tags={"team": "risk", "odd key": "ü"})
        client.set_experiment_tag(number, "team", "fraud")
        client.set_experiment_tag(number, "mlflow.note.content", "about it")
        client.delete_experiment_tag(number, "odd key")
        client.rename_experiment(number, "another life")
        run = client.create_run(number)
        single = client.create_run(number)
        client.delete_run(single.info.run_id)
        before = client.get_experiment_by_name("another life")
        client.delete_experiment(number)
        deleted = client.get_experiment(number)
        runs_deleted = [client.get_run(one.info.run_id).info.lifecycle_stage for one in (run, single)]
        client.restore_experiment(number)
        restored = client.get_experiment(number)
        runs_restored = [client.get_run(one.info.run_id).info.lifecycle_stage for one in (run, single)]
        return {
            "tags": before.tags,
            "location": before.artifact_location == f"mlflow-artifacts:/{number}",
            "stages": [before.lifecycle_stage, deleted.lifecycle_stage, restored.lifecycle_stage],
            "runs": [runs_deleted, runs_restored],
            "times": before.creation_time <= before.last_update_time <= restored.last_update_time,
            "none": client.get_experiment_by_name('a life/of "its" own'),
        }

    assert tracking.run(script) == {
        "tags": {"team": "fraud", "mlflow.note.content": "about it"},
        "location": True,
        "stages": ["active", "deleted", "active"],
        "runs": [["deleted", "deleted"], ["active", "active"]],
        "times": True,
        "none": None,
    }


def test_a_name_is_taken_also_by_an_experiment_in_the_trash(tracking: Tracking) -> None:
    first = tracking.new_experiment("taken")
    again = tracking.call("POST", "/experiments/create", {"name": "taken"})
    tracking.call("POST", "/experiments/delete", {"experiment_id": first})
    still = tracking.call("POST", "/experiments/create", {"name": "taken"})
    renamed = tracking.call(
        "POST", "/experiments/update", {"experiment_id": tracking.new_experiment(), "new_name": "taken"}
    )

    assert [(t.status, t.code) for t in (again, still, renamed)] == [(400, "RESOURCE_ALREADY_EXISTS")] * 3


def test_what_is_in_the_trash_takes_no_changes_and_leaving_twice_is_told(tracking: Tracking) -> None:
    number = tracking.new_experiment()
    run = tracking.new_run(number)
    tracking.call("POST", "/experiments/delete", {"experiment_id": number})
    metric = {"run_id": run, "key": "m", "value": 1, "timestamp": 1}

    refused = [
        tracking.call("POST", "/runs/create", {"experiment_id": number}),
        tracking.call("POST", "/runs/log-metric", metric),
        tracking.call("POST", "/runs/log-batch", {"run_id": run, "metrics": [metric]}),
        tracking.call("POST", "/runs/set-tag", {"run_id": run, "key": "t", "value": "1"}),
        tracking.call("POST", "/runs/update", {"run_id": run, "status": "FINISHED"}),
        tracking.call("POST", "/experiments/update", {"experiment_id": number, "new_name": "x"}),
        tracking.call("POST", "/experiments/set-experiment-tag", {"experiment_id": number, "key": "t", "value": "1"}),
    ]
    deleted_again = tracking.call("POST", "/runs/delete", {"run_id": run})
    tracking.call("POST", "/experiments/restore", {"experiment_id": number})
    restored_again = tracking.call("POST", "/experiments/restore", {"experiment_id": number})
    run_restored_again = tracking.call("POST", "/runs/restore", {"run_id": run})

    assert [(t.status, t.code) for t in refused] == [(400, "INVALID_PARAMETER_VALUE")] * len(refused)
    assert (deleted_again.status, run_restored_again.status) == (200, 200)
    assert (restored_again.status, restored_again.code) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_the_default_experiment_is_there_before_anything_is(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        by_number, by_name = client.get_experiment("0"), client.get_experiment_by_name("Default")
        with mlflow.start_run() as run:
            pass
        return [by_number.name, by_name.experiment_id, run.info.experiment_id]

    assert tracking.run(script) == ["Default", "0", "0"]
    told = tracking.call("POST", "/experiments/create", {"name": "Default"})
    assert (told.status, told.code) == (400, "RESOURCE_ALREADY_EXISTS")
    for name in ("Default", "default"):
        renaming = {"experiment_id": tracking.new_experiment(), "new_name": name}
        assert tracking.call("POST", "/experiments/update", renaming).code == "RESOURCE_ALREADY_EXISTS"
    assert tracking.call("POST", "/experiments/update", {"experiment_id": "0", "new_name": "x"}).status == 400
    ours = tracking.live.client.runs.experiments(project="default")
    assert "default" in [one.name for one in ours]


def test_a_name_that_begins_with_a_project_goes_there(tracking: Tracking) -> None:
    tracking.live.client.projects.create("mortgage-approvals")

    def script(mlflow: Any, client: Any) -> Any:
        mlflow.set_experiment("mortgage-approvals/baseline")
        with mlflow.start_run() as run:
            mlflow.log_param("depth", 3)
        mlflow.set_experiment("no-project/baseline")
        with mlflow.start_run() as other:
            pass
        named = client.get_experiment(run.info.experiment_id).name
        return [run.info.run_id, other.info.run_id, named]

    inside, outside, named = tracking.run(script)

    ours = tracking.live.client.runs.show(inside)
    assert (ours.project, ours.experiment, ours.params) == ("mortgage-approvals", "baseline", {"depth": "3"})
    other = tracking.live.client.runs.show(outside)
    assert (other.project, other.experiment) == ("default", "no-project/baseline")
    assert named == "mortgage-approvals/baseline"
    started = tracking.live.client.runs.list(project="mortgage-approvals", experiment="baseline")
    assert [run.id for run in started] == [inside]


def test_experiments_are_searched_filtered_ordered_and_paged(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        for number in range(5):
            client.create_experiment(f"page {number}", tags={"n": str(number), **({"odd": "x"} if number % 2 else {})})

        def names(**given: Any) -> Any:
            return [one.name for one in client.search_experiments(**given) if one.name.startswith("page ")]

        first = client.search_experiments(filter_string="name LIKE 'page %'", order_by=["name DESC"], max_results=3)
        last = client.search_experiments(
            filter_string="name LIKE 'page %'", order_by=["name DESC"], max_results=3, page_token=first.token
        )
        exact = client.search_experiments(filter_string="name LIKE 'page %'", max_results=5)
        return {
            "newest first": names(),
            "tags": names(filter_string="tags.odd = 'x' AND tags.n != '1'"),
            "null": sorted(names(filter_string="tags.odd IS NULL AND name ILIKE 'PAGE%'")),
            "pages": [[one.name for one in page] for page in (first, last)],
            "tokens": [bool(first.token), last.token, exact.token],
            "time": len(names(filter_string=f"creation_time >= {first[0].creation_time}")) >= 1,
        }

    assert tracking.run(script) == {
        "newest first": ["page 4", "page 3", "page 2", "page 1", "page 0"],
        "tags": ["page 3"],
        "null": ["page 0", "page 2", "page 4"],
        "pages": [["page 4", "page 3", "page 2"], ["page 1", "page 0"]],
        "tokens": [True, None, None],
        "time": True,
    }


def test_a_run_says_what_its_client_said(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        number = client.create_experiment("said")
        tags = {"mlflow.user": "ana", "mlflow.source.name": "train.py", "mlflow.parentRunId": "7", "my": "tag"}
        run = client.create_run(number, start_time=456, run_name="my name", tags=tags)
        unnamed = client.create_run(number)
        got = client.get_run(run.info.run_id)
        client.update_run(run.info.run_id, status="KILLED", name="renamed")
        client.set_tag(unnamed.info.run_id, "mlflow.runName", "by its tag")
        after = client.get_run(run.info.run_id)
        return {
            "same": got.to_dictionary() == run.to_dictionary(),
            "info": [got.info.user_id, got.info.start_time, got.info.run_name, got.info.status, got.info.end_time],
            "tags": {**tags, "mlflow.runName": "my name"} == got.data.tags,
            "after": [after.info.run_name, after.data.tags["mlflow.runName"], after.info.status],
            "made up": len(unnamed.info.run_name) > 5,
            "by tag": client.get_run(unnamed.info.run_id).info.run_name,
        }

    assert tracking.run(script) == {
        "same": True,
        "info": ["ana", 456, "my name", "RUNNING", None],
        "tags": True,
        "after": ["renamed", "renamed", "KILLED"],
        "made up": True,
        "by tag": "by its tag",
    }


def test_a_name_and_a_tag_that_differ_are_refused(tracking: Tracking) -> None:
    tags = [{"key": "mlflow.runName", "value": "one"}]
    told = tracking.call("POST", "/runs/create", {"experiment_id": "0", "run_name": "other", "tags": tags})
    alike = tracking.call("POST", "/runs/create", {"experiment_id": "0", "run_name": "one", "tags": tags})

    assert (told.status, told.code) == (400, "INVALID_PARAMETER_VALUE")
    assert alike.body["run"]["info"]["run_name"] == "one"


def test_tags_are_set_and_deleted(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        run = client.create_run("0").info.run_id
        client.set_tag(run, "taggity", "do-dah")
        client.set_tag(run, "empty", "")
        client.set_tag(run, "number", 123)
        client.delete_tag(run, "taggity")
        codes = []
        for key in ("taggity", "never"):
            try:
                client.delete_tag(run, key)
            except mlflow.exceptions.MlflowException as e:
                codes.append(e.error_code)
        tags = client.get_run(run).data.tags
        tags.pop("mlflow.runName")
        return [tags, codes]

    assert tracking.run(script) == [{"empty": "", "number": "123"}, ["RESOURCE_DOES_NOT_EXIST"] * 2]


def test_a_client_may_log_into_a_run_that_ended_and_the_log_says_so(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        run = client.create_run("0").info.run_id
        client.log_metric(run, "m", 1, step=1)
        client.set_terminated(run, "FAILED", end_time=999)
        client.log_metric(run, "m", 2, step=2)
        client.log_batch(run, tags=[mlflow.entities.RunTag("late", "1")])
        got = client.get_run(run)
        return [run, got.info.status, got.info.end_time, got.data.metrics, got.data.tags["late"]]

    run, *said = tracking.run(script)

    assert said == ["FAILED", 999, {"m": 2.0}, "1"]
    about = [entry.verb for entry in tracking.live.client.audit.entries(limit=10).items if entry.thing == f"run:{run}"]
    assert about[:3] == ["runs.amend", "runs.amend", "runs.finish"]


def test_histories_come_whole_in_order_and_in_pages(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        from mlflow.entities import Metric

        run = client.create_run("0").info.run_id
        points = [Metric("loss", 1 / (n + 1), 1000 + n, n % 700) for n in range(2500)]
        for start in range(0, 2500, 1000):
            client.log_batch(run, metrics=points[start : start + 1000])
        history = client.get_metric_history(run, "loss")
        keys = [(point.step, point.timestamp) for point in history]
        return [run, len(history), keys == sorted(keys), client.get_metric_history(run, "none")]

    run, count, is_sorted, none = tracking.run(script)

    assert (count, is_sorted, none) == (2500, True, [])
    first = tracking.call("GET", f"/metrics/get-history?run_id={run}&metric_key=loss&max_results=2000").body
    rest = f"/metrics/get-history?run_id={run}&metric_key=loss&max_results=2000&page_token={first['next_page_token']}"
    last = tracking.call("GET", rest).body
    assert (len(first["metrics"]), len(last["metrics"]), "next_page_token" in last) == (2000, 500, False)


def test_a_chart_of_many_runs_gets_a_sample_with_both_ends(tracking: Tracking) -> None:
    runs = [tracking.new_run() for _ in range(2)]
    for run in runs:
        metrics = [{"key": "m", "value": n / 2, "timestamp": n, "step": n} for n in range(100)]
        tracking.call("POST", "/runs/log-batch", {"run_id": run, "metrics": metrics})
    ids = "&".join(f"run_ids={run}" for run in runs)
    path = "//ajax-api/2.0/mlflow/metrics/get-history-bulk-interval"

    told = tracking.call("GET", f"{path}?{ids}&metric_key=m&max_results=7").body["metrics"]
    part = tracking.call("GET", f"{path}?{ids}&metric_key=m&start_step=10&end_step=12").body["metrics"]
    half = tracking.call("GET", f"{path}?{ids}&metric_key=m&start_step=10")
    many = tracking.call("GET", f"{path}?metric_key=m&" + "&".join(["run_ids=a"] * 101))
    bulk = tracking.call(
        "GET", f"//ajax-api/2.0/mlflow/metrics/get-history-bulk?run_id={runs[0]}&run_id={runs[1]}&metric_key=m"
    ).body["metrics"]

    for run in runs:
        steps = [point["step"] for point in told if point["run_id"] == run]
        assert steps == [0, 15, 30, 44, 58, 72, 99]  # the first of seven equal parts, and the end
    assert [point["step"] for point in part] == [10, 11, 12] * 2
    assert (half.status, many.status) == (400, 400)
    assert len(bulk) == 200


def test_data_sets_of_experiments_are_listed_once(tracking: Tracking) -> None:
    number = tracking.new_experiment()
    data = {
        "dataset": {"name": "loans", "digest": "d1", "source_type": "local", "source": "{}"},
        "tags": [{"key": "mlflow.data.context", "value": "training"}],
    }
    for run in (tracking.new_run(number), tracking.new_run(number)):
        told = tracking.call("POST", "/runs/log-inputs", {"run_id": run, "datasets": [data, data]})
        assert told.body == {}

    found = tracking.call("POST", "/experiments/search-datasets", {"experiment_ids": [number]})
    none = tracking.call("POST", "/experiments/search-datasets", {})
    long = {"dataset": {**data["dataset"], "digest": "d" * 37}}  # type: ignore[dict-item]  # a plain object of JSON

    assert found.body["dataset_summaries"] == [
        {"experiment_id": number, "name": "loans", "digest": "d1", "context": "training"}
    ]
    assert none.status == 400
    refused = tracking.call("POST", "/runs/log-inputs", {"run_id": tracking.new_run(number), "datasets": [long]})
    assert (refused.status, "datasets[0].dataset.digest" in refused.message) == (400, True)


def test_refusals_say_what_mlflows_own_tests_look_for(tracking: Tracking) -> None:
    run, nobody = tracking.new_run(), "0" * 32
    bulk, interval = "/metrics/get-history-bulk", "/metrics/get-history-bulk-interval"
    many = "&".join(["{}=x"] * 101)
    asked = {
        "^Run ['0]+ not found. `taxiway runs list` shows": ("POST", "/runs/delete-tag", {"run_id": nobody, "key": "x"}),
        "No tag with name: fakeTag": ("POST", "/runs/delete-tag", {"run_id": run, "key": "fakeTag"}),
        "must specify at least one run_id": ("GET", f"{bulk}?metric_key=m", None),
        "request cannot specify more than 100 run_ids": ("GET", f"{bulk}?{many.replace('{}', 'run_id')}", None),
        "must specify a metric_key": ("GET", f"{bulk}?run_id={run}", None),
        "parameter 'run_ids'.": ("GET", f"{interval}?metric_key=m", None),
        "must specify at most 100 run_ids": ("GET", f"{interval}?metric_key=m&{many.replace('{}', 'run_ids')}", None),
        "max_results must be between 1 and 2500": (
            "GET", f"{interval}?run_ids={run}&metric_key=m&max_results=0", None,
        ),
        "end_step must be greater than start_step. ": (
            "GET", f"{interval}?run_ids={run}&metric_key=m&start_step=1&end_step=0", None,
        ),
        "both must be specified.": ("GET", f"{interval}?run_ids={run}&metric_key=m&start_step=1", None),
        "SearchDatasets request must specify": ("POST", "/experiments/search-datasets", {}),
        "SearchDatasets request cannot specify more than": (
            "POST", "/experiments/search-datasets", {"experiment_ids": ["0"] * 21},
        ),
        "can contain at most 100 params": (
            "POST", "/runs/log-batch", {"run_id": run, "params": [{"key": f"p{n}"} for n in range(101)]},
        ),
    }  # fmt: skip

    told = {words: tracking.call(*request) for words, request in asked.items()}

    assert {words: t.message for words, t in told.items() if not re.search(words, t.message)} == {}
    tracking.call("POST", "/runs/delete", {"run_id": run})
    deleted = tracking.call("POST", "/runs/delete-tag", {"run_id": run, "key": "t"})
    assert f"The run {run} must be in" in deleted.message


def test_programs_find_what_they_look_for_in_a_refusal(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        client.log_metric("0" * 32, "m", 1)

    with pytest.raises(ScriptFailed) as failure:
        tracking.run(script)

    assert (failure.value.kind, failure.value.code) == ("RestException", "RESOURCE_DOES_NOT_EXIST")


def test_a_run_without_a_start_says_so_and_is_not_lost_while_it_logs(tracking: Tracking) -> None:
    number = tracking.new_experiment()
    told = tracking.call("POST", "/runs/create", {"experiment_id": number, "run_name": "no start"})
    run = told.body["run"]["info"]["run_id"]
    tracking.call("POST", "/runs/log-metric", {"run_id": run, "key": "m", "value": 1, "timestamp": 0})

    running = tracking.live.client.runs.show(run)
    pages = [Visitor(tracking.url).get(path).text for path in (f"/runs/{run}", f"/runs?filter=id+%3D+'{run}'")]
    tracking.call("POST", "/runs/update", {"run_id": run, "status": "FINISHED", "end_time": 5})

    assert told.body["run"]["info"]["start_time"] == 0
    assert running.status == "running"
    assert [("not said" in page, "1970" in page) for page in pages] == [(True, False)] * 2
    assert "no start finished with m 1" in Visitor(tracking.url).get(f"/runs/{run}").text
