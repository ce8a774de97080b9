"""What is exported, run as its platform runs it: equal answers in every protocol, from the written folder alone."""

from __future__ import annotations

import importlib.util
import json
import re
import struct
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from taxiway.adapters import python as service_flavour
from taxiway.compat.exports.image import Exported
from taxiway.compat.exports.refusals import NotExported
from taxiway.compat.exports.writing import IN_IMAGE, Wish, write
from taxiway.kernel.errors import BadField
from taxiway.models.bundles.bundle import verify_bundle, write_bundle
from taxiway.models.registering.origins import environment_lock
from tests.compat.standing import COLUMNS, ROWS, Running, Start, example

MATRIX = [[row[name] for name in COLUMNS] for row in ROWS]


@pytest.fixture(scope="module")
def context(exported: Exported, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that an image is built from."""
    folder = tmp_path_factory.mktemp("docker")
    write(folder, exported, Wish("docker"))
    return folder


def started(dockerfile: Path, python: Path) -> tuple[list[str], dict[str, str]]:
    """The command and the environment of an image, of which only the place of its files is another one."""
    text = dockerfile.read_text()
    (entry,), (command,) = (re.findall(rf"^{word} (\[.*\])$", text, re.MULTILINE) for word in ("ENTRYPOINT", "CMD"))
    said = dict(line.split("=", 1) for line in re.findall(r"^ENV (.*)$", text, re.MULTILINE))
    places = {name: value.replace(IN_IMAGE, str(dockerfile.parent / "bundle")) for name, value in said.items()}
    return [str(python), *json.loads(entry)[1:], *json.loads(command)], places


@pytest.fixture(scope="module")
def image(context: Path, python: Path, start: Start) -> Running:
    """The image's entry on Vertex AI, whose routes the environment says."""
    command, environ = started(context / "Dockerfile", python)
    vertex = {"AIP_HTTP_PORT": "0", "AIP_ENDPOINT_ID": "71", "AIP_DEPLOYED_MODEL_ID": "9"}
    return start(command, {**environ, **vertex, "AIP_HEALTH_ROUTE": "/is-well"})


def test_the_image_answers_every_protocol_at_its_root(image: Running, expected: list[dict[str, Any]]) -> None:
    labels = [answer["prediction"] for answer in expected]
    csv = "\n".join(",".join(map(repr, row)) for row in MATRIX).encode()
    tensor = {"name": "rows", "shape": [2, 3], "datatype": "FP64", "data": MATRIX}

    assert image.ask("/invocations", {"rows": ROWS})["predictions"] == expected
    assert image.ask("/invocations", {"instances": MATRIX}) == {"predictions": labels}
    assert image.ask("/invocations", csv, Content_Type="text/csv") == {"predictions": labels}
    assert image.ask("/v1/models/credit:predict", {"instances": ROWS}) == {"predictions": labels}
    assert image.ask("/v1/endpoints/71/deployedModels/9:predict", {"instances": ROWS}) == {"predictions": labels}
    outputs = image.ask("/v2/models/credit/infer", {"inputs": [tensor]})["outputs"]
    assert {output["name"]: output["data"] for output in outputs} == {
        "prediction": labels,
        "score": [answer["score"] for answer in expected],
    }


def test_a_matrix_of_bytes_gets_the_answers_of_rows_to_the_last_bit(image: Running) -> None:
    matrix = [[41.0 - n, 3.25 * n, n / 7] for n in range(40)]
    told = image.ask("/invocations", {"rows": [dict(zip(COLUMNS, row, strict=True)) for row in matrix]})["predictions"]
    tensor = {"name": "rows", "shape": [40, 3], "datatype": "FP64", "parameters": {"binary_data_size": 960}}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    heads = {"Content_Type": "application/octet-stream", "Inference_Header_Content_Length": str(len(head))}

    data = struct.pack("<120d", *(value for row in matrix for value in row))
    status, found = image.send("POST", "/v2/models/credit/infer", head + data, **heads)
    bad = image.send("POST", "/v2/models/credit/infer", head + data[:-8] + struct.pack("<d", float("inf")), **heads)

    assert (status, len({answer["prediction"] for answer in told})) == (200, 2)
    assert struct.unpack("<40q", found[-640:-320]) == tuple(answer["prediction"] for answer in told)
    assert struct.unpack("<40d", found[-320:]) == tuple(answer["score"] for answer in told)
    assert bad[0] == 400
    assert b"Row 39, field 'debt'" in bad[1]


def test_it_is_called_by_any_name_and_asked_how_it_is(image: Running) -> None:
    named = image.send("GET", "/is-well", Host="credit.models.svc.cluster.local")

    assert named == (200, b"{}")
    assert image.send("GET", "/v2/health/ready")[0] == 200


def test_the_file_says_what_platforms_ask_of_it(context: Path, exported: Exported) -> None:
    text = (context / "Dockerfile").read_text()

    assert 'ENTRYPOINT ["python", "-m", "taxiway.endpoints.standalone.process"]\nCMD ["serve"]\n' in text
    assert "USER 10001" in text
    assert f"ENV TAXIWAY_BUNDLE_DIGEST={exported.bundle.digest}" in text
    assert "whl[server,sklearn]" in text
    assert re.search(r"^scikit-learn==\d", (context / "constraints.txt").read_text(), re.MULTILINE)
    assert verify_bundle(context / "bundle", exported.bundle.digest).manifest == exported.bundle.manifest


def test_an_image_with_another_bundle_than_was_approved_ends_at_once(context: Path, python: Path) -> None:
    command, environ = started(context / "Dockerfile", python)

    ended = subprocess.run(
        command,
        check=False,
        env={**environ, "TAXIWAY_BUNDLE_DIGEST": "sha256:" + "0" * 64},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode == 3
    assert "is not the file that was approved" in ended.stderr


@pytest.fixture(scope="module")
def sagemaker(exported: Exported, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is exported to SageMaker, its archive unpacked as SageMaker does."""
    folder = tmp_path_factory.mktemp("sagemaker")
    write(folder, exported, Wish("sagemaker"))
    with tarfile.open(folder / "model.tar.gz") as archive:
        archive.extractall(folder / "base" / "model", filter="data")
    return folder


SERVICE = """
class Doubled:
    def load(self, context):
        self.factor = 2.0

    def predict(self, rows):
        return [{"prediction": self.factor * row["age"], "said": f"of {row['income']:g}"} for row in rows]
"""


def test_the_image_of_a_service_answers_as_the_service_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: Path, start: Start
) -> None:
    source, sealed, image = (tmp_path / name for name in ("source", "sealed", "image"))
    for folder in (source, sealed, image):
        folder.mkdir()
    (source / "doubling_service.py").write_text(SERVICE)
    monkeypatch.syspath_prepend(str(source))
    draft = service_flavour.save(
        importlib.import_module("doubling_service").Doubled(), sealed, example(), name="doubled"
    )
    bundle = write_bundle(sealed, draft, lock=environment_lock())
    exported = Exported("doubled", 1, bundle, "doubled")
    with pytest.raises(NotExported, match="--may-run-code"):
        write(image, exported, Wish("docker"))

    write(image, exported, Wish("docker", may_run_code=True))
    answered = start(*started(image / "Dockerfile", python)).ask("/invocations", {"rows": ROWS})["predictions"]

    loaded = service_flavour.load(sealed, bundle.digest, may_run_code=True)
    assert answered == [dict(each) for each in loaded.predict(ROWS)]
    assert answered[0] == {"prediction": 82.0, "said": "of 3.25"}


def test_sagemakers_image_serves_the_unpacked_archive(
    sagemaker: Path, python: Path, start: Start, expected: list[dict[str, Any]]
) -> None:
    command, environ = started(sagemaker / "Dockerfile", python)
    running = start(command, {**environ, "SAGEMAKER_BASE_DIR": str(sagemaker / "base"), "SAGEMAKER_BIND_TO_PORT": "0"})

    assert "USER" not in (sagemaker / "Dockerfile").read_text()
    assert running.ask("/invocations", {"dataframe_records": ROWS}) == {
        "predictions": [answer["prediction"] for answer in expected]
    }


def test_the_script_in_the_archive_answers_as_the_server_does(sagemaker: Path, expected: list[dict[str, Any]]) -> None:
    spec = importlib.util.spec_from_file_location("inference", sagemaker / "base" / "model" / "code" / "inference.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    model = script.model_fn(str(sagemaker / "base" / "model"))

    body = script.input_fn(msgspec.json.encode({"rows": ROWS}), "application/json")
    predicted = script.predict_fn(body, model)

    labels = [answer["prediction"] for answer in expected]
    assert script.output_fn(predicted, "application/json") == (
        msgspec.json.encode({"predictions": labels}),
        "application/json",
    )
    assert script.output_fn(predicted, "text/csv")[0].decode().split() == [str(label) for label in labels]


def test_the_same_version_makes_the_same_archive(sagemaker: Path, exported: Exported, tmp_path: Path) -> None:
    write(tmp_path, exported, Wish("sagemaker"))

    assert (tmp_path / "model.tar.gz").read_bytes() == (sagemaker / "model.tar.gz").read_bytes()


def test_what_kserve_stores_is_the_bundle(exported: Exported, tmp_path: Path) -> None:
    write(tmp_path, exported, Wish("kserve", image="registry.example/taxiway:1", storage="s3://models/credit/3"))

    assert verify_bundle(tmp_path / "storage", exported.bundle.digest).manifest == exported.bundle.manifest
    assert "s3://models/credit/3" in (tmp_path / "inference-service.yaml").read_text()
    assert exported.bundle.digest in (tmp_path / "inference-service.yaml").read_text()


def test_what_a_platform_could_not_run_is_refused(exported: Exported, tmp_path: Path) -> None:
    manifest = exported.bundle.manifest
    files = tuple(file for file in manifest.files if not file.path.endswith(".onnx"))
    assert len(files) < len(manifest.files)
    bundle = msgspec.structs.replace(exported.bundle, manifest=msgspec.structs.replace(manifest, files=files))
    with pytest.raises(NotExported, match="no ONNX file"):
        write(tmp_path, msgspec.structs.replace(exported, bundle=bundle), Wish("onnx"))
    with pytest.raises(BadField, match="--image"):
        write(tmp_path, exported, Wish("kserve", storage="s3://models/credit/3"))


def test_a_pickle_goes_into_no_image_that_may_not_run_code(exported: Exported, tmp_path: Path) -> None:
    manifest = exported.bundle.manifest
    native = msgspec.structs.replace(manifest.native, serialization="pickle")
    pickled = msgspec.structs.replace(
        exported,
        bundle=msgspec.structs.replace(exported.bundle, manifest=msgspec.structs.replace(manifest, native=native)),
    )

    with pytest.raises(NotExported, match="runs code while it is read"):
        write(tmp_path, pickled, Wish("docker"))
