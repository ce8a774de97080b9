"""Cases of a small made-up model, good and odd, that every check must answer."""

from __future__ import annotations

import io
import math
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct
from msgspec.structs import replace

from taxiway.gates.checks.port import Case, not_given
from taxiway.gates.laws.predictions import Predictions
from taxiway.gates.working.rows import Rows, drawn, pinned
from taxiway.models.bundles.bundle import Bundle, Manifest, NativeModel, digest_of, write_bundle
from taxiway.models.contract import Card, CardField, Evaluation, ModelVersion
from taxiway.models.predicting.predictor import ColumnsIn, Prediction
from taxiway.models.predicting.predictor import Rows as RowsIn
from taxiway.models.predicting.signature import Column, Signature, check_columns, check_rows

SIGNATURE = Signature(
    inputs=(
        Column(name="income", type="number"),
        Column(name="debt", type="number", nullable=True),
        Column(name="region", type="string"),
    ),
    outputs=(Column(name="prediction", type="integer"), Column(name="score", type="number")),
)
MANY = 300


class Sample(Struct, frozen=True):
    """A case and what it is about, such as "one row"."""

    what: str
    case: Case


class SampleModel:
    """Says yes where income is above debt."""

    signature = SIGNATURE

    def predict(self, data: RowsIn | ColumnsIn) -> list[Prediction]:
        inputs = SIGNATURE.inputs
        columns = check_columns(inputs, data) if isinstance(data, Mapping) else check_rows(inputs, data)
        pairs = zip(columns["income"], columns["debt"], strict=True)
        scores = [(1 + math.tanh((income - (debt or 0.0)) / 2)) / 2 for income, debt in pairs]
        return [{"prediction": int(score >= 0.5), "score": float(score)} for score in scores]


def sample_cases(folder: Path, inputs: Collection[str]) -> Iterator[Sample]:
    """The samples, each holding only what these inputs name. folder: an empty one, for the bundle's files."""
    bundle = make_bundle(folder)
    rows = table(MANY)
    yield Sample("predictions with features, labels, scores, groups and times", case(bundle, rows, inputs))
    yield Sample("one row", case(bundle, rows.slice(0, 1), inputs))
    yield Sample("one class of labels only", case(bundle, set_column(rows, "label", [1] * MANY), inputs))
    gaps = [None if i % 3 == 0 else value for i, value in enumerate(rows["score"].to_pylist())]
    yield Sample("scores with gaps", case(bundle, set_column(rows, "score", gaps), inputs))
    without = rows.drop_columns(["income", "debt", "region"])
    yield Sample("predictions without features", case(bundle, without, inputs))
    yield Sample("no evaluation", case(bundle, None, inputs))


def make_bundle(folder: Path) -> Bundle:
    (folder / "model.txt").write_text("income above debt\n", encoding="utf-8")
    example = {"columns": ["income", "debt", "region"], "data": [[1.0, 0.5, "north"], [2.0, 3.0, "south"]]}
    (folder / "example.json").write_bytes(msgspec.json.encode(example))
    native = NativeModel(file="model.txt", serialization="text")
    draft = Manifest(
        name="sample", flavour="sample", signature=SIGNATURE, native=native, example="example.json", threshold=0.5
    )
    return write_bundle(folder, draft, lock="numpy==2.0\n")


def table(rows: int) -> Any:
    """Rows with their predictions, nine of ten of them right."""
    random = np.random.default_rng(7)
    income, debt = random.normal(1.0, 1.0, rows), random.normal(0.5, 1.0, rows)
    given: dict[str, list[Any]] = {
        "income": income.tolist(),
        "debt": [None if i % 11 == 0 else float(value) for i, value in enumerate(debt)],
        "region": [("north", "south", "west")[i % 3] for i in range(rows)],
    }
    said = SampleModel().predict(given)
    labels = [each["prediction"] if i % 10 else 1 - int(each["prediction"]) for i, each in enumerate(said)]
    return pa.table(
        given
        | {
            "label": pa.array(labels, pa.int64()),
            "prediction": [each["prediction"] for each in said],
            "score": [each["score"] for each in said],
            "group": ["a" if i % 2 else "b" for i in range(rows)],
            "at": [datetime(2026, 1, 1 + i % 28, tzinfo=UTC) for i in range(rows)],
        }
    )


def set_column(rows: Any, name: str, values: list[Any]) -> Any:
    return rows.set_column(rows.schema.get_field_index(name), name, pa.array(values))


def case(bundle: Bundle, rows: Any | None, inputs: Collection[str]) -> Case:
    """A version that is judged by these rows; only what the inputs name is in the case."""
    data = parquet(rows) if rows is not None else b""
    version = version_of(bundle, evaluation_of(rows, data) if rows is not None else None)
    predictions = Predictions(data)

    def found() -> Rows:
        example = [{"income": 1.0, "debt": 0.5, "region": "north"}, {"income": 2.0, "debt": 3.0, "region": "south"}]
        made = pinned(SIGNATURE, version.evaluation, predictions) if version.evaluation else None
        return made or drawn(SIGNATURE, example)

    whole = Case(
        version=version,
        card=lambda: Card("sample", 1, "", [CardField("contact", "Contact", "ana", "entered", [])], ["limits"]),
        datasets=list,
        predictions=(lambda: predictions) if rows is not None else not_given("evaluation"),
        bundle=lambda: bundle,
        predictor=SampleModel,
        rows=found,
        table=lambda _: pa.table({"advisory": ["{}"]}),
        training=dict,
    )
    held: dict[str, tuple[str, ...]] = {
        "evaluation": ("predictions", "rows"),
        "bundle": ("bundle", "predictor"),
        "card": ("card",),
    }
    held["datasets"] = ("datasets", "training")
    hidden = {field: not_given(name) for name, fields in held.items() if name not in inputs for field in fields}
    return replace(whole, **hidden)


def evaluation_of(rows: Any, data: bytes) -> Evaluation:
    features = [name for name in ("income", "debt", "region") if name in rows.column_names]
    return Evaluation(
        digest_of(data), rows.num_rows, "label", "prediction", "score", ["group"], "at", features=features
    )


def version_of(bundle: Bundle, evaluation: Evaluation | None) -> ModelVersion:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return ModelVersion(
        model="sample",
        version=1,
        project="samples",
        bundle=bundle.digest,
        flavour="sample",
        signature=SIGNATURE,
        threshold=0.5,
        run=None,
        datasets=[],
        environment=bundle.manifest.environment,
        risk="high",
        evaluation=evaluation,
        stage="none",
        aliases=[],
        size_bytes=0,
        note="",
        created_by="ana",
        created_at=at,
        changed_at=at,
    )


def parquet(rows: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(rows, out)
    return out.getvalue()
