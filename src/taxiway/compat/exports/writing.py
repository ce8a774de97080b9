"""The folder of an export, by platform."""

from __future__ import annotations

import gzip
import io
import shutil
import sys
import tarfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from msgspec import Struct

from taxiway.compat.exports import manifests
from taxiway.compat.exports.image import (
    CONSTRAINTS,
    Exported,
    check_code,
    constraints,
    dockerfile,
    environment,
    requirement,
    write_context,
)
from taxiway.compat.exports.libraries import beside
from taxiway.compat.exports.refusals import NotExported
from taxiway.compat.exports.wheel import NAME
from taxiway.compat.exports.yaml_text import documents
from taxiway.kernel.errors import BadField, TaxiwayError
from taxiway.models.predicting.flavours import flavour
from taxiway.models.twins.record import FILE as TWIN
from taxiway.models.twins.record import NoTwin

IN_IMAGE = "/srv/taxiway/bundle"
CODE = "/opt/ml/model/code"  # where SageMaker unpacks the archive's folder `code`
SCRIPT = '''"""The functions that SageMaker's inference toolkit calls; Taxiway answers as it does everywhere."""

from taxiway.compat.invocations.scripted import input_fn, model_fn, output_fn, predict_fn

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]
'''
MLFLOW_NEEDS = ("scikit-learn", "skops", "numpy", "pandas", "lightgbm", "xgboost", "cloudpickle")


class Wish(Struct, frozen=True):
    """How it is exported. image, storage: for manifests that name them."""

    to: str
    may_run_code: bool = False
    image: str = ""
    storage: str = ""


def write(folder: Path, exported: Exported, wish: Wish) -> None:
    """Writes what the platform runs into an empty folder. Raises NotExported, BadField."""
    WAYS[wish.to](folder, exported, wish)


def write_docker(folder: Path, exported: Exported, wish: Wish) -> None:
    """A build context: the bundle is in the image, and any user but root runs it."""
    check_code(exported, wish.to, may_run_code=wish.may_run_code)
    said = {"TAXIWAY_BUNDLE": IN_IMAGE, **environment(exported, may_run_code=wish.may_run_code)}
    (folder / "Dockerfile").write_text(dockerfile(exported, wish.to, said, bundle=IN_IMAGE), encoding="utf-8")
    write_context(folder, exported)
    shutil.copytree(exported.bundle.folder, folder / "bundle")


def write_sagemaker(folder: Path, exported: Exported, wish: Wish) -> None:
    """An archive for `ModelDataUrl`, and an image of one's own to run it, which SageMaker starts as root.

    The archive holds code for AWS's own images, too.
    """
    check_code(exported, wish.to, may_run_code=wish.may_run_code)
    said = environment(exported, may_run_code=wish.may_run_code)
    (folder / "Dockerfile").write_text(dockerfile(exported, wish.to, said, is_root=True), encoding="utf-8")
    write_context(folder, exported)
    needs = f"--constraint {CODE}/{CONSTRAINTS}\n{requirement(exported, wish.to).replace(NAME, f'{CODE}/{NAME}')}\n"
    needs += "".join(f"{name}\n" for name in beside(exported.bundle))
    with (
        (folder / "model.tar.gz").open("wb") as file,
        gzip.GzipFile("", "wb", 6, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for path in sorted(exported.bundle.folder.rglob("*")):
            if path.is_file():
                add(archive, f"bundle/{path.relative_to(exported.bundle.folder).as_posix()}", path.read_bytes())
        add(archive, "code/inference.py", SCRIPT.encode())
        add(archive, "code/requirements.txt", needs.encode())
        for name in (CONSTRAINTS, NAME):
            add(archive, f"code/{name}", (folder / name).read_bytes())


def add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    """A file of nobody's and of no time, so that the same version makes the same archive."""
    about = tarfile.TarInfo(name)
    about.size = len(data)
    about.mode = 0o644
    archive.addfile(about, io.BytesIO(data))


def write_kserve(folder: Path, exported: Exported, wish: Wish) -> None:
    """The storage layout, the image that serves any bundle, and the two manifests."""
    check_code(exported, wish.to, may_run_code=wish.may_run_code)
    for field, value in (("--image", wish.image), ("--storage", wish.storage)):
        if not value:
            expected = "where the cluster will find it, such as registry.example/taxiway:1 or s3://bucket/mortgage/3"
            raise BadField(field=field, value="nothing", expected=expected)
    wanted = manifests.Wanted(
        exported.endpoint,
        exported.name,
        exported.bundle.digest,
        wish.image,
        environment(exported, may_run_code=wish.may_run_code),
        wish.storage,
    )
    (folder / "Dockerfile").write_text(dockerfile(exported, wish.to, {}), encoding="utf-8")
    write_context(folder, exported)
    shutil.copytree(exported.bundle.folder, folder / "storage")
    runtime = documents(manifests.serving_runtime(wish.image))
    (folder / "serving-runtime.yaml").write_text(runtime, encoding="utf-8")
    (folder / "inference-service.yaml").write_text(documents(manifests.inference_service(wanted)), encoding="utf-8")


def write_mlflow(folder: Path, exported: Exported, wish: Wish) -> None:
    """The bundle, which MLflow reads as it is, with the environment files that its commands look for."""
    shutil.copytree(exported.bundle.folder, folder, dirs_exist_ok=True)
    pins = dict(line.split("==", 1) for line in constraints(exported.bundle).splitlines())
    needs = [f"{name}=={pins[name]}" for name in MLFLOW_NEEDS if name in pins]
    if (folder / "requirements.txt").exists():  # MLflow wrote the bundle itself
        return
    (folder / "requirements.txt").write_text("\n".join(["mlflow", *needs]) + "\n", encoding="utf-8")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    env = {"python": python, "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}
    (folder / "python_env.yaml").write_text(documents(env), encoding="utf-8")


def write_onnx(folder: Path, exported: Exported, wish: Wish) -> None:
    """The model's ONNX file alone. Raises NotExported where the bundle has none."""
    found = [file.path for file in exported.bundle.manifest.files if file.path.endswith(".onnx")]
    if not found:
        reason = "its bundle holds no ONNX file, neither as the model itself nor as a compiled twin of it"
        raise NotExported(what=exported.name, to=wish.to, reason=reason)
    if TWIN in found:
        check_twin(exported, wish)
    for path in found:
        shutil.copyfile(exported.bundle.folder / path, folder / Path(path).name)


def check_twin(exported: Exported, wish: Wish) -> None:
    """Others run a twin as it is, so it leaves only where it is the model's own. Raises NotExported."""
    opened = import_module("taxiway.models.twins.proving").opened  # brings NumPy

    bundle = exported.bundle
    try:
        native = flavour(bundle.manifest.flavour).load(bundle.folder, bundle.digest, may_run_code=wish.may_run_code)
        opened(bundle, native)
    except NoTwin as told:
        raise NotExported(what=exported.name, to=wish.to, reason=f"its twin is not the model's: {told}") from None
    except TaxiwayError as refusal:
        reason = f"its twin is held against the model, which is not read here: {refusal}"
        raise NotExported(what=exported.name, to=wish.to, reason=reason) from None


WAYS: dict[str, Callable[[Path, Exported, Wish], None]] = {
    "docker": write_docker,
    "sagemaker": write_sagemaker,
    "kserve": write_kserve,
    "mlflow": write_mlflow,
    "onnx": write_onnx,
}
