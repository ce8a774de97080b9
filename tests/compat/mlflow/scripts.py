"""Scripts for MLflow's client that tell what a server answers, in words that two servers can be compared by."""

from __future__ import annotations

from typing import Any

NAMES = "abcdefgh"


def make_searched_runs(mlflow: Any, client: Any, *, name: str) -> Any:
    """Eight runs of one experiment that differ in everything one may search by; the experiment's id."""
    from mlflow.entities import Metric, Param, RunTag

    number = client.create_experiment(name)
    given: dict[str, dict[str, Any]] = {
        "a": {"metrics": {"acc": 0.1, "loss": 5}, "params": {"model": "tree", "lr": "0.1"}, "tags": {"team": "risk"}},
        "b": {"metrics": {"acc": 0.5}, "params": {"model": "forest", "lr": "0.01"}, "tags": {"team": "Risk"}},
        "c": {"metrics": {"acc": float("nan"), "loss": -1}, "params": {"model": "Tree"}, "tags": {"odd key!": "x"}},
        "d": {"metrics": {"acc": float("inf")}, "params": {"model": "100%"}, "tags": {"team": "under_score"}},
        "e": {"metrics": {"acc": -0.5, "val/loss": 2}, "params": {}, "tags": {"team": ""}},
        "f": {"metrics": {}, "params": {"model": "it's"}, "tags": {"quote": 'say "hi"'}},
        "g": {"metrics": {"acc": 0.5, "loss": 1e300}, "params": {"lr": "10"}, "tags": {"team": "line\nline"}},
        "h": {"metrics": {"loss": 0}, "params": {"model": "linear", "lr": "9"}, "tags": {}},
    }
    statuses = {"a": "FINISHED", "b": "FAILED", "c": "KILLED", "d": "SCHEDULED", "g": "FINISHED"}
    for position, (letter, said) in enumerate(given.items()):
        run = client.create_run(number, start_time=1000 + position * 10, run_name=letter).info.run_id
        client.log_batch(
            run,
            metrics=[Metric(key, value, 5, 1) for key, value in said["metrics"].items()],
            params=[Param(key, value) for key, value in said["params"].items()],
            tags=[RunTag(key, value) for key, value in said["tags"].items() if "!" not in key],
        )
        if letter in statuses:
            client.set_terminated(run, statuses[letter], end_time=5000 + position)
        if letter == "h":
            client.delete_run(run)
    return number


def search_all_ways(mlflow: Any, client: Any, *, number: str, filters: list[str], orders: list[list[str]]) -> Any:
    """For every filter and order the names of the runs found, or the code of the refusal."""

    def told(**given: Any) -> Any:
        try:
            return "".join(run.info.run_name for run in client.search_runs([number], **given))
        except mlflow.exceptions.MlflowException as e:
            return e.error_code

    found = {where: told(filter_string=where, order_by=["attributes.run_name"]) for where in filters}
    return [found, {", ".join(order): told(order_by=order) for order in orders}]


FILTERS = {
    "": "abcdefg",
    "metrics.acc > 0.1": "bdg",
    "metrics.acc >= 0.1": "abdg",
    "metrics.acc < 0.5": "ae",
    "metrics.acc <= 0.5": "abeg",
    "metrics.acc = 0.5": "bg",
    "metrics.acc != 0.5": "acde",
    "metric.acc > -1": "abdeg",
    "metrics.`val/loss` = 2": "e",
    'metrics."val/loss" = 2': "e",
    "metrics.none > 0": "",
    "metrics.loss > 1e299": "g",
    "params.model = 'tree'": "a",
    'params.model = "tree"': "a",
    "params.model != 'tree'": "bcdf",
    "params.model LIKE 'tr%'": "a",
    "params.model ILIKE 'TR%'": "ac",
    "params.model like '%r_e%'": "ac",
    "params.model LIKE '%o%'": "b",
    'params.model = "it\'s"': "f",
    "params.model IS NULL": "eg",
    "params.model IS NOT NULL": "abcdf",
    "param.lr = '10'": "g",
    "parameter.lr = '0.1' and metrics.acc > 0": "a",
    "tags.team = 'risk'": "a",
    "tags.team != 'risk'": "bdeg",
    "tags.team = ''": "e",
    "tags.team ILIKE 'risk'": "ab",
    "tags.team LIKE 'under_score'": "d",
    "tag.team IS NULL": "cf",
    "tags.quote = 'say \"hi\"'": "f",
    "tags.`mlflow.runName` = 'c'": "c",
    "tags.mlflow.runName LIKE 'd%'": "d",
    "attributes.status = 'FINISHED'": "ag",
    "status = 'FAILED'": "b",
    "status != 'RUNNING'": "abcdg",
    "attr.run_name = 'b'": "b",
    "`run name` = 'a'": "a",
    "\"Run Name\" LIKE '%'": "abcdefg",
    "start_time > 1010": "cdefg",
    "attributes.start_time <= 1030": "abcd",
    "created = 1020": "c",
    "end_time > 5000": "bcdg",
    "user_id = 'nobody'": "",
    "attributes.artifact_uri LIKE 'mlflow-artifacts:/%/artifacts'": "abcdefg",
    "metrics.acc > 0 AND params.model LIKE '%e%' AND tags.team = 'risk' AND status = 'FINISHED'": "a",
    "metrics.acc > 0 and": "abdg",
    "dataset.name = 'x'": "",
}
REFUSED = [
    "metrics.acc > '0.1'",
    "metrics.acc LIKE '1'",
    "params.model > 'a'",
    "tags.team = risk",
    "attributes.nothing = 'x'",
    "lifecycle_stage = 'active'",
    "start_time = 'x'",
    "status = 5",
    "metrics.acc",
    "metrics.acc >",
    "= 5",
    "metrics.acc > 0;",
    "unknown.acc > 0",
    "dataset.source = 'x'",
    "run_name IN ()",
    "run_name IN ('a'",
]
ORDERS = {
    "": "gfedcba",
    "metrics.acc": "eagbdcf",
    "metrics.acc DESC": "dgbaecf",
    "metrics.acc asc, run_name DESC": "eagbdcf",
    "params.lr": "bagfedc",
    "params.lr DESC": "gabfedc",
    "params.model": "dcbfage",
    "tags.team, attributes.run_name": "ebgadcf",
    "start_time, run_name desc": "abcdefg",
    "attributes.status, run_name": "bagcefd",
    "end_time DESC, run_name": "gdcbaef",
    "run_name": "abcdefg",
}
BAD_ORDERS = [["metrics.acc descending"], ["nothing"], ["run_name", "run_name DESC"], ["dataset.name"]]
