"""Programs that register models with MLflow's client, unchanged but for the address."""

from __future__ import annotations

from typing import Any

import pytest

from tests.compat.mlflow.conftest import Tracking


def test_models_are_opened_described_renamed_and_deleted(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        from mlflow.exceptions import MlflowException

        def said(act: Any) -> str:
            try:
                act()
            except MlflowException as e:
                return f"{e.error_code} {e.message}"
            return "nothing"

        client.create_registered_model("life", {"team": "risk", "n": 7}, "first words")
        first = client.get_registered_model("life")
        again = said(lambda: client.create_registered_model("life"))
        client.update_registered_model("life", "other words")
        client.set_registered_model_tag("life", "empty", "")
        client.delete_registered_model_tag("life", "team")
        client.delete_registered_model_tag("life", "never there")
        client.rename_registered_model("life", "life 2 (ünï)")
        renamed = client.get_registered_model("life 2 (ünï)")
        gone = said(lambda: client.get_registered_model("life"))
        client.delete_registered_model("life 2 (ünï)")
        return {
            "first": [first.tags, first.description, first.latest_versions, first.aliases],
            "again": "RESOURCE_ALREADY_EXISTS" in again and "Registered Model (name=life) already exists" in again,
            "renamed": [renamed.name, renamed.description, renamed.tags],
            "gone": "RESOURCE_DOES_NOT_EXIST" in gone and "Registered Model with name=life not found" in gone,
            "deleted": "not found" in said(lambda: client.get_registered_model("life 2 (ünï)")),
            "names": [said(lambda name=name: client.create_registered_model(name))[:23] for name in ("a/b", "a:b")],
            "free": client.create_registered_model("life").name,
        }

    assert tracking.run(script) == {
        "first": [{"team": "risk", "n": "7"}, "first words", [], {}],
        "again": True,
        "renamed": ["life 2 (ünï)", "other words", {"empty": "", "n": "7"}],
        "gone": True,
        "deleted": True,
        "names": ["INVALID_PARAMETER_VALUE", "INVALID_PARAMETER_VALUE"],
        "free": "life",
    }


def test_versions_without_files_are_labels_with_stages_and_aliases(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        name = "labels"
        client.create_registered_model(name)
        for _ in range(3):
            client.create_model_version(name, "runs:/run_id/model", "run_id", tags={"a": 1}, description="words")
        first = client.get_model_version(name, "1")
        client.transition_model_version_stage(name, 1, "Archived")
        client.transition_model_version_stage(name, 2, "production")
        client.transition_model_version_stage(name, 3, "Production", archive_existing_versions=True)
        client.set_registered_model_alias(name, "Blue-1", "3")
        client.set_registered_model_alias(name, "production", 3)
        by_alias = client.get_model_version_by_alias(name, "Blue-1")
        client.update_model_version(name, 3, "better words")
        client.set_model_version_tag(name, "3", "b", "")
        client.delete_model_version_tag(name, "3", "a")
        copy = client.copy_model_version(f"models:/{name}@Blue-1", "labels-copy")
        client.delete_registered_model_alias(name, "Blue-1")
        client.delete_registered_model_alias(name, "Blue-1")
        client.delete_model_version(name, 1)
        third = client.get_model_version(name, "3")
        return {
            "first": [first.version, first.source, first.run_id, first.tags, first.description, first.status],
            "stages": {v.version: v.current_stage for v in client.search_model_versions(f"name = '{name}'")},
            "latest": [(v.version, v.current_stage) for v in client.get_latest_versions(name, ["Production"])],
            "by_alias": [by_alias.version, list(by_alias.aliases)],
            "third": [third.description, third.tags, list(third.aliases)],
            "copy": [copy.version, copy.source, copy.run_id, client.get_model_version_download_uri("labels-copy", 1)],
            "next": client.create_model_version(name, "runs:/run_id/model", "run_id").version,
        }

    assert tracking.run(script) == {
        "first": ["1", "runs:/run_id/model", "run_id", {"a": "1"}, "words", "READY"],
        "stages": {"2": "Archived", "3": "Production"},
        "latest": [["3", "Production"]],
        "by_alias": ["3", ["Blue-1", "production"]],
        "third": ["better words", {"b": ""}, ["production"]],
        "copy": ["1", "models:/labels/3", "run_id", "runs:/run_id/model"],
        "next": "4",
    }


def test_searches_select_order_and_page(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        names = [f"Find{number:02}" for number in range(7)]
        for name in names:
            client.create_registered_model(name, {"parity": str(int(name[-1]) % 2)})
            client.create_model_version(name, "runs:/r/m", "r")
        client.create_model_version("Find03", "runs:/s/m", "s", tags={"kept": "yes"})

        def models(filter_string: str, **more: Any) -> list[str]:
            found, token = [], None
            while True:
                page = client.search_registered_models(filter_string, page_token=token, **more)
                found += [each.name for each in page]
                token = page.token
                if not token:
                    return found

        def versions(filter_string: str, **more: Any) -> list[str]:
            return [f"{v.name}/{v.version}" for v in client.search_model_versions(filter_string, **more)]

        return {
            "paged": models("name LIKE 'Find%'", max_results=2) == names,
            "ilike": models("name ILIKE 'find%5'"),
            "like": models("name LIKE 'find%5'"),
            "tags": models("name LIKE 'Find%' AND tags.parity = '1'"),
            "falling": models("name LIKE 'Find0%'", order_by=["name DESC"])[:2],
            "listed": models("name IN ('Find01', 'Find06', 'x')"),
            "by_run": versions("run_id = 's' and name LIKE 'Find%'"),
            "by_tag": versions("tags.kept = 'yes'"),
            "by_number": versions("name = 'Find03' AND version_number > 1"),
            "newest_first": versions("name LIKE 'Find%'")[:2],
            "ordered": versions("name LIKE 'Find%'", order_by=["name ASC", "version_number DESC"])[3:5],
        }

    assert tracking.run(script) == {
        "paged": True,
        "ilike": ["Find05"],
        "like": [],
        "tags": ["Find01", "Find03", "Find05"],
        "falling": ["Find06", "Find05"],
        "listed": ["Find01", "Find06"],
        "by_run": ["Find03/2"],
        "by_tag": ["Find03/2"],
        "by_number": ["Find03/2"],
        "newest_first": ["Find03/2", "Find06/1"],
        "ordered": ["Find03/2", "Find03/1"],
    }


BAD_SOURCES = [
    "/etc",
    "file:///etc",
    "file:etc",
    "s3://bucket/model",
    "http://127.0.0.1/x",
    "dbfs:/x",
    "mlflow-artifacts://host:80/1/2",
    "mlflow-artifacts:/../../etc",
    "mlflow-artifacts:/0/%2e%2e/%2e%2e/etc",
    "runs:/r/../../../etc",
    "runs:/r/%2e%2e/x",
    "runs:/r/x?y=1#z",
    "runs://profile@host/r/x",
    "models:/../x",
    "../../etc/passwd",
    "..\\..\\etc",
    "a/../b",
    "label?x=1",
    "label#frag",
    "//proc/self/root",
    "a\x00b",
    "a\nb",
]


@pytest.mark.parametrize("source", BAD_SOURCES)
def test_a_source_is_no_place_of_the_clients_choice(tracking: Tracking, source: str) -> None:
    tracking.call("POST", "/registered-models/create", {"name": "aimed"})

    told = tracking.call("POST", "/model-versions/create", {"name": "aimed", "source": source, "run_id": "r"})

    assert (told.status, told.code) == (400, "INVALID_PARAMETER_VALUE"), told
    assert (
        tracking.call("GET", "/registered-models/get?name=aimed").body["registered_model"].get("latest_versions")
        is None
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/model-versions/get?name=none-such&version=1", None, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "/model-versions/get?name=none-such&version=x", None, "INVALID_PARAMETER_VALUE"),
        ("GET", "/model-versions/get?name=none-such&version=99999999999999999999", None, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "/registered-models/get", None, "INVALID_PARAMETER_VALUE"),
        ("POST", "/registered-models/create", {"name": ""}, "INVALID_PARAMETER_VALUE"),
        ("POST", "/registered-models/create", {"name": "a\nb"}, "INVALID_PARAMETER_VALUE"),
        ("POST", "/registered-models/create", {"name": ".."}, "INVALID_PARAMETER_VALUE"),
        ("POST", "/registered-models/create", {"name": 7}, "INVALID_PARAMETER_VALUE"),
        ("POST", "/registered-models/create", {"name": "x" * 301}, "INVALID_PARAMETER_VALUE"),
        ("GET", "/registered-models/search?max_results=1001", None, "INVALID_PARAMETER_VALUE"),
        ("GET", "/registered-models/search?filter=name+%3D+1", None, "INVALID_PARAMETER_VALUE"),
        ("GET", "/model-versions/search?max_results=-1", None, "INVALID_PARAMETER_VALUE"),
        ("GET", "/model-versions/search?order_by=name+descending", None, "INVALID_PARAMETER_VALUE"),
        ("GET", "/registered-models/alias?name=none-such&alias=a", None, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "/logged-models/m-00000000000000000000000000000000", None, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "/logged-models", {"experiment_id": "77777"}, "RESOURCE_DOES_NOT_EXIST"),
        (
            "POST",
            "/model-versions/transition-stage",
            {"name": "n", "version": "1", "stage": "Live"},
            "INVALID_PARAMETER_VALUE",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_code(
    tracking: Tracking, method: str, path: str, body: Any, code: str
) -> None:
    told = tracking.call(method, path, body)

    assert (told.code, told.status) == (code, 404 if code == "RESOURCE_DOES_NOT_EXIST" else 400)


def test_aliases_follow_the_clients_rules(tracking: Tracking) -> None:
    tracking.call("POST", "/registered-models/create", {"name": "alias-rules"})
    tracking.call("POST", "/model-versions/create", {"name": "alias-rules", "source": "a label"})

    def told(alias: str, version: str = "1") -> str:
        body = {"name": "alias-rules", "alias": alias, "version": version}
        return tracking.call("POST", "/registered-models/alias", body).code

    assert [told(alias) for alias in ("latest", "LATEST", "v7", "a b", "a/b", "7")] == ["INVALID_PARAMETER_VALUE"] * 6
    assert told("fine", "9") == "RESOURCE_DOES_NOT_EXIST"
    assert told("fine") == ""
    unknown = tracking.call("GET", "/registered-models/alias?name=alias-rules&alias=Fine")
    assert unknown.code == "INVALID_PARAMETER_VALUE"


def test_a_version_below_one_is_a_number_that_no_version_has(tracking: Tracking) -> None:
    tracking.call("POST", "/registered-models/create", {"name": "counted"})

    told = {
        number: tracking.call("GET", f"/model-versions/get?name=counted&version={number}")
        for number in ("-1", "0", "x")
    }

    assert {number: answer.status for number, answer in told.items()} == {"-1": 404, "0": 404, "x": 400}
