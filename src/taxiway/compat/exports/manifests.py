"""What a cluster is told: KServe's ServingRuntime and InferenceService, or a Deployment with its Service."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from taxiway.compat.exports.image import ENTRY, USER

PORT = 8080
FORMAT = "taxiway"
MODELS = "/mnt/models"  # where KServe's storage initializer puts a model
RUNTIME = "taxiway"
SCRATCH = "scratch"  # the only place where the server writes: its inference log, which goes with the pod
DIGEST = "taxiway.dev/bundle"
Manifest = dict[str, Any]


class Wanted(Struct, frozen=True):
    """What the manifests are about. storage: where the bundle was uploaded to, for KServe.

    environment: what the server in the image reads. digest: the bundle's.
    """

    name: str
    version: str
    digest: str
    image: str
    environment: dict[str, str]
    storage: str = ""
    replicas: int = 1


def label(name: str) -> str:
    """A name as Kubernetes takes it (RFC 1035): letters, digits and hyphens, a letter first, at most 63.

    >>> label("2_mortgage.eu")
    'm-2-mortgage-eu'
    """
    found = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")
    return (found if found[:1].isalpha() else f"m-{found}")[:63].rstrip("-")


def metadata(wanted: Wanted) -> Manifest:
    return {
        "name": label(wanted.name),
        "labels": {"app.kubernetes.io/name": label(wanted.name), "app.kubernetes.io/managed-by": "taxiway"},
        "annotations": {DIGEST: wanted.digest, "taxiway.dev/version": wanted.version},
    }


def serving_runtime(image: str) -> Manifest:
    """How KServe runs bundles: once per namespace, for all of them."""
    container = container_of(image, {})
    container["name"] = "kserve-container"
    container["args"] = ["serve", "--name", "{{.Name}}", "--bundle", MODELS]
    return {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ServingRuntime",
        "metadata": {"name": RUNTIME},
        "spec": {
            "supportedModelFormats": [{"name": FORMAT, "version": "1", "autoSelect": True}],
            "protocolVersions": ["v1", "v2"],
            "multiModel": False,
            "containers": [container],
            "volumes": [{"name": SCRATCH, "emptyDir": {}}],
        },
    }


def inference_service(wanted: Wanted) -> Manifest:
    """The model in KServe, bound to its digest: another bundle at the same place is not served."""
    said = {name: value for name, value in wanted.environment.items() if name != "TAXIWAY_ENDPOINT"}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": metadata(wanted),
        "spec": {
            "predictor": {
                "minReplicas": wanted.replicas,
                "model": {
                    "modelFormat": {"name": FORMAT, "version": "1"},
                    "runtime": RUNTIME,
                    "protocolVersion": "v2",
                    "storageUri": wanted.storage,
                    "env": variables(said),
                },
            }
        },
    }


def deployment(wanted: Wanted) -> Manifest:
    """The image with the bundle in it, ready when the model is."""
    chosen = {"app.kubernetes.io/name": label(wanted.name)}
    about = metadata(wanted)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": about,
        "spec": {
            "replicas": wanted.replicas,
            "selector": {"matchLabels": chosen},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {
                "metadata": {"labels": about["labels"], "annotations": about["annotations"]},
                "spec": {
                    "automountServiceAccountToken": False,
                    "terminationGracePeriodSeconds": 60,
                    "containers": [container_of(wanted.image, wanted.environment)],
                    "volumes": [{"name": SCRATCH, "emptyDir": {}}],
                },
            },
        },
    }


def service(wanted: Wanted) -> Manifest:
    """The address of the Deployment within the cluster."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(wanted),
        "spec": {
            "selector": {"app.kubernetes.io/name": label(wanted.name)},
            "ports": [{"name": "http", "port": 80, "targetPort": PORT, "protocol": "TCP"}],
        },
    }


def container_of(image: str, environment: dict[str, str]) -> Manifest:
    """The server as a container: no root, nothing writable but its scratch, no privilege."""
    found: Manifest = {
        "name": "taxiway",
        "image": image,
        "command": [*ENTRY],
        "args": ["serve"],
        "ports": [{"containerPort": PORT, "protocol": "TCP"}],
        "volumeMounts": [{"name": SCRATCH, "mountPath": "/tmp"}],  # noqa: S108  a volume of the pod's own
        "readinessProbe": {"httpGet": {"path": "/v2/health/ready", "port": PORT}, "periodSeconds": 5},
        "livenessProbe": {"httpGet": {"path": "/v2/health/live", "port": PORT}, "periodSeconds": 10},
        "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return found | ({"env": variables(environment)} if environment else {})


def variables(environment: dict[str, str]) -> list[Manifest]:
    return [{"name": name, "value": value} for name, value in environment.items()]
