"""The CLI of what runs without this server: endpoints written for a cluster, and one bundle served alone."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.compat.exports import manifests
from taxiway.compat.exports.image import ENTRY
from taxiway.compat.exports.refusals import NotExported
from taxiway.compat.exports.yaml_text import documents
from taxiway.kernel.commands import Argument, Command, count
from taxiway.kernel.errors import BadField, FileUnusable

if TYPE_CHECKING:
    from taxiway.client import Client


def export(client: Client, given: Namespace) -> str:
    """The manifests of the revision that should answer, printed or written to a file."""
    if given.to is None:
        raise BadField(field="--to", value="nothing", expected="kserve or kubernetes")
    if given.to == "kserve" and not given.storage:
        expected = "where the cluster finds the bundle, such as s3://bucket/mortgage/3"
        raise BadField(field="--storage", value="nothing", expected=expected)
    if not given.image:
        raise BadField(field="--image", value="nothing", expected="the image that the cluster runs")
    detail = client.endpoints.show(given.name)
    revision = next((r for r in detail.revisions if r.number == detail.endpoint.active), None)
    if revision is None:
        raise NotExported(what=given.name, to=given.to, reason="no revision of it should answer")
    said = {
        "TAXIWAY_BUNDLE_DIGEST": revision.bundle,
        "TAXIWAY_ENDPOINT": given.name,
        "TAXIWAY_MODEL_VERSION": str(revision.version),
        **({"TAXIWAY_MAY_RUN_CODE": "1"} if revision.may_run_code else {}),
        **({"SAGEMAKER_MODEL_SERVER_WORKERS": str(revision.workers)} if revision.workers > 1 else {}),
    }
    wanted = manifests.Wanted(
        given.name,
        f"{revision.model}@{revision.version}",
        revision.bundle,
        given.image,
        said,
        given.storage,
        given.replicas,
    )
    text = documents(*written(given.to, wanted))
    if not given.out:
        return text.rstrip("\n")
    try:
        Path(given.out).write_text(text, encoding="utf-8")
    except OSError as e:
        raise FileUnusable(file=given.out, cause=e.strerror or str(e)) from e
    return f"{given.name} is in {given.out} for {given.to}.\nNext: kubectl apply --filename {given.out}"


def written(to: str, wanted: manifests.Wanted) -> tuple[manifests.Manifest, ...]:
    """The documents for a platform."""
    if to == "kserve":
        return manifests.serving_runtime(wanted.image), manifests.inference_service(wanted)
    return manifests.deployment(wanted), manifests.service(wanted)


def serve_bundle(client: Client | None, given: Namespace) -> None:
    """Becomes the server of one bundle, until Ctrl-C."""
    more = {
        "--name": given.name,
        "--port": given.port,
        "--host": given.host,
        "--digest": given.digest,
        "--home": given.home,
    }
    options = [part for name, value in more.items() if value for part in (name, str(value))]
    code = ["--may-run-code"] if given.may_run_code else []
    os.execv(sys.executable, [sys.executable, *ENTRY[1:], "serve", "--bundle", given.folder, *options, *code])  # noqa: S606  no shell


COMMANDS = (
    Command(
        "export",
        "write an endpoint's manifests for a cluster",
        export,
        (
            Argument("name", "the endpoint's name"),
            Argument("--to", "the cluster's way of serving", choices=("kserve", "kubernetes")),
            Argument("--image", "the image that the cluster runs", default=""),
            Argument("--storage", "where the cluster finds the bundle (kserve)", default=""),
            Argument("--replicas", "pods that answer", count, 1),
            Argument("--out", "the file to write; else it is printed", default="", is_file=True),
        ),
        show=str,
    ),
    Command(
        "serve-bundle",
        "serve one bundle alone, as exported images do: no server, no home",
        serve_bundle,
        (
            Argument("folder", "the bundle's folder", is_file=True),
            Argument("--port", "the port; else 8080", default=""),
            Argument("--host", "the address to listen on", default="127.0.0.1"),
            Argument("--name", "the endpoint's name; else the model's", default=""),
            Argument("--digest", "the digest that the bundle must have", default=""),
            Argument("--home", "a folder that keeps the inference log; else it goes with the process", default=""),
            Argument("--may-run-code", "serve a pickle, too", is_flag=True),
        ),
        is_offline=lambda given: True,
    ),
)
