"""Files that MLflow's client sends, lists, fetches and drops; whole or not at all, and in little memory."""

from __future__ import annotations

import errno
import hashlib
import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.compat.mlflow.conftest import Tracking
from tests.compat.mlflow.wire import Reply, ask, send

PROXY = "/api/2.0/mlflow-artifacts"


def put(tracking: Tracking, place: str, data: bytes, **headers: str) -> Reply:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(tracking.url, "PUT", f"{PROXY}/artifacts/{place}", data, headers=given)


def get(tracking: Tracking, place: str, **headers: str) -> Reply:
    return ask(tracking.url, "GET", f"{PROXY}/artifacts/{place}", headers=headers)


def told(reply: Reply) -> Any:
    return json.loads(reply.body)


@pytest.fixture
def place(tracking: Tracking) -> str:
    """Where the files of a new run are."""
    return f"0/{tracking.new_run()}/artifacts"


def test_the_fluent_api_logs_files_of_every_kind(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        import pathlib
        import tempfile

        folder = pathlib.Path(tempfile.mkdtemp())
        (folder / "sub" / "deep").mkdir(parents=True)
        (folder / "a.txt").write_text("hello")
        (folder / "sub" / "b c.txt").write_text("x" * 1000)
        (folder / "sub" / "deep" / "ü.json").write_text("{}")
        mlflow.set_experiment("files")
        with mlflow.start_run() as run:
            mlflow.log_artifact(str(folder / "a.txt"))
            mlflow.log_artifacts(str(folder), "all")
            mlflow.log_text("some text", "notes/t.md")
            mlflow.log_dict({"a": 1}, "d.json")
            mlflow.log_table({"q": ["a", "b"], "n": [1, 2]}, "table.json")
            mlflow.log_table({"q": ["c"], "n": [3]}, "table.json")
        client.log_artifact(run.info.run_id, str(folder / "a.txt"), "late")
        repo = mlflow.store.artifact.artifact_repository_registry.get_artifact_repository(run.info.artifact_uri)
        fetched = pathlib.Path(repo.download_artifacts("", tempfile.mkdtemp()))
        return {
            "root": [(f.path, f.is_dir, f.file_size) for f in repo.list_artifacts()],
            "sub": [(f.path, f.is_dir, f.file_size) for f in repo.list_artifacts("all/sub")],
            "a file": repo.list_artifacts("a.txt"),
            "nothing": repo.list_artifacts("nothing"),
            "fetched": sorted(str(f.relative_to(fetched)) for f in fetched.rglob("*") if f.is_file()),
            "table": mlflow.load_table("table.json", run_ids=[run.info.run_id])["q"].tolist(),
            "text": mlflow.artifacts.load_text(run.info.artifact_uri + "/notes/t.md"),
        }

    found = tracking.run(script)

    assert found["root"] == [
        ["a.txt", False, 5],
        ["all", True, None],
        ["d.json", False, 12],
        ["late", True, None],
        ["notes", True, None],
        ["table.json", False, found["root"][5][2]],
    ]
    assert found["sub"] == [["all/sub/b c.txt", False, 1000], ["all/sub/deep", True, None]]
    assert (found["a file"], found["nothing"]) == ([], [])
    assert found["fetched"] == [
        "a.txt",
        "all/a.txt",
        "all/sub/b c.txt",
        "all/sub/deep/ü.json",
        "d.json",
        "late/a.txt",
        "notes/t.md",
        "table.json",
    ]
    assert (found["table"], found["text"]) == (["a", "b", "c"], "some text")


def test_a_large_file_goes_up_in_parts(tracking: Tracking, tmp_path: Path) -> None:
    def script(mlflow: Any, client: Any, path: str) -> Any:
        import os
        import pathlib

        os.environ["MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"] = "1000000"
        os.environ["MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE"] = str(5 << 20)
        run = client.create_run("0")
        client.log_artifact(run.info.run_id, path, "big")
        fetched = mlflow.artifacts.download_artifacts(run.info.artifact_uri + "/big/large.bin")
        return pathlib.Path(fetched).read_bytes() == pathlib.Path(path).read_bytes()

    file = tmp_path / "large.bin"
    file.write_bytes(bytes(range(256)) * (46 << 10))

    assert tracking.run(script, path=str(file))
    assert list((tracking.live.house.home / "uploads").iterdir()) == []


def test_a_file_is_in_place_of_what_had_its_path(tracking: Tracking, place: str) -> None:
    assert put(tracking, f"{place}/a.txt", b"one").status == 200
    assert put(tracking, f"{place}/a.txt", b"other").body == b""
    assert get(tracking, f"{place}/a.txt").body == b"other"


def test_a_file_is_no_folder_and_a_folder_no_file(tracking: Tracking, place: str) -> None:
    put(tracking, f"{place}/a/b.txt", b"x")

    below, above = put(tracking, f"{place}/a/b.txt/c", b"x"), put(tracking, f"{place}/a", b"x")

    assert (below.status, above.status) == (400, 400)
    assert (below.code, above.code) == ("INVALID_PARAMETER_VALUE", "INVALID_PARAMETER_VALUE")


def test_a_folder_is_dropped_with_all_in_it(tracking: Tracking, place: str) -> None:
    for path in ("a/b.txt", "a/c/d.txt", "ab.txt", "a%25.txt"):
        put(tracking, f"{place}/{path}", b"x")

    dropped = [ask(tracking.url, "DELETE", f"{PROXY}/artifacts/{place}/{path}").status for path in ("a", "nothing")]

    listed = told(ask(tracking.url, "GET", f"{PROXY}/artifacts?path={place}"))["files"]
    assert dropped == [200, 200]
    assert [file["path"] for file in listed] == ["a%.txt", "ab.txt"]


def test_a_listing_says_paths_from_its_root(tracking: Tracking, place: str) -> None:
    run = place.split("/")[1]
    for path in ("z.txt", "a/b/c.txt", "a/a.txt"):
        put(tracking, f"{place}/{path}", b"xyz")

    root = tracking.call("GET", f"/artifacts/list?run_id={run}").body
    folder = tracking.call("GET", f"/artifacts/list?run_id={run}&path=a").body
    file = tracking.call("GET", f"/artifacts/list?run_id={run}&path=z.txt").body
    proxied = told(ask(tracking.url, "GET", f"{PROXY}/artifacts?path={place}/a"))

    assert root["root_uri"] == f"mlflow-artifacts:/{place}"
    assert root["files"] == [{"path": "a", "is_dir": True}, {"path": "z.txt", "is_dir": False, "file_size": 3}]
    assert folder["files"] == [
        {"path": "a/a.txt", "is_dir": False, "file_size": 3},
        {"path": "a/b", "is_dir": True},
    ]
    assert "files" not in file
    assert [one["path"] for one in proxied["files"]] == ["a.txt", "b"]
    assert told(ask(tracking.url, "GET", f"{PROXY}/artifacts?path={place}/none")) == {}


def test_what_is_not_there_is_not_found(tracking: Tracking, place: str) -> None:
    run, other = place.split("/")[1], tracking.new_experiment()
    asked = [
        get(tracking, f"{place}/nothing.txt"),
        get(tracking, f"0/{'0' * 32}/artifacts/a.txt"),
        get(tracking, f"{other}/{run}/artifacts/a.txt"),
        get(tracking, "a.txt"),
        get(tracking, "0/models/m-" + "0" * 32 + "/artifacts/MLmodel"),
        get(tracking, "0/traces/tr-" + "0" * 32 + "/artifacts/traces.json"),
        put(tracking, f"{other}/{run}/artifacts/a.txt", b"x"),
        ask(tracking.url, "GET", f"/get-artifact?run_id={run}&path=nothing"),
    ]

    assert [(reply.status, reply.code) for reply in asked] == [(404, "RESOURCE_DOES_NOT_EXIST")] * len(asked)


def test_part_of_a_file_is_given(tracking: Tracking, place: str) -> None:
    put(tracking, f"{place}/n.txt", b"0123456789")

    middle = get(tracking, f"{place}/n.txt", Range="bytes=2-4")
    beyond = get(tracking, f"{place}/n.txt", Range="bytes=20-")

    assert (middle.status, middle.body, beyond.status) == (206, b"234", 416)


def half_received(tracking: Tracking) -> list[str]:
    """The files on the server's disk that uploads began, wherever it keeps the whole ones."""
    incoming = tracking.live.house.home.glob("blob*/incoming/*")
    return [file.name for file in incoming if file.stat().st_size]


def test_an_upload_that_breaks_off_leaves_nothing(tracking: Tracking, place: str) -> None:
    parts = urlsplit(tracking.url)
    head = f"PUT {PROXY}/artifacts/{place}/half.bin HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 5000000\r\n\r\n"

    send(tracking.url, head.encode() + b"x" * 100_000, timeout_s=0.3)

    assert get(tracking, f"{place}/half.bin").status == 404
    assert half_received(tracking) == []


def test_a_full_disk_is_said_and_leaves_nothing(
    tracking: Tracking, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("taxiway.storage.blobs.os.fsync", full)
        told_so = put(tracking, f"{place}/a.bin", b"x" * 1000)

    assert (told_so.status, told_so.code) == (507, "INTERNAL_ERROR")
    assert b"No space is left" in told_so.body
    assert get(tracking, f"{place}/a.bin").status == 404
    assert half_received(tracking) == []


def test_a_page_sends_and_fetches(tracking: Tracking, place: str) -> None:
    run = place.split("/")[1]
    sent = ask(
        tracking.url, "POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=from/page.txt", b"hello"
    )
    fetched = ask(tracking.url, "GET", f"/get-artifact?run_uuid={run}&path=from/page.txt")
    without = ask(tracking.url, "GET", f"/get-artifact?run_id={run}")

    assert (sent.status, fetched.body, without.code) == (200, b"hello", "INVALID_PARAMETER_VALUE")
    assert "attachment" in fetched.head


def test_signed_addresses_are_not_given(tracking: Tracking, place: str) -> None:
    asked = [
        ask(tracking.url, "GET", f"{PROXY}/presigned/{place}/a.txt"),
        ask(tracking.url, "POST", "/api/2.0/mlflow/artifacts/presigned-upload-url", b"{}"),
        ask(tracking.url, "POST", "/api/2.0/mlflow/artifacts/presigned-download-url", b"{}"),
    ]
    info = tracking.call("GET", "//api/3.0/mlflow/server-info").body

    assert [(reply.status, reply.code) for reply in asked] == [(501, "NOT_IMPLEMENTED")] * 3
    assert (info["multipart_uploads_enabled"], info["multipart_downloads_enabled"]) == (True, False)


def test_files_of_an_ended_run_are_told_to_the_audit_log(tracking: Tracking, place: str) -> None:
    run = place.split("/")[1]
    tracking.call("POST", "/runs/update", {"run_id": run, "status": "FINISHED", "end_time": 1_700_000_000_001})

    assert put(tracking, f"{place}/late.txt", b"x").status == 200
    assert tracking.live.last_verb() == "runs.amend"

    tracking.call("POST", "/runs/delete", {"run_id": run})
    assert put(tracking, f"{place}/later.txt", b"x").status == 400


def test_parts_arrive_in_any_order_and_more_than_once(tracking: Tracking, place: str) -> None:
    made = told(ask(tracking.url, "POST", f"{PROXY}/mpu/create/{place}", b'{"path": "/tmp/x.bin", "num_parts": 2}'))
    tags = {}
    for number, data in ((2, b"wrong"), (1, b"hello "), (2, b"world")):
        credential = made["credentials"][number - 1]
        line = http.client.HTTPConnection(urlsplit(tracking.url).netloc, timeout=10)
        line.request("PUT", urlsplit(credential["url"]).path, data, credential["headers"])
        tags[number] = line.getresponse().headers["ETag"]
        line.close()
    parts = [{"part_number": number, "etag": tags[number]} for number in (1, 2)]
    done = {"path": "/tmp/x.bin", "upload_id": made["upload_id"], "parts": parts}
    short = ask(tracking.url, "POST", f"{PROXY}/mpu/complete/{place}", json.dumps(done | {"parts": parts[:1]}).encode())
    whole = ask(tracking.url, "POST", f"{PROXY}/mpu/complete/{place}", json.dumps(done).encode())
    again = ask(tracking.url, "POST", f"{PROXY}/mpu/complete/{place}", json.dumps(done).encode())

    assert (short.status, whole.status, again.status) == (400, 200, 404)
    assert get(tracking, f"{place}/x.bin").body == b"hello world"
    digest = hashlib.sha256(b"hello world").hexdigest()
    assert tracking.live.house.runs.artifact(place.split("/")[1], "x.bin").digest == f"sha256:{digest}"


def test_the_proxy_answers_as_mlflows_does_where_there_is_no_file(tracking: Tracking) -> None:
    number = tracking.new_experiment()
    run, nobody = tracking.new_run(number), "0" * 32
    root = f"//api/2.0/mlflow-artifacts/artifacts/{number}"

    def told(method: str, path: str) -> tuple[int, str]:
        answer = tracking.call(method, f"{root}/{path}", b"x" if method == "PUT" else None)
        return answer.status, answer.code

    assert tracking.call("PUT", f"{root}/{run}/artifacts/a/b.txt", b"x") == (200, "")
    assert {path: told("PUT", f"{run}/artifacts/{path}") for path in ("a/", "c/", "a")} == dict.fromkeys(
        ("a/", "c/", "a"), (400, "INVALID_PARAMETER_VALUE")
    )
    assert told("GET", f"{run}/artifacts/a") == told("GET", f"{run}/artifacts/a/") == (400, "INVALID_PARAMETER_VALUE")
    assert told("GET", f"{run}/artifacts/none") == (404, "RESOURCE_DOES_NOT_EXIST")
    assert told("DELETE", f"{run}/artifacts/none") == told("DELETE", f"{nobody}/artifacts/none") == (200, "")
    assert told("PUT", f"{nobody}/artifacts/x") == (404, "RESOURCE_DOES_NOT_EXIST")
    listed = tracking.call("GET", f"//api/2.0/mlflow-artifacts/artifacts?path={number}/{nobody}/artifacts")
    assert listed == (200, {})
    inside = tracking.call("GET", f"/artifacts/list?run_id={run}&path=a/")
    assert [one["path"] for one in inside.body["files"]] == ["a/b.txt"]
