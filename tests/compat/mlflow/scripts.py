"""Scripts for MLflow's client that tell what a server answers, in words that two servers can be compared by."""

from __future__ import annotations

from collections.abc import Callable
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
    "attributes.status = 'finished'": "",
    "attributes.status != 'finished'": "abcdefg",
    "status LIKE 'F%'": "abg",
    "status ILIKE 'kill%'": "c",
    "status = 'stopped'": "",
    "`params`.model = 'tree'": "a",
    "metrics.acc <= 1e999 and metrics.acc > 0.4": "bdg",
    "run_id IN ('x',)": "",
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
    "params.lr = 10",
    "params.lr != 10",
    "params.model = true",
    "name = 'a'",
    "attributes.name = 'a'",
    "id = 'x'",
    "user = 'x'",
    "run_uuid = 'x'",
    "metrics.acc IS NULL",
    "metrics.acc IS NOT NULL",
    "run_name IS NULL",
    "end_time IS NULL",
    "dataset.name IS NULL",
    "METRICS.acc > 0",
    "Params.model = 'tree'",
    "attributes.Status = 'FINISHED'",
    "STATUS = 'FINISHED'",
    "'run name' = 'a'",
    "`RUN NAME` = 'a'",
    "CREATED > 0",
    "attributes.started_at > 0",
    "metrics.acc > +0.1",
    "   ",
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
BAD_ORDERS = [
    ["metrics.acc descending"],
    ["nothing"],
    ["run_name", "run_name DESC"],
    ["dataset.name"],
    ["name"],
    ["user"],
    ["START_TIME"],
    ["Metrics.acc"],
    ["attributes.started_at"],
]


Script = Callable[..., Any]


def log_of_everything(mlflow: Any, client: Any) -> Any:
    """What a run is told to be after logging, as the client reads it, without ids and times."""
    from mlflow.entities import Metric, Param, RunTag

    number = client.create_experiment("everything", tags={"a": "1"})
    run = client.create_run(number, start_time=5, run_name="n", tags={"mlflow.user": "me", "t": "1"}).info.run_id
    for value, at, step in [(1, 5, 5), (9, 9, 4), (2, 6, 5), (3, 6, 5), (float("nan"), 1, 1), (2, 6, 5)]:
        client.log_metric(run, "m", value, at, step)
    client.log_batch(
        run,
        metrics=[Metric("b", 0.1, 1, -1), Metric("b", 0.1, 1, -1), Metric("b", 1e-300, 2, 2**62)],
        params=[Param("p", "1"), Param("empty", ""), Param("long", "x" * 7000)],
        tags=[RunTag("u", "ü" * 9000), RunTag("t", "2")],
    )
    client.log_param(run, "p", 1)
    client.set_tag(run, "mlflow.note.content", "# hi")
    client.set_terminated(run, "KILLED", 77)
    got = client.get_run(run)
    info = {k: v for k, v in dict(got.info).items() if k not in ("run_id", "run_uuid", "artifact_uri", "experiment_id")}
    data = got.data.to_dictionary()
    data["metrics"] = {key: repr(value) for key, value in data["metrics"].items()}
    history = {
        key: sorted((point.step, point.timestamp, repr(point.value)) for point in client.get_metric_history(run, key))
        for key in ("m", "b", "none")
    }
    place = got.info.artifact_uri.replace(run, "RUN").replace(f"/{number}/", "/NUMBER/")
    return [info, data, history, place]


def life_of_an_experiment(mlflow: Any, client: Any) -> Any:
    """What is told of an experiment and its runs as it is deleted and restored."""
    number = client.create_experiment("life", tags={"k": "v"})
    runs = [client.create_run(number).info.run_id for _ in range(2)]
    client.delete_run(runs[0])
    told: list[Any] = []

    def tell() -> None:
        found = client.get_experiment(number)
        told.append([found.name, found.lifecycle_stage, found.tags])
        told.append([client.get_run(run).info.lifecycle_stage for run in runs])
        told.append([one.name for one in client.search_experiments(filter_string="name = 'life'")])
        told.append(len(client.search_runs([number], run_view_type=3)))

    tell()
    client.delete_experiment(number)
    tell()
    client.restore_experiment(number)
    client.rename_experiment(number, "life 2")
    tell()
    client.rename_experiment(number, "life")
    return told


def data_of_runs(mlflow: Any, client: Any) -> Any:
    """What is told of data sets that a run read twice."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    number = client.create_experiment("data")
    run = client.create_run(number).info.run_id
    one = Dataset("loans", "d1", "local", '{"uri": "x"}', "schema", "profile")
    other = Dataset("loans", "d2", "local", "{}")
    context = [InputTag("mlflow.data.context", "train")]
    client.log_inputs(run, [DatasetInput(one, context), DatasetInput(other, [])])
    client.log_inputs(run, [DatasetInput(one, [InputTag("mlflow.data.context", "test")])])
    inputs = client.get_run(run).inputs.dataset_inputs
    told = [[each.dataset.to_dictionary(), [dict(tag) for tag in each.tags]] for each in inputs]
    filters = ["dataset.name = 'loans'", "dataset.digest IN ('d1')", "dataset.context = 'train'", "dataset.name != 'x'"]
    found = [len(client.search_runs([number], where)) for where in filters]
    return [sorted(told, key=str), found]


def many_experiments(mlflow: Any, client: Any) -> Any:
    """What is found of experiments by filters, orders and pages."""
    import time

    for name, tag in (("x 1", "a"), ("x 2", "b"), ("X 3", "a"), ("x%4", None)):
        client.create_experiment(name, tags={"t": tag} if tag else {})
        time.sleep(0.002)
    filters = [
        "name LIKE 'x%'", "name ILIKE 'x%'", "name = 'x 1'", "name != 'x 1' AND name ILIKE 'x%'", "tags.t = 'a'",
        "tags.t != 'a'", "tag.t IS NULL AND name LIKE 'x%'", "attribute.name LIKE '_ 2'",
        "creation_time > 0 AND name = 'X 3'",
        "name > 'a'", "name", "foo = 'a'", "name = 'a' OR name = 'b'", "last_update_time < 0", "creation_time = 'a'",
    ]  # fmt: skip
    orders = [
        ["name"],
        ["name DESC"],
        ["creation_time ASC"],
        ["last_update_time DESC"],
        ["experiment_id"],
        ["x"],
        ["name x"],
    ]

    def told(**given: Any) -> Any:
        try:
            return [one.name for one in client.search_experiments(**given) if one.name[0] in "xX"]
        except mlflow.exceptions.MlflowException as e:
            return e.error_code

    return [
        {where: told(filter_string=where) for where in filters},
        {order[0]: told(filter_string="name ILIKE 'x%'", order_by=order) for order in orders},
    ]


ALIKE = [log_of_everything, life_of_an_experiment, data_of_runs, many_experiments]


def ask_oddly(mlflow: Any, client: Any, *, requests: dict[str, Any]) -> Any:
    """By name, the status and the error code of each request, made by plain HTTP in their order."""
    import json

    import requests as http

    number = client.create_experiment("odd requests")
    run = client.create_run(number).info.run_id

    def filled(text: str) -> str:
        return text.replace("{run}", run).replace("{number}", number)

    told = {}
    for name, (method, path, body) in requests.items():
        given = None if body is None else json.loads(filled(json.dumps(body)))
        answer = http.request(method, f"{client.tracking_uri}/api/2.0/mlflow/{filled(path)}", json=given, timeout=20)
        is_json = "json" in answer.headers.get("Content-Type", "")
        told[name] = [answer.status_code, answer.json().get("error_code", "") if is_json else ""]
    return told
