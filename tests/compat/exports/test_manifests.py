"""Manifests, held against the schemas that Kubernetes and KServe publish."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import msgspec
import pytest

from taxiway.compat.exports.manifests import (
    Wanted,
    deployment,
    inference_service,
    label,
    service,
    serving_runtime,
)
from taxiway.compat.exports.yaml_text import documents
from tests.support.venvs import venv

WANTED = Wanted(
    "mortgage.eu",
    "mortgage@3",
    "sha256:" + "a" * 64,
    "registry.example/credit:3",
    {"TAXIWAY_BUNDLE_DIGEST": "sha256:" + "a" * 64, "TAXIWAY_ENDPOINT": "mortgage.eu"},
    "s3://models/mortgage/3",
    2,
)


def problems(*texts: str) -> list[list[str]]:
    """What the schemas say against each text."""
    script = Path(__file__).with_name("schemas.py")
    command = [str(venv("manifests") / "python"), str(script)]
    ended = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True, timeout=60)
    found: list[list[str]] = json.loads(ended.stdout)
    return found


@pytest.mark.slow
def test_manifests_fit_the_published_schemas_and_broken_ones_do_not() -> None:
    kserve = documents(serving_runtime(WANTED.image), inference_service(WANTED))
    kubernetes = documents(deployment(WANTED), service(WANTED))
    broken = [
        kserve.replace("storageUri:", "storageURI:"),
        kserve.replace("minReplicas: 2", 'minReplicas: "two"'),
        kserve.replace("containerPort: 8080", 'containerPort: "web"'),
        kubernetes.replace("maxSurge", "mostSurge"),
        kubernetes.replace("replicas: 2", 'replicas: "two"'),
    ]

    fits, also_fits, *found = problems(kserve, kubernetes, *broken)

    assert (fits, also_fits) == ([], [])
    assert all(found)
    assert found[0] == ["InferenceService.spec.predictor.model: there is no field storageURI"]


def test_every_pod_is_bound_to_the_bundle_that_was_approved() -> None:
    pod = deployment(WANTED)["spec"]["template"]
    (container,) = pod["spec"]["containers"]

    assert {"name": "TAXIWAY_BUNDLE_DIGEST", "value": WANTED.digest} in container["env"]
    assert pod["metadata"]["annotations"]["taxiway.dev/bundle"] == WANTED.digest
    assert container["securityContext"]["runAsNonRoot"]


@pytest.mark.parametrize(
    ("name", "labelled"), [("mortgage", "mortgage"), ("a_b.c", "a-b-c"), ("2-x", "m-2-x"), ("x" * 70, "x" * 63)]
)
def test_names_become_what_a_cluster_takes(name: str, labelled: str) -> None:
    assert label(name) == labelled


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1, "b": [1, "two", None], "c": {"d": True, "e": []}},
        {"list": [{"a": 1, "b": {"c": "x"}}, {"a": [1, 2]}], "text": 'he said: "no" # 1'},
        {"empty": {}, "nested": [[1, 2], [3]], "none": None, "lines": "a\nb"},
    ],
)
def test_any_yaml_reader_reads_what_is_written(value: dict[str, object]) -> None:
    import yaml

    assert yaml.safe_load(documents(value)) == value
    assert msgspec.yaml.decode(documents(value)) == value
