"""The dialect over plain HTTP: strict where MLflow is not, and nothing changed by what is refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.compat.mlflow.conftest import Told, Tracking
from tests.web.browse import Visitor

AT = 1_700_000_000_000
LAST_DAY_MS = 253_402_214_400_000  # 9999-12-31

WRONG_METRICS: list[tuple[str, Any]] = [
    ("value", "x"),
    ("value", None),
    ("value", True),
    ("value", "1e999"),
    ("timestamp", "noon"),
    ("timestamp", None),
    ("timestamp", -1),
    ("timestamp", 2**63),
    ("timestamp", 1.5),
    ("step", 2**63),
    ("step", "foo"),
    ("step", True),
    ("key", ""),
    ("key", 31),
    ("key", "a/../b"),
    ("key", "/a"),
    ("key", "a//b"),
    ("key", "."),
    ("key", 'say "hi"'),
    ("key", "two\nlines"),
    ("key", "k" * 251),
    ("key", " loss"),
    ("key", "fire \U0001f525"),
]


@pytest.fixture(scope="module")
def run(tracking: Tracking) -> str:
    return tracking.new_run(tracking.new_experiment())


@pytest.mark.parametrize(("field", "value"), WRONG_METRICS)
def test_a_wrong_metric_is_refused_by_name_and_its_batch_changes_nothing(
    tracking: Tracking, run: str, field: str, value: Any
) -> None:
    good = {"key": "loss", "value": 1, "timestamp": AT, "step": 1}
    wrong = {name: v for name, v in {**good, field: value}.items() if v is not None}
    batch = {"run_id": run, "metrics": [good, wrong], "params": [{"key": "p", "value": "1"}]}

    alone = tracking.call("POST", "/runs/log-metric", {"run_id": run, **wrong})
    together = tracking.call("POST", "/runs/log-batch", batch)

    for told, name in ((alone, field), (together, f"metrics[1].{field}")):
        assert (told.status, told.code) == (400, "INVALID_PARAMETER_VALUE")
        assert f"parameter '{name}'" in told.message
    assert {"metrics", "params"}.isdisjoint(tracking.shown(run)["data"])


def test_numbers_as_texts_and_every_digit_of_a_step_are_kept(tracking: Tracking) -> None:
    run = tracking.new_run()
    points = [("5", "-3"), (7, 2**53 + 1), ("NaN", 2**62), ("-Infinity", 0)]

    for value, step in points:
        body = {"run_uuid": run, "key": "m", "value": value, "timestamp": str(AT), "step": step}
        assert tracking.call("POST", "/runs/log-metric", body).status == 200

    history = tracking.call("GET", f"/metrics/get-history?run_id={run}&metric_key=m").body["metrics"]
    assert [(point["step"], point["value"]) for point in history] == [
        (-3, 5.0),
        (0, "-Infinity"),
        (2**53 + 1, 7.0),
        (2**62, "NaN"),
    ]
    assert tracking.shown(run)["data"]["metrics"] == [{"key": "m", "value": "NaN", "timestamp": AT, "step": 2**62}]


def test_the_same_batch_again_is_the_same_batch(tracking: Tracking) -> None:
    run = tracking.new_run()
    point = {"key": "m", "value": 0.5, "timestamp": AT, "step": 3}
    batch = {"run_id": run, "metrics": [point, point], "params": [{"key": "p", "value": "1"}]}

    answers = [tracking.call("POST", "/runs/log-batch", batch) for _ in range(3)]
    tracking.call("POST", "/runs/log-metric", {"run_id": run, **point})

    assert [answer.body for answer in answers] == [{}, {}, {}]
    assert tracking.call("GET", f"/metrics/get-history?run_id={run}&metric_key=m").body == {"metrics": [point]}


def test_the_newest_value_is_that_of_the_highest_step_then_time_then_value(tracking: Tracking) -> None:
    run = tracking.new_run()

    for value, at, step in [(1, AT, 5), (9, AT + 9, 4), (2, AT + 1, 5), (3, AT + 1, 5), (2.5, AT + 1, 5)]:
        body = {"run_id": run, "key": "m", "value": value, "timestamp": at, "step": step}
        tracking.call("POST", "/runs/log-metric", body)

    assert tracking.shown(run)["data"]["metrics"] == [{"key": "m", "value": 3.0, "timestamp": AT + 1, "step": 5}]


def test_moments_beyond_the_calendar_are_kept_to_the_millisecond(tracking: Tracking) -> None:
    run = tracking.new_run()
    moments = [LAST_DAY_MS + 1, 2**63 - 1, 5, 2**63 - 2, LAST_DAY_MS, 2**62]
    batch = [{"key": "b", "value": 1, "timestamp": 2**63 - 1 - number, "step": 0} for number in range(200)]

    told = [
        tracking.call("POST", "/runs/log-metric", {"run_id": run, "key": "m", "value": 1, "timestamp": at, "step": 3})
        for at in moments
    ]
    told += [tracking.call("POST", "/runs/log-batch", {"run_id": run, "metrics": batch})]

    assert [answer.status for answer in told] == [200] * 7
    for key, expected in (("m", sorted(moments)), ("b", [point["timestamp"] for point in reversed(batch)])):
        history = tracking.call("GET", f"/metrics/get-history?run_id={run}&metric_key={key}").body["metrics"]
        assert [point["timestamp"] for point in history] == expected
    assert {metric["key"]: metric["timestamp"] for metric in tracking.shown(run)["data"]["metrics"]} == {
        "m": 2**63 - 1,
        "b": 2**63 - 1,
    }
    page = Visitor(tracking.url).ask("GET", f"/runs/{run}/metric?key=b&axis=time")
    assert page.status == 200
    assert "9999-12-31" in page.text


def test_a_parameter_is_what_it_was_first(tracking: Tracking) -> None:
    run = tracking.new_run()
    log = {"run_id": run, "key": "depth", "value": "3"}

    first, again = (tracking.call("POST", "/runs/log-parameter", log) for _ in range(2))
    other = tracking.call("POST", "/runs/log-parameter", {**log, "value": "4"})
    batch = tracking.call(
        "POST",
        "/runs/log-batch",
        {
            "run_id": run,
            "params": [{"key": "new", "value": "1"}, {"key": "depth", "value": "5"}],
            "tags": [{"key": "t"}],
        },
    )
    twice = tracking.call(
        "POST", "/runs/log-batch", {"run_id": run, "params": [{"key": "x", "value": "1"}, {"key": "x", "value": "1"}]}
    )

    assert (first.status, again.status) == (200, 200)
    assert [(t.status, t.code) for t in (other, batch, twice)] == [(400, "INVALID_PARAMETER_VALUE")] * 3
    assert "depth" in other.message
    data = tracking.shown(run)["data"]
    assert data["params"] == [{"key": "depth", "value": "3"}]
    assert [tag["key"] for tag in data["tags"]] == ["mlflow.runName"]


def test_long_values_are_cut_and_odd_texts_are_kept(tracking: Tracking) -> None:
    run = tracking.new_run(run_name="a/b \"c\" 'd'\n" + "\U0001f6eb" * 100)
    text = "\x1b[31m\x01 line\r\nline \"q\" 'q' \U0001f6eb ü \\ %00 </script>"

    tracking.call("POST", "/runs/log-parameter", {"run_id": run, "key": "long", "value": "x" * 10_000})
    tracking.call("POST", "/runs/set-tag", {"run_id": run, "key": "long", "value": "y" * 10_000})
    tracking.call("POST", "/runs/set-tag", {"run_id": run, "key": "odd/näme: a.b-c_d", "value": text})

    shown = tracking.shown(run)
    tags = {tag["key"]: tag["value"] for tag in shown["data"]["tags"]}
    assert shown["data"]["params"] == [{"key": "long", "value": "x" * 6000}]
    assert tags["long"] == "y" * 8000
    assert tags["odd/näme: a.b-c_d"] == text
    assert shown["info"]["run_name"].endswith("\U0001f6eb" * 100)


BIG: list[tuple[str, dict[str, Any], str]] = [
    (
        "metrics",
        {"metrics": [{"key": "m", "value": 1, "timestamp": AT, "step": n} for n in range(1001)]},
        "at most 1000",
    ),
    ("params", {"params": [{"key": f"p{n}", "value": "1"} for n in range(101)]}, "at most 100 params"),
    ("tags", {"tags": [{"key": f"t{n}", "value": "1"} for n in range(101)]}, "at most 100 tags"),
    (
        "all",
        {
            "metrics": [{"key": "m", "value": 1, "timestamp": AT, "step": n} for n in range(950)],
            "params": [{"key": f"p{n}", "value": "1"} for n in range(51)],
        },
        "at most 1000 metrics, params, and tags",
    ),
    ("bytes", {"tags": [{"key": "t", "value": "z" * 1_000_001}]}, "1,000,000"),
]


@pytest.mark.parametrize(("what", "batch", "words"), BIG)
def test_a_batch_has_bounds(tracking: Tracking, run: str, what: str, batch: dict[str, Any], words: str) -> None:
    told = tracking.call("POST", "/runs/log-batch", {"run_id": run, **batch})

    assert (told.status, told.code) == (400, "INVALID_PARAMETER_VALUE")
    assert words in told.message


PLACES = [
    "/tmp/x", "file:///tmp/x", "file:x", "s3://bucket/x", "http://host/x", "mlflow-artifacts:/../x", "dbfs:/x", "../x",
    "a/../../x", "a/./b", "%2e%2e/x", "..%2fx", "%252e%252e/x", "a?x=1", "a#x", "a;x", "\\\\host\\x", "C:\\x", "C:/x",
    "//host/x", "a//b", "~/x", "a/..", "..", ".", "a\nb", "$HOME", "a\u2025/b", " ",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_client_never_chooses_a_place(tracking: Tracking, place: str) -> None:
    told = tracking.call("POST", "/experiments/create", {"name": f"at {place!r}", "artifact_location": place})

    assert (told.status, told.code) == (400, "INVALID_PARAMETER_VALUE"), told
    assert "artifact_location" in told.message


def test_a_plain_name_is_a_label_and_files_are_where_the_server_says(tracking: Tracking) -> None:
    told = tracking.call("POST", "/experiments/create", {"name": "labelled", "artifact_location": "my folder/v1.2"})
    number = told.body["experiment_id"]

    shown = tracking.call("GET", f"/experiments/get?experiment_id={number}").body["experiment"]
    run = tracking.shown(tracking.new_run(number))["info"]
    plain = tracking.call("GET", f"/experiments/get?experiment_id={tracking.new_experiment()}").body["experiment"]

    assert shown["artifact_location"] == "my folder/v1.2"
    assert run["artifact_uri"] == f"mlflow-artifacts:/{number}/{run['run_id']}/artifacts"
    assert plain["artifact_location"] == f"mlflow-artifacts:/{plain['experiment_id']}"


def test_a_store_that_an_admin_allowed_is_honoured_inside_its_prefix(tracking: Tracking) -> None:
    tracking.live.client.stores.add("team-bucket", "s3://models/team")

    def create(location: str) -> Told:
        return tracking.call("POST", "/experiments/create", {"name": f"in {location}", "artifact_location": location})

    allowed = create("s3://models/team/risk").body["experiment_id"]
    run = tracking.shown(tracking.new_run(allowed))["info"]
    beyond = [
        "s3://models/other", "s3://models/teammates/x", "s3://models/team/../x", "s3://models/team/%2e%2e/x",
        "s3://models/team/x?a=b", "s3://models/team/x#a", "s3://models/team//x", "s3://other/team/x", "S3://models/team/x",
    ]  # fmt: skip

    assert run["artifact_uri"] == f"s3://models/team/risk/{run['run_id']}/artifacts"
    assert {create(location).status for location in beyond} == {400}


@pytest.mark.parametrize("size", [0, -1, 10**9, "many", 1.5, True, 2**63])
def test_page_sizes_are_refused_by_name(tracking: Tracking, size: Any) -> None:
    ask = {"experiment_ids": ["0"], "max_results": size}
    run = tracking.new_run()

    told = [
        tracking.call("POST", "/runs/search", ask),
        tracking.call("POST", "/experiments/search", ask),
        tracking.call("GET", f"/experiments/search?max_results={size}"),
        tracking.call("GET", f"/metrics/get-history?run_id={run}&metric_key=m&max_results={size}"),
        tracking.call("GET", f"/metrics/get-history-bulk-interval?run_ids={run}&metric_key=m&max_results={size}"),
    ]

    assert {(t.status, t.code) for t in told} == {(400, "INVALID_PARAMETER_VALUE")}
    assert all("parameter 'max_results'" in t.message for t in told)


def test_unknown_things_are_404_with_the_code_that_programs_look_for(tracking: Tracking) -> None:
    nobody = "0" * 32
    told = [
        tracking.call("GET", f"/runs/get?run_id={nobody}"),
        tracking.call("POST", "/runs/log-metric", {"run_id": nobody, "key": "m", "value": 1, "timestamp": AT}),
        tracking.call("POST", "/runs/log-batch", {"run_id": nobody}),
        tracking.call("POST", "/runs/update", {"run_id": nobody, "status": "FINISHED"}),
        tracking.call("POST", "/runs/delete-tag", {"run_id": tracking.new_run(), "key": "none"}),
        tracking.call("GET", f"/metrics/get-history?run_id={nobody}&metric_key=m"),
        tracking.call("GET", "/experiments/get?experiment_id=999999"),
        tracking.call("GET", "/experiments/get?experiment_id=12345678901234567890"),
        tracking.call("GET", "/experiments/get-by-name?experiment_name=nothing"),
        tracking.call("POST", "/runs/create", {"experiment_id": "999999"}),
    ]

    assert {(t.status, t.code) for t in told} == {(404, "RESOURCE_DOES_NOT_EXIST")}


def test_what_is_no_call_is_404_in_the_dialects_words(tracking: Tracking) -> None:
    paths = ["//api/2.0/mlflow/nothing", "//ajax-api/3.0/mlflow/nothing", "//api/3.0/mlflow/scorers/list", "//graphql"]

    told = [tracking.call(method, path, {}) for path in paths for method in ("GET", "POST", "DELETE")]
    wrong_way = tracking.call("DELETE", "/runs/get", {})

    assert {(t.status, t.code) for t in [*told, wrong_way]} == {(404, "ENDPOINT_NOT_FOUND")}


def test_bodies_are_json_and_say_so(tracking: Tracking) -> None:
    path = "/api/2.0/mlflow/runs/search"

    def ask(body: bytes, **headers: str) -> int:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return Visitor(tracking.url).ask("POST", path, body=body, headers=given).status

    assert ask(b"{}", Content_Type="application/json; charset=utf-8") == 200
    assert ask(b"", Content_Type="application/json") == 200
    assert ask(b"{}", Content_Type='application/json;charset="UTF-8"') == 200
    assert ask("{}".encode("utf-16"), Content_Type="application/json; charset=utf-16") == 400
    assert ask(b"{}", Content_Type="application/json; charset=latin-1") == 400
    assert ask(b"{}") == 400
    assert ask(b"{}", Content_Type="text/plain") == 400
    assert ask(b"a=1", Content_Type="application/x-www-form-urlencoded") == 400
    assert ask(b"{", Content_Type="application/json") == 400
    assert ask(b"[" * 50_000, Content_Type="application/json") == 400
    assert ask(b"{}", Content_Type="application/json", Origin="http://evil.example") == 403
    assert ask(b"{}", Content_Type="application/json", Host="evil.example") == 403


def test_the_server_tells_what_it_is(tracking: Tracking) -> None:
    assert tracking.call("GET", "//version") == (200, "3.17.2")
    assert tracking.call("GET", "//health") == (200, "OK")
    for door in ("api", "ajax-api"):
        info = tracking.call("GET", f"//{door}/3.0/mlflow/server-info")
        assert info.body["store_type"] == "SqlStore"


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    ["a" * 10_000, "\0", "../../x", "`", "' OR 1=1 --", "\u202e", "%", "\U0001f6eb", "a\nb", "{}", "null"]
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=TEXT, key=TEXT, value=TEXT, other=st.dictionaries(TEXT, TEXT, max_size=2))
def test_odd_names_are_kept_as_they_are_or_refused(
    tracking: Tracking, run: str, name: str, key: str, value: str, other: dict[str, str]
) -> None:
    kept = tracking.call("POST", "/runs/set-tag", {**other, "run_id": run, "key": key, "value": value})
    found = tracking.call("GET", f"/experiments/get-by-name?experiment_name={quote(name, safe='')}")
    made = tracking.call("POST", "/runs/create", {**other, "experiment_id": "0", "run_name": name})
    sought = tracking.call("POST", "/runs/search", {"experiment_ids": ["0", name], "filter": value, "order_by": [key]})

    assert {kept.status, made.status, found.status, sought.status} <= {200, 400, 404}
    if kept.status == 200 and key != "mlflow.runName":
        tags = {tag["key"]: tag["value"] for tag in tracking.shown(run)["data"]["tags"]}
        assert tags[key] == value[:8000]
    if made.status == 200 and name:
        assert made.body["run"]["info"]["run_name"] == name


def test_refusals_have_the_words_that_mlflows_own_tests_look_for(tracking: Tracking, run: str) -> None:
    upload = "//ajax-api/2.0/mlflow/upload-artifact"
    asks: dict[tuple[str, str], Any] = {
        ("POST", "/runs/log-parameter"): {"run_id": 31, "key": "p", "value": 41},
        ("POST", "/runs/set-tag"): {"run_id": 31, "key": "p", "value": 41},
        ("GET", f"/artifacts/list?run_id={run}&path=../a"): None,
        ("GET", f"//get-artifact?run_id={run}&path=../a"): None,
        ("POST", upload): b"x",
        ("POST", f"{upload}?run_uuid={run}"): b"x",
        ("POST", f"{upload}?run_uuid={run}&path=a.txt"): b"",
        ("POST", f"{upload}?run_uuid={run}&path=../a.txt"): b"x",
    }

    told = [tracking.call(method, path, body) for (method, path), body in asks.items()]

    assert {(answer.status, answer.code) for answer in told} == {(400, "INVALID_PARAMETER_VALUE")}
    assert ["Invalid value 31 for parameter 'run_id' supplied" in answer.message for answer in told[:2]] == [True] * 2
    assert [answer.message for answer in told[2:]] == [
        "Invalid path",
        "Invalid path",
        "Request must specify run_uuid.",
        "Request must specify path.",
        "Request must specify data.",
        "Invalid path",
    ]
