"""What a stand-alone server makes of its arguments and of the platforms' environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxiway.endpoints.standalone.plan import Plan, plan
from taxiway.kernel.errors import BadField
from taxiway.models.bundles.bundle import NotABundle
from tests.endpoints.trial import trial_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    trial_bundle(tmp_path / "model" / "bundle", "1")
    return tmp_path / "model" / "bundle"


def planned(bundle: Path, *arguments: str, **environ: str) -> Plan:
    return plan(["serve", "--bundle", str(bundle), *arguments], environ)


@pytest.mark.parametrize(
    ("arguments", "environ", "port"),
    [
        ([], {}, 8080),
        ([], {"PORT": "81"}, 81),
        ([], {"PORT": "81", "SAGEMAKER_BIND_TO_PORT": "82"}, 82),
        ([], {"PORT": "81", "SAGEMAKER_BIND_TO_PORT": "82", "AIP_HTTP_PORT": "83"}, 83),
        (["--port", "84"], {"PORT": "81", "AIP_HTTP_PORT": "83"}, 84),
    ],
)
def test_the_port_is_the_platforms_unless_it_is_said(
    bundle: Path, arguments: list[str], environ: dict[str, str], port: int
) -> None:
    assert planned(bundle, *arguments, **environ).port == port


def test_the_bundle_is_where_sagemaker_unpacked_it(bundle: Path) -> None:
    found = plan(["serve"], {"SAGEMAKER_BASE_DIR": str(bundle.parents[1])})

    assert (found.bundle, found.name) == (bundle, "trial")


def test_vertex_calls_the_routes_that_it_says_or_its_usual_ones(bundle: Path) -> None:
    ids = {"AIP_ENDPOINT_ID": "7", "AIP_DEPLOYED_MODEL_ID": "9"}
    usual, said = "/v1/endpoints/7/deployedModels/9:predict", {"AIP_PREDICT_ROUTE": "/p", "AIP_HEALTH_ROUTE": "h"}
    own = "/v1/endpoints/trial/deployedModels/1:predict"
    root = {("POST", "/invocations"): "/endpoints/trial/invocations"}

    assert planned(bundle, **ids).aliases == {**root, ("POST", usual): own, ("GET", usual): own}
    assert planned(bundle, **ids, **said).aliases == {**root, ("POST", "/p"): own, ("GET", "/h"): own}
    assert planned(bundle).aliases == root


def test_sagemakers_toolkit_says_workers_time_and_size(bundle: Path) -> None:
    environ = {"SAGEMAKER_MODEL_SERVER_WORKERS": "3", "SAGEMAKER_MODEL_SERVER_TIMEOUT": "5"}

    found = planned(bundle, **environ, SAGEMAKER_MAX_PAYLOAD_IN_MB="6")

    assert (found.workers, found.limits.deadline_s, found.limits.body_bytes) == (3, 5.0, 6 << 20)


@pytest.mark.parametrize(
    ("environ", "field"),
    [
        ({"PORT": "web"}, "PORT"),
        ({"AIP_HTTP_PORT": "70000"}, "AIP_HTTP_PORT"),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "0"}, "--workers"),
        ({"TAXIWAY_ENDPOINT": "No Name"}, "--name"),
        ({"TAXIWAY_TOKEN_HASHES": "a secret"}, "TAXIWAY_TOKEN_HASHES"),
    ],
)
def test_what_nobody_can_go_by_is_refused_by_name(bundle: Path, environ: dict[str, str], field: str) -> None:
    with pytest.raises(BadField) as refusal:
        planned(bundle, **environ)

    assert refusal.value.field == field
    assert "a secret" not in str(refusal.value)


def test_a_folder_without_a_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotABundle, match=r"no taxiway\.json"):
        planned(tmp_path)
