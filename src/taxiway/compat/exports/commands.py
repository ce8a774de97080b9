"""The CLI of exports, which stands among that of models."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.compat.exports.image import Exported
from taxiway.compat.exports.manifests import label
from taxiway.compat.exports.writing import WAYS, Wish, write
from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.errors import BadField

if TYPE_CHECKING:
    from taxiway.client import Client

NEXT = {
    "docker": "docker build --tag {name} {folder}",
    "sagemaker": "docker build --tag {name} {folder}, push it, and give {folder}/model.tar.gz as ModelDataUrl",
    "kserve": "upload {folder}/storage, build and push {folder}, then kubectl apply --filename {folder}",
    "mlflow": "mlflow models serve --model-uri {folder} --env-manager local",
    "onnx": "load it with any ONNX runtime",
}


def export(client: Client, given: Namespace) -> str:
    """Fetches the bundle, every byte checked, and writes the folder; nothing is left where it is refused."""
    if given.to is None:
        raise BadField(field="--to", value="nothing", expected=", ".join(WAYS))
    folder = Path(given.folder)
    if folder.exists():
        raise BadField(field="folder", value=repr(given.folder), expected="a folder that is not there yet")
    folder.parent.mkdir(parents=True, exist_ok=True)
    found = client.models.find(given.version)
    name = f"{found.model}@{found.version}"
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".export-") as beside:
        bundle = client.models.download(name, Path(beside, "bundle"))
        exported = Exported(found.model, found.version, bundle, found.model)
        ready = Path(beside, "ready")
        ready.mkdir()
        write(ready, exported, Wish(given.to, given.may_run_code, given.image, given.storage))
        ready.rename(folder)
    following = NEXT[given.to].format(name=label(found.model), folder=folder)
    return f"{name} is in {folder} for {given.to}.\n{bundle.digest}\nNext: {following}"


COMMANDS = (
    Command(
        "export",
        "write a version as another platform runs it, with the same server inside",
        export,
        (
            Argument("version", "MODEL@VERSION, MODEL@ALIAS, or MODEL for the newest version"),
            Argument("folder", "a folder that is not there yet", is_file=True),
            Argument("--to", "the platform", choices=tuple(WAYS)),
            Argument("--image", "the image that the cluster runs (kserve)", default=""),
            Argument(
                "--storage", "where the cluster finds the bundle, such as s3://bucket/mortgage/3 (kserve)", default=""
            ),
            Argument("--may-run-code", "let the image read a pickle", is_flag=True),
        ),
        show=str,
    ),
)
