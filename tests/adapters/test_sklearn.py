"""scikit-learn models go into bundles without pickle where they can, and come back answering the same."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from taxiway.adapters.sklearn import CodeInModel, ModelNotSaved, ModelUnreadable, example_rows, load, save
from taxiway.models.bundles.bundle import Bundle, BundleTampered, write_bundle
from taxiway.models.predicting.signature import InputMismatch

ROWS = 300
RNG = np.random.default_rng(7)
NUMBERS = pd.DataFrame(RNG.normal(size=(ROWS, 3)), columns=["a", "b", "c"])
MIXED = NUMBERS.assign(
    a=NUMBERS.a.mask(NUMBERS.a > 1.5),
    town=np.where(NUMBERS.b > 0, "Lyon", "Oslo"),
    size=pd.Categorical(np.where(NUMBERS.c > 0, "big", "small")),
    rooms=np.arange(ROWS) % 5,
    has_lift=NUMBERS.c > 0.5,
)
LABELS = (NUMBERS.a + RNG.normal(size=ROWS) > 0).astype(int).to_numpy()


def numeric_pipeline() -> Any:
    return make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression())


def mixed_pipeline() -> Any:
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["town", "size"]),
        remainder="passthrough",
        sparse_threshold=0,
    )
    return make_pipeline(columns, SimpleImputer(), LogisticRegression(max_iter=1000))


def sealed(model: Any, folder: Path, example: Any, threshold: float | None = None) -> Bundle:
    return write_bundle(folder, save(model, folder, example, name="m", threshold=threshold))


def as_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = frame.to_dict("records")
    return rows


@pytest.mark.parametrize(
    ("model", "table"),
    [
        (numeric_pipeline(), NUMBERS),
        (mixed_pipeline(), MIXED),
        (HistGradientBoostingClassifier(max_iter=10), NUMBERS),
        (HistGradientBoostingClassifier(max_iter=10), MIXED.drop(columns="town")),
    ],
    ids=["logistic", "columns", "trees", "trees with a category"],
)
def test_a_model_comes_back_answering_the_same_without_pickle(model: Any, table: pd.DataFrame, tmp_path: Path) -> None:
    model.fit(table, LABELS)
    bundle = sealed(model, tmp_path / "m", table)

    answers = load(bundle.folder, bundle.digest).predict(as_rows(table))

    assert bundle.manifest.native.serialization == "skops"
    assert [answer["score"] for answer in answers] == pytest.approx(model.predict_proba(table)[:, 1])
    assert [answer["prediction"] for answer in answers] == model.predict(table).tolist()


def test_rows_and_columns_and_one_row_at_a_time_answer_the_same(tmp_path: Path) -> None:
    bundle = sealed(mixed_pipeline().fit(MIXED, LABELS), tmp_path / "m", MIXED)
    predictor = load(bundle.folder)
    rows = as_rows(MIXED.head(20))

    together = predictor.predict(rows)

    assert predictor.predict({name: [row[name] for row in rows] for name in rows[0]}) == together
    alone = [predictor.predict([row])[0] for row in rows]
    assert [answer["prediction"] for answer in alone] == [answer["prediction"] for answer in together]
    assert [answer["score"] for answer in alone] == pytest.approx([answer["score"] for answer in together])


def test_a_model_of_plain_arrays_needs_no_names(tmp_path: Path) -> None:
    array = NUMBERS.to_numpy()
    model = numeric_pipeline().fit(array, LABELS)
    bundle = sealed(model, tmp_path / "m", array)

    answers = load(bundle.folder).predict([{"x0": 1.0, "x1": 0.0, "x2": 0.0}])

    assert answers[0].get("score") == pytest.approx(model.predict_proba([[1.0, 0.0, 0.0]])[0, 1])


def test_the_threshold_decides_and_a_tie_says_yes(tmp_path: Path) -> None:
    model = numeric_pipeline().fit(NUMBERS, LABELS)
    score = float(model.predict_proba(NUMBERS.head(1))[0, 1])
    bundle = sealed(model, tmp_path / "m", NUMBERS, threshold=score)

    answers = load(bundle.folder).predict(as_rows(NUMBERS.head(1)))

    assert bundle.manifest.threshold == score
    assert answers == [{"prediction": 1, "score": score}]


def test_more_than_two_labels_score_the_one_that_is_predicted(tmp_path: Path) -> None:
    names = np.array(["low", "mid", "high"])[np.digitize(NUMBERS.a, [-0.5, 0.5])]
    model = numeric_pipeline().fit(NUMBERS, names)
    bundle = sealed(model, tmp_path / "m", NUMBERS)

    answers = load(bundle.folder).predict(as_rows(NUMBERS.head(5)))

    assert [answer["prediction"] for answer in answers] == model.predict(NUMBERS.head(5)).tolist()
    assert [answer["score"] for answer in answers] == pytest.approx(model.predict_proba(NUMBERS.head(5)).max(axis=1))
    assert bundle.manifest.signature.outputs[0].type == "string"


def test_a_regressor_answers_numbers(tmp_path: Path) -> None:
    model = LinearRegression().fit(NUMBERS, NUMBERS.a * 2)
    bundle = sealed(model, tmp_path / "m", NUMBERS)

    answers = load(bundle.folder).predict([{"a": 3.0, "b": 0.0, "c": 0.0}])

    assert [list(answer) for answer in answers] == [["prediction"]]
    assert answers[0]["prediction"] == pytest.approx(6.0)


def test_a_classifier_without_probabilities_answers_labels_alone(tmp_path: Path) -> None:
    bundle = sealed(LinearSVC().fit(NUMBERS, LABELS), tmp_path / "m", NUMBERS)

    answers = load(bundle.folder).predict(as_rows(NUMBERS.head(1)))

    assert list(answers[0]) == ["prediction"]


def test_no_rows_have_no_answers(tmp_path: Path) -> None:
    bundle = sealed(numeric_pipeline().fit(NUMBERS, LABELS), tmp_path / "m", NUMBERS)

    assert load(bundle.folder).predict([]) == []


def test_a_row_that_does_not_fit_is_refused_before_the_model_sees_it(tmp_path: Path) -> None:
    predictor = load(sealed(mixed_pipeline().fit(MIXED, LABELS), tmp_path / "m", MIXED).folder)
    good = as_rows(MIXED.head(1))[0]

    with pytest.raises(InputMismatch) as refusal:
        predictor.predict([good, good | {"size": "huge"}])

    assert (refusal.value.row, refusal.value.field) == (1, "size")


def test_the_input_example_is_in_the_bundle(tmp_path: Path) -> None:
    bundle = sealed(mixed_pipeline().fit(MIXED, LABELS), tmp_path / "m", MIXED)

    rows = example_rows(bundle)

    assert [row["town"] for row in rows] == MIXED.town.head(5).tolist()
    assert len(load(bundle.folder).predict(rows)) == 5


def double(values: Any) -> Any:
    return values * 2


def test_a_pickle_is_marked_and_read_only_under_an_approved_digest(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(lambda values: values * 2), LogisticRegression()).fit(NUMBERS, LABELS)
    bundle = sealed(model, tmp_path / "m", NUMBERS)

    assert bundle.manifest.native.file == "model.pkl"
    with pytest.raises(CodeInModel, match="pickle"):
        load(bundle.folder, bundle.digest)
    with pytest.raises(CodeInModel, match="pickle"):
        load(bundle.folder, may_run_code=True)
    answers = load(bundle.folder, bundle.digest, may_run_code=True).predict(as_rows(NUMBERS.head(1)))
    assert answers[0]["prediction"] == model.predict(NUMBERS.head(1))[0]


def test_a_skops_file_with_types_nobody_knows_is_read_like_a_pickle(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(double), LogisticRegression()).fit(NUMBERS, LABELS)
    bundle = sealed(model, tmp_path / "m", NUMBERS)

    assert bundle.manifest.native.serialization == "skops"
    with pytest.raises(CodeInModel, match="double"):
        load(bundle.folder, bundle.digest)
    assert load(bundle.folder, bundle.digest, may_run_code=True).predict([]) == []


def test_a_manifest_cannot_vouch_for_less_than_its_file_holds(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(double), LogisticRegression()).fit(NUMBERS, LABELS)
    draft = save(model, tmp_path / "m", NUMBERS, name="m")
    lying = msgspec.structs.replace(draft, native=msgspec.structs.replace(draft.native, trusted_types=()))
    bundle = write_bundle(tmp_path / "m", lying)

    with pytest.raises(ModelUnreadable, match="double"):
        load(bundle.folder, bundle.digest)


class Boom:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("boom",))


def test_a_tampered_copy_is_refused_before_a_byte_of_it_is_read(tmp_path: Path) -> None:
    bundle = sealed(numeric_pipeline().fit(NUMBERS, LABELS), tmp_path / "m", NUMBERS)
    copy = Path(shutil.copytree(bundle.folder, tmp_path / "copy"))
    (copy / "model.skops").write_bytes(pickle.dumps(Boom()))

    with pytest.raises(BundleTampered, match=r"model\.skops"):
        load(copy, bundle.digest, may_run_code=True)


def test_a_file_that_is_no_model_says_so(tmp_path: Path) -> None:
    draft = save(numeric_pipeline().fit(NUMBERS, LABELS), tmp_path / "m", NUMBERS, name="m")
    (tmp_path / "m" / "model.skops").write_bytes(b"not a zip")
    bundle = write_bundle(tmp_path / "m", draft)

    with pytest.raises(ModelUnreadable, match=r"model\.skops"):
        load(bundle.folder, bundle.digest)


def test_a_threshold_needs_two_labels(tmp_path: Path) -> None:
    with pytest.raises(ModelNotSaved, match="threshold"):
        save(LinearRegression().fit(NUMBERS, NUMBERS.a), tmp_path, NUMBERS, name="m", threshold=0.5)


def test_an_example_of_other_columns_is_refused(tmp_path: Path) -> None:
    model = numeric_pipeline().fit(NUMBERS, LABELS)

    with pytest.raises(ModelNotSaved, match="a, b, c"):
        save(model, tmp_path, MIXED, name="m")
