"""Attacks on places and on what is others': every spelling, every door, none of them succeeds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from taxiway.compat.mlflow.call import Call
from tests.compat.mlflow.attacks import PLACING_TAGS, SOURCES, UNBUILT, few, spellings
from tests.compat.mlflow.city import PROXY, SECRET, TRACE, V2, V3, City, attacked, not_refused, trace


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with attacked(tmp_path_factory.mktemp("city")) as city:
        yield city


def test_no_spelling_leads_out_of_a_run(city: City) -> None:
    before = city.counts()
    tried = [
        city.attack(method, f"{PROXY}/artifacts/{root}{path}", b"x")
        for path in spellings()
        for method, root in (("GET", f"{city.place}/"), ("PUT", f"{city.place}/"), ("PUT", ""))
    ]

    assert not_refused(tried) == []
    assert city.counts() == before


def test_no_other_door_reads_them_otherwise(city: City) -> None:
    before = city.counts()
    logged = f"{V2}/logged-models/{city.logged}/artifacts/directories"
    tried = []
    for path in few():
        asked = path.replace("#", "%23").replace("\\", "%5c")
        tried += [
            city.attack("GET", f"{PROXY}/artifacts?path={city.place}/{asked}"),
            city.attack("GET", f"{PROXY}/artifacts?path={asked}"),
            city.attack("DELETE", f"{PROXY}/artifacts/{city.place}/{path}"),
            city.attack("GET", f"{V2}/artifacts/list?run_id={city.run}&path={asked}"),
            city.attack("GET", f"/get-artifact?run_id={city.run}&path={asked}"),
            city.attack("POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={city.run}&path={asked}", b"x"),
            city.attack("GET", f"/ajax-api/3.0/mlflow/get-trace-artifact?request_id={TRACE}&path={asked}"),
            city.attack("POST", f"{PROXY}/mpu/create/{city.place}/{path}", {"path": "x.bin", "num_parts": 1}),
            city.attack("GET", f"/model-versions/get-artifact?name=hers&version=1&path={asked}"),
            city.attack("PUT", f"{PROXY}/artifacts/{city.logged_place}/{path}", b"x"),
            city.attack("GET", f"{logged}?artifact_directory_path={asked}"),
        ]
    for name in ("..", "a/..", "a\\..", "x/", "", "/tmp/.", "%2e%2e", "a/%252e%252e", "a\u0000b", "~", "C:"):
        tried.append(city.attack("POST", f"{PROXY}/mpu/create/{city.place}", {"path": name, "num_parts": 1}))

    assert not_refused(tried) == []
    assert city.counts() == before


def test_no_client_says_where_things_are(city: City) -> None:
    before = city.counts()
    tried = []
    for number, spelled in enumerate(SOURCES):
        source = spelled.replace("{run}", city.run).replace("{place}", city.place)
        version = {"name": "sourced", "source": source}
        located = {"name": f"at {number}", "artifact_location": source}
        tried += [
            city.attack("POST", f"{V2}/experiments/create", located),
            city.attack("POST", f"{V2}/model-versions/create", version),
            city.attack("POST", f"{V2}/model-versions/create", version | {"run_id": city.run}),
            city.attack("POST", f"{V2}/model-versions/create", version | {"model_id": city.logged}),
        ]

    assert not_refused(tried) == []
    assert city.counts() == before


@pytest.mark.parametrize("tag", PLACING_TAGS)
def test_no_tag_says_where_a_trace_is(city: City, tag: str) -> None:
    told = city.attack("POST", f"{V3}/traces", trace(city.hers, id_="tr-" + "b" * 32, tags={tag: "file:///etc"}))
    later = city.attack("PATCH", f"{V3}/traces/{TRACE}/tags", {"key": tag, "value": "file:///etc"})

    assert (told.status, later.status) == (200, 400)
    assert b"file:" not in told.reply.body


def test_nobody_reaches_into_anothers_project(city: City) -> None:
    before = city.counts()
    mixed = f"{city.his}/{city.run}/artifacts"
    feedback = {"assessment": {"assessment_name": "a", "feedback": {"value": 1}}}
    both = f'{{"run_id":"{city.own_run}","key":"a","value":"b","run_id":"{city.run}"}}'.encode()
    doors: list[tuple[str, str, object]] = [
        ("GET", f"{PROXY}/artifacts/{city.place}/secret.txt", b""),
        ("GET", f"{PROXY}/artifacts/{mixed}/secret.txt", b""),
        ("PUT", f"{PROXY}/artifacts/{city.place}/secret.txt", b"x"),
        ("PUT", f"{PROXY}/artifacts/{mixed}/mine.txt", b"x"),
        ("DELETE", f"{PROXY}/artifacts/{city.place}/secret.txt", b""),
        ("DELETE", f"{PROXY}/artifacts/{city.place}", b""),
        ("GET", f"{PROXY}/artifacts?path={city.place}", b""),
        ("GET", f"/get-artifact?run_id={city.run}&path=secret.txt", b""),
        ("GET", f"/get-artifact?run_id={city.own_run}&run_uuid={city.run}&path=secret.txt", b""),
        ("GET", f"/get-artifact?run_id={city.own_run}&run_id={city.run}&path=secret.txt", b""),
        ("GET", f"{V2}/artifacts/list?run_id={city.run}", b""),
        ("POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={city.run}&path=x", b"x"),
        ("POST", f"{PROXY}/mpu/create/{city.place}", {"path": "x", "num_parts": 1}),
        ("GET", f"{V3}/traces/{TRACE}", b""),
        ("GET", f"{V3}/traces/get?trace_id={TRACE}", b""),
        ("GET", f"{V2}/traces/{TRACE}/info", b""),
        ("PATCH", f"{V2}/traces/{TRACE}", {"timestamp_ms": 1, "status": "OK"}),
        ("PATCH", f"{V3}/traces/{TRACE}/tags", {"key": "a", "value": "b"}),
        ("DELETE", f"{V3}/traces/{TRACE}/tags", {"key": "a"}),
        ("GET", f"/ajax-api/3.0/mlflow/get-trace-artifact?request_id={TRACE}", b""),
        ("POST", f"{V3}/traces/{TRACE}/assessments", feedback),
        ("POST", f"{V3}/traces", trace(city.hers, id_="tr-" + "c" * 32)),
        ("POST", f"{V3}/traces", trace(city.his)),
        ("POST", f"{V3}/traces/delete-traces", {"experiment_id": city.hers, "request_ids": [TRACE]}),
        ("POST", f"{V2}/traces/link-to-run", {"trace_ids": [TRACE], "run_id": city.run}),
        ("POST", f"{V2}/runs/log-metric", {"run_id": city.run, "key": "a", "value": 1, "timestamp": 1}),
        ("POST", f"{V2}/runs/set-tag", both),
        ("POST", f"{V2}/runs/delete", {"run_id": city.run}),
        ("POST", f"{V2}/runs/create", {"experiment_id": city.hers}),
        ("POST", f"{V2}/experiments/create", {"name": "hers/mine"}),
        ("POST", f"{V2}/experiments/delete", {"experiment_id": city.hers}),
        ("GET", f"{PROXY}/artifacts/{city.logged_place}/secret.txt", b""),
        ("GET", f"{PROXY}/artifacts/{city.his}/models/{city.logged}/artifacts/secret.txt", b""),
        ("PUT", f"{PROXY}/artifacts/{city.logged_place}/MLmodel", b"x"),
        ("DELETE", f"{PROXY}/artifacts/{city.logged_place}", b""),
        ("GET", f"{V2}/logged-models/{city.logged}", b""),
        ("GET", f"{V2}/logged-models/{city.logged}/artifacts/directories", b""),
        ("PATCH", f"{V2}/logged-models/{city.logged}", {"status": "LOGGED_MODEL_READY"}),
        ("DELETE", f"{V2}/logged-models/{city.logged}", b""),
        ("POST", f"{V2}/logged-models", {"experiment_id": city.hers, "name": "mine"}),
        ("GET", f"{V2}/registered-models/get?name=hers", b""),
        ("GET", f"{V2}/model-versions/get?name=hers&version=1", b""),
        ("GET", f"{V2}/model-versions/get-download-uri?name=hers&version=1", b""),
        ("GET", "/model-versions/get-artifact?name=hers&version=1&path=secret.txt", b""),
        ("POST", f"{V2}/registered-models/rename", {"name": "hers", "new_name": "his"}),
        ("POST", f"{V2}/registered-models/alias", {"name": "hers", "alias": "champion", "version": "1"}),
        ("POST", f"{V2}/model-versions/transition-stage", {"name": "hers", "version": "1", "stage": "Production"}),
        ("DELETE", f"{V2}/model-versions/delete", {"name": "hers", "version": "1"}),
        ("POST", f"{V2}/model-versions/create", {"name": "hers", "source": f"runs:/{city.own_run}/x"}),
        ("GET", f"{V2}/metrics/get-history-bulk?run_id={city.own_run}&run_id={city.run}&metric_key=a", b""),
        ("GET", f"{V2}/metrics/get-history-bulk-interval?run_ids={city.run}&metric_key=a", b""),
    ]

    assert not_refused(city.attack(*door, by="mallory") for door in doors) == []
    assert city.counts() == before


def test_what_is_found_among_many_is_only_ones_own(city: City) -> None:
    location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": city.hers}}
    deletion = {"experiment_id": city.his, "request_ids": [TRACE]}
    asked = [
        city.attack("GET", f"{V3}/traces/batchGet?trace_ids={TRACE}", by="mallory"),
        city.attack("POST", f"{V3}/traces/batchGetInfos", {"trace_ids": [TRACE]}, by="mallory"),
        city.attack("POST", f"{V3}/traces/search", {"locations": [location]}, by="mallory"),
        city.attack("GET", f"{V2}/traces?experiment_ids={city.hers}", by="mallory"),
        city.attack("POST", f"{V2}/runs/search", {"experiment_ids": [city.hers]}, by="mallory"),
        city.attack("POST", f"{V2}/logged-models/search", {"experiment_ids": [city.hers]}, by="mallory"),
        city.attack("GET", f"{V2}/registered-models/search", by="mallory"),
        city.attack("GET", f"{V2}/model-versions/search", by="mallory"),
        city.attack("POST", f"{V3}/traces/delete-traces", deletion, by="mallory"),
    ]

    assert [(one.status, one.told) for one in asked] == [(200, {})] * 8 + [(200, {"traces_deleted": 0})]


def every_call() -> list[tuple[str, str]]:
    """Each call that somebody must sign in for, with something in place of the names in its path."""
    place = f"1/{'0' * 32}/artifacts"
    found: list[tuple[str, str]] = []
    for call in Call.declared:
        if call.about == "open" and "{upload_id}" not in call.path:
            continue
        for path in call.paths:
            filled = path.replace("{path:path}", f"{place}/x").replace("{place:path}", place)
            found.append((call.method, filled.replace("{part_number}", "1").replace("{", "x").replace("}", "")))
    return found


def test_every_call_wants_a_credential_that_holds(city: City) -> None:
    none = [city.attack(method, path, b"{}", by="") for method, path in every_call()]
    wrong = [city.attack(method, path, b"{}", by="tw_token_wrong") for method, path in every_call()]

    assert [one.name for one in none if one.status != 401] == []
    assert [one.name for one in wrong if one.status not in (401, 429)] == []


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_what_is_not_there_does_nothing(city: City, method: str) -> None:
    assert not_refused(city.attack(method, path, b"{}") for path in UNBUILT) == []


def test_what_the_server_counts_is_told_to_nobody_without_a_credential(city: City) -> None:
    assert city.attack("GET", "/metrics", b"", by="").status == 401
    assert [city.attack(method, "/metrics", b"{}").status for method in ("POST", "PUT", "DELETE")] == [405] * 3
    assert b"endpoint=" not in city.attack("GET", "/metrics", b"", by="mallory").reply.body


def test_a_part_is_taken_from_whoever_knows_its_secret_alone(city: City) -> None:
    named = {"path": "x.bin", "num_parts": 1}
    opened = city.attack("POST", f"{PROXY}/mpu/create/{city.place}", named).told
    credential, parts = opened["credentials"][0], f"{PROXY}/mpu/parts/{opened['upload_id']}"
    secret: dict[str, str] = credential["headers"]
    other = city.attack("POST", f"{PROXY}/mpu/create/{city.own_place}", named, by="mallory").told
    theirs: dict[str, str] = other["credentials"][0]["headers"]
    done = {"path": "x.bin", "upload_id": opened["upload_id"]}
    done |= {"parts": [{"part_number": 1, "etag": "sha256:" + "0" * 64}]}
    elsewhere = done | {"upload_id": "../../blobs"}
    before = city.counts()
    tried = [
        city.attack("PUT", f"{parts}/1", b"x", by="mallory"),
        city.attack("PUT", f"{parts}/1", b"x", by="", headers=theirs),
        city.attack("PUT", f"{parts}/2", b"x", by="", headers=secret),
        city.attack("PUT", f"{parts}/0", b"x", by="", headers=secret),
        city.attack("PUT", f"{parts}/..%2f1", b"x", by="", headers=secret),
        city.attack("PUT", f"{PROXY}/mpu/parts/..%2f..%2fblobs/1", b"x", by="", headers=secret),
        city.attack("POST", f"{PROXY}/mpu/complete/{city.place}", done),
        city.attack("POST", f"{PROXY}/mpu/complete/{city.own_place}", done, by="mallory"),
        city.attack("POST", f"{PROXY}/mpu/complete/{city.place}/a", done),
        city.attack("POST", f"{PROXY}/mpu/abort/{city.place}", elsewhere),
        city.attack("POST", f"{PROXY}/mpu/abort/{city.own_place}", done, by="mallory"),
    ]
    came = city.attack("PUT", f"{parts}/1", b"part", by="", headers=secret)
    tried.append(city.attack("POST", f"{PROXY}/mpu/complete/{city.place}", done))

    assert credential["url"].endswith(f"{parts}/1")
    assert not_refused(tried) == []
    assert came.status == 200
    assert city.counts() == before
    assert city.attack("POST", f"{PROXY}/mpu/abort/{city.place}", done).status == 200


def test_a_download_runs_nowhere(city: City) -> None:
    page = f"{PROXY}/artifacts/{city.place}/page.html"
    city.attack("PUT", page, b"<script>alert(1)</script>")
    for target in (page, f"/get-artifact?run_id={city.run}&path=page.html"):
        head = city.attack("GET", target).reply.head
        assert 'content-disposition: attachment; filename="page.html"' in head
        assert "x-content-type-options: nosniff" in head
        assert "content-security-policy: sandbox" in head
    city.attack("DELETE", page)


def test_the_secret_is_there_for_her(city: City) -> None:
    assert city.attack("GET", f"{PROXY}/artifacts/{city.place}/secret.txt").reply.body == SECRET
