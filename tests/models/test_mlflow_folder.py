"""What is read of a folder that MLflow wrote: its MLmodel, as plain data, and nothing of it believed too far."""

from __future__ import annotations

import json

import pytest

from taxiway.models.bundles.bundle import BundleFile
from taxiway.models.bundles.mlflow_folder import Read, Unreadable, read_folder
from taxiway.models.bundles.mlmodel import read_columns
from taxiway.models.predicting.signature import Column

SKLEARN = """
flavors:
  python_function: {loader_module: mlflow.sklearn, model_path: model.skops}
  sklearn: {pickled_model: model.skops, serialization_format: skops, skops_trusted_types: null}
saved_input_example_info: {artifact_path: input_example.json, pandas_orient: split, type: dataframe}
signature:
  inputs: '[{"type": "double", "name": "income", "required": true}, {"type": "long", "name": "district",
    "required": false}]'
  outputs: '[{"type": "long", "required": true}]'
utc_time_created: '2026-11-23 09:38:09.835366'
"""


def read(mlmodel: str, *paths: str) -> Read:
    digest = "sha256:" + "0" * 64
    files = [BundleFile(path=path, size_bytes=10, digest=digest) for path in ("MLmodel", *paths)]
    return read_folder(files, mlmodel.encode(), name="loans", run=None)


def test_a_model_of_scikit_learn_becomes_a_bundle_that_can_answer() -> None:
    found = read(SKLEARN, "model.skops", "input_example.json", "requirements.txt")

    manifest = found.manifest
    assert (found.unfit, manifest.name, manifest.flavour, manifest.example) == (
        "",
        "loans",
        "mlflow.sklearn",
        "input_example.json",
    )
    assert (manifest.native.file, manifest.native.serialization, manifest.native.trusted_types) == (
        "model.skops",
        "skops",
        (),
    )
    assert manifest.signature.inputs == (
        Column(name="income", type="number"),
        Column(name="district", type="integer", nullable=True),
    )
    assert manifest.signature.outputs == (Column(name="prediction", type="integer"),)
    assert [file.path for file in manifest.files] == [
        "MLmodel",
        "input_example.json",
        "model.skops",
        "requirements.txt",
    ]


def test_a_file_that_is_not_there_is_not_named() -> None:
    found = read(SKLEARN)

    assert (found.manifest.native.file, found.manifest.native.serialization) == ("MLmodel", "mlflow")
    assert found.manifest.example is None


@pytest.mark.parametrize(
    ("flavors", "flavour", "file", "serialization"),
    [
        ("lightgbm: {data: model.lgb}", "mlflow.lightgbm", "model.lgb", "lightgbm"),
        (
            "lightgbm: {data: model.pkl, serialization_format: cloudpickle}",
            "mlflow.lightgbm",
            "model.pkl",
            "cloudpickle",
        ),
        ("sklearn: {pickled_model: model.pkl}", "mlflow.sklearn", "model.pkl", "pickle"),
        ("sklearn: {pickled_model: ../../model.pkl}", "mlflow.sklearn", "MLmodel", "mlflow"),
        ("sklearn: {pickled_model: [1]}", "mlflow.sklearn", "MLmodel", "mlflow"),
        ("xgboost: {data: model.ubj}", "mlflow.xgboost", "MLmodel", "mlflow"),
        ("python_function: {loader_module: mine}", "mlflow.pyfunc", "MLmodel", "mlflow"),
    ],
)
def test_the_flavour_says_what_reads_the_model(flavors: str, flavour: str, file: str, serialization: str) -> None:
    manifest = read(f"flavors: {{{flavors}}}", "model.lgb", "model.pkl", "model.ubj").manifest

    assert (manifest.flavour, manifest.native.file, manifest.native.serialization) == (flavour, file, serialization)


@pytest.mark.parametrize(
    "mlmodel",
    [
        "flavors: {}",
        "nothing: here",
        "- a list",
        "flavors: [sklearn]",
        "flavors: !!python/object/apply:os.system [id]",
        "flavors: &a {sklearn: {}}\nagain: *a",
        "flavors: {sklearn: {}}\nflavors: {sklearn: {}}",
        "flavors: {sklearn: {}}\n---\nflavors: {}",
        "signature: 7\nflavors: {sklearn: {}}",
        "flavors: {sklearn: " + "[" * 100 + "]" * 100 + "}",
        "\x00",
    ],
)
def test_what_is_no_plain_text_of_yaml_is_refused(mlmodel: str) -> None:
    with pytest.raises(Unreadable, match="MLmodel"):
        read(mlmodel)


def test_what_is_no_text_at_all_is_refused() -> None:
    digest = "sha256:" + "0" * 64
    files = [BundleFile(path="MLmodel", size_bytes=2, digest=digest)]

    with pytest.raises(Unreadable):
        read_folder(files, b"\xff\xfe", name="loans", run=None)
    with pytest.raises(Unreadable, match="larger"):
        read_folder(files, b" " * (1 << 20) + b"  ", name="loans", run=None)


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        ("null", "has no signature"),
        ("{inputs: null, outputs: null}", "has no signature"),
        ("{inputs: 'no json'}", "cannot be read"),
        ("""{inputs: '[{"type": "binary", "name": "photo"}]'}""", "a column of type 'binary'"),
        (
            """{inputs: '[{"type": "tensor", "tensor-spec": {"dtype": "object", "shape": [-1, 2]}}]'}""",
            "an array of 'object'",
        ),
        (
            """{inputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 8, 8]}}]'}""",
            "of the shape",
        ),
    ],
)
def test_without_columns_it_cannot_answer_and_says_what_to_do(signature: str, words: str) -> None:
    found = read(f"flavors: {{sklearn: {{}}}}\nsignature: {signature}")

    assert words in found.unfit
    assert "input_example" in found.unfit
    assert found.manifest.signature.inputs == ()


def test_an_array_has_a_column_for_each_place() -> None:
    spec = json.dumps([{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}])

    columns, problem = read_columns(spec, unnamed="x")

    assert problem == ""
    assert columns == tuple(Column(name=f"x{place}", type="number") for place in range(3))
