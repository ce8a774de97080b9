"""The MLmodel file says of a bundle what MLflow's loaders ask."""

from __future__ import annotations

import msgspec
import yaml

from taxiway.models.bundles.mlmodel import example_file, mlmodel_file, read_example
from taxiway.models.predicting.signature import Column, Signature

SIGNATURE = Signature(
    inputs=(Column(name="age", type="integer"), Column(name="town", type="category", nullable=True, categories=("a",))),
    outputs=(Column(name="prediction", type="integer"), Column(name="score", type="number")),
)


def test_it_is_yaml_with_the_signature_in_mlflows_words() -> None:
    document = yaml.safe_load(mlmodel_file(SIGNATURE, {"sklearn": {"pickled_model": "model.skops"}}))

    assert document["flavors"]["sklearn"]["pickled_model"] == "model.skops"
    assert msgspec.json.decode(document["signature"]["inputs"]) == [
        {"name": "age", "type": "long", "required": True},
        {"name": "town", "type": "string", "required": False},
    ]
    assert msgspec.json.decode(document["signature"]["outputs"]) == [{"type": "long"}]


def test_the_same_model_makes_the_same_bytes() -> None:
    assert mlmodel_file(SIGNATURE, {}) == mlmodel_file(SIGNATURE, {})


def test_an_example_reads_back_as_the_rows_of_a_request() -> None:
    stored = example_file({"age": [30, 41], "town": ["a", None]})

    assert read_example(stored) == [{"age": 30, "town": "a"}, {"age": 41, "town": None}]
