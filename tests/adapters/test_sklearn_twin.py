"""Twins of trees answer as the libraries do, to the last bit, also where a value lies on a threshold or is missing."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from threadpoolctl import threadpool_limits
from xgboost import XGBClassifier, XGBRegressor

from taxiway.adapters import sklearn as adapter
from taxiway.adapters.sklearn_predictor import SklearnPredictor
from taxiway.adapters.sklearn_twin import answers_of
from taxiway.endpoints.worker.choosing import choose
from taxiway.endpoints.worker.process import as_served, warm_up
from taxiway.models.bundles.bundle import Bundle, BundleTampered, Manifest, verify_bundle, write_bundle
from taxiway.models.predicting.infer import example_columns
from taxiway.models.predicting.matrices import Matrix
from taxiway.models.twins.commands import told
from taxiway.models.twins.comparing import compare
from taxiway.models.twins.forms import Form, graph_of, shape_of
from taxiway.models.twins.making import Given, is_slower, twin_of
from taxiway.models.twins.onnx import to_file
from taxiway.models.twins.predictor import TwinPredictor
from taxiway.models.twins.proving import opened
from taxiway.models.twins.record import FILE, NoTwin, Speeds, Twin
from taxiway.models.twins.trees import Ensemble

FEW: dict[str, Any] = {"n_estimators": 8, "max_depth": 3, "n_jobs": 1}
NAMES = ["a", "b", "c", "d"]
QUIET: dict[str, Any] = {"n_estimators": 12, "verbose": -1, "n_jobs": 1, "min_child_samples": 4}


def table(seed: int = 1, *, has_gaps: bool = False, rows: int = 240) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    found = pd.DataFrame(draw.normal(size=(rows, 4)), columns=NAMES)
    found["d"] = np.round(found.d * 5)
    if has_gaps:
        found.loc[draw.random(rows) < 0.2, "b"] = np.nan
    return found


def two(rows: pd.DataFrame) -> Any:
    return (rows.a + rows.c * rows.d > 0).to_numpy()


def three(rows: pd.DataFrame) -> Any:
    return np.array(["low", "mid", "top"])[np.digitize(rows.a + rows.c, [-0.7, 0.7])]


def number(rows: pd.DataFrame) -> Any:
    return (20 + rows.a * 3 + rows.c * rows.d).to_numpy()


MODELS: list[tuple[Any, Any]] = [
    (LGBMClassifier(**QUIET), two),
    (LGBMClassifier(**QUIET), three),
    (LGBMRegressor(**QUIET), number),
    (LGBMRegressor(objective="poisson", **QUIET), lambda rows: number(rows) ** 2),
    (RandomForestClassifier(12, random_state=1), two),
    (RandomForestClassifier(12, random_state=1), three),
    (RandomForestRegressor(12, random_state=1), number),
    (ExtraTreesClassifier(12, random_state=1), two),
    (DecisionTreeClassifier(), three),
    (DecisionTreeRegressor(max_depth=1), number),
    (HistGradientBoostingClassifier(max_iter=8), two),
    (HistGradientBoostingClassifier(max_iter=8), three),
    (HistGradientBoostingRegressor(max_iter=8), number),
    (HistGradientBoostingRegressor(max_iter=8, loss="gamma"), lambda rows: number(rows) ** 2),
    (XGBClassifier(**FEW), two),
    (XGBClassifier(base_score=0.3, **FEW), lambda rows: np.digitize(rows.a + rows.c, [-0.7, 0.7])),
    (XGBRegressor(**FEW), number),
    (XGBRegressor(objective="count:poisson", **FEW), lambda rows: number(rows) ** 2),
    (make_pipeline(SimpleImputer(), GradientBoostingClassifier(n_estimators=8)), two),
    (make_pipeline(SimpleImputer(), StandardScaler(), GradientBoostingClassifier(n_estimators=6)), three),
    (make_pipeline(SimpleImputer(), MinMaxScaler(), RandomForestClassifier(12)), two),
    (make_pipeline(RobustScaler(), "passthrough", XGBRegressor(**FEW)), number),
    (make_pipeline(MaxAbsScaler(), LGBMClassifier(**QUIET)), two),
]


SPARSE: list[tuple[Any, Any]] = [
    (XGBClassifier(**FEW), two),
    (LGBMClassifier(**QUIET), two),
    (RandomForestClassifier(12, random_state=1), two),
]


def fitted(model: Any, rows: pd.DataFrame, answers: Any) -> Any:
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        return model.fit(rows, answers)


def sealed(model: Any, folder: Path, rows: pd.DataFrame, **more: Any) -> Bundle:
    return write_bundle(folder, adapter.save(model, folder, rows, name="m", **more), lock="")


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A sealed forest with a twin."""
    rows = table(has_gaps=True)
    return sealed(
        fitted(RandomForestClassifier(12, random_state=1), rows, two(rows)), tmp_path_factory.mktemp("b") / "f", rows
    )


def by_library(bundle: Bundle) -> SklearnPredictor:
    return adapter.load(bundle.folder, bundle.digest, may_run_code=True)


@pytest.mark.parametrize(("model", "answers"), MODELS, ids=lambda each: type(each).__name__)
def test_a_twin_is_equal_to_the_last_bit(model: Any, answers: Any, tmp_path: Path) -> None:
    rows = table(has_gaps=answers is not number)
    bundle = sealed(fitted(model, rows, answers(rows)), tmp_path / "bundle", rows)

    twin = bundle.manifest.twin
    assert twin is not None
    assert (twin.runs, twin.largest_difference) == ("twin", 0.0), twin.why
    assert twin.rows > 2000
    assert "equal to the last bit" in twin.why


@pytest.mark.parametrize(("model", "answers"), SPARSE, ids=lambda each: type(each).__name__)
def test_rows_that_leave_out_their_zeros_are_answered_alike(model: Any, answers: Any, tmp_path: Path) -> None:
    """To XGBoost, a zero that a sparse row leaves out is a gap; LightGBM takes what is nearly zero as it stands."""
    rows = table()
    towns = np.array(["Ulm", "Bonn", "Jena"])[np.digitize(rows.a, [-0.5, 0.5])]
    given_rows = rows.assign(town=towns)
    given_rows.loc[::5, "b"] = 0.0
    split = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["town"]), remainder="passthrough", sparse_threshold=1.0
    )
    bundle = sealed(fitted(make_pipeline(split, model), given_rows, answers(rows)), tmp_path / "bundle", given_rows)

    twin = bundle.manifest.twin
    assert twin is not None
    assert (twin.runs, twin.largest_difference) == ("twin", 0.0), twin.why


@given(seed=st.integers(0, 10_000), depth=st.integers(1, 6), at=st.integers(0, 5), data=st.data())
@settings(max_examples=16, deadline=None)
def test_any_forest_and_any_row_are_answered_alike(seed: int, depth: int, at: int, data: st.DataObject) -> None:
    rows = table(seed, has_gaps=True, rows=60)
    kinds = (
        DecisionTreeRegressor(max_depth=depth),
        HistGradientBoostingRegressor(max_iter=depth, min_samples_leaf=3),
        LGBMRegressor(**{**QUIET, "n_estimators": depth}),
        LGBMRegressor(**{**QUIET, "n_estimators": depth}, max_bin=7),
        XGBRegressor(n_estimators=depth, n_jobs=1),
        GradientBoostingRegressor(n_estimators=depth),
    )
    if at == 5:
        rows = rows.fillna(0.0)
    model = fitted(kinds[at], rows, number(rows))
    ensemble = answers_of(model)
    assert isinstance(ensemble, Ensemble)
    thresholds = [float(each) for tree in ensemble.trees for each in tree.threshold if np.isfinite(each)]
    anywhere = st.floats(allow_infinity=False, width=32) | st.sampled_from([*thresholds, 0.0, -0.0, 1e-40, -1e-36])
    near = anywhere.flatmap(lambda v: st.sampled_from([v, float(np.nextafter(v, 9e9)), float(np.nextafter(v, -9e9))]))
    asked = np.array(data.draw(st.lists(st.lists(near, min_size=4, max_size=4), min_size=1, max_size=20)))
    asked[:, [0, 2, 3]] = np.nan_to_num(asked[:, [0, 2, 3]])
    manifest = msgspec.convert(
        {
            "name": "m",
            "flavour": "x",
            "signature": {"inputs": [], "outputs": []},
            "native": {"file": "", "serialization": ""},
        },
        Manifest,
    )
    form = Form(4, ensemble)
    twin = TwinPredictor(manifest, shape_of(form, ""), to_file(graph_of(form), told={}))
    if at == 5:
        asked = np.nan_to_num(asked)

    said = twin.predict_matrix(asked)["prediction"]

    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        expected = model.predict(asked)
    assert said.tolist() == expected.tolist()


def test_a_row_is_answered_the_same_in_any_company(forest: Bundle) -> None:
    twin = opened(forest, by_library(forest))
    rows = table(5, has_gaps=True).to_numpy()
    together = twin.predict_matrix(rows)["score"]
    alone = [twin.predict_matrix(row.reshape(1, -1))["score"][0] for row in rows]

    assert together.tolist() == alone
    assert warm_up(twin, adapter.example_rows(forest))


def test_a_twin_answers_rows_of_json_as_the_library_does(forest: Bundle) -> None:
    rows = adapter.example_rows(forest)
    native = adapter.load(forest.folder, forest.digest, may_run_code=True)

    assert opened(forest, by_library(forest)).predict(rows) == native.predict(rows)


def test_a_worker_serves_the_twin_and_says_so(forest: Bundle) -> None:
    served = as_served(forest, may_run_code=False)

    assert isinstance(served.predictor, TwinPredictor)
    assert served.runs.startswith(
        "its ONNX twin; its file is the model's own, byte for byte, and equal to the last bit on "
    )


def test_a_twin_that_answers_otherwise_here_leaves_it_to_the_library(forest: Bundle, monkeypatch: Any) -> None:
    native = adapter.load(forest.folder, forest.digest, may_run_code=True)
    right = TwinPredictor.predict_matrix

    def off(self: TwinPredictor, matrix: Matrix) -> Any:
        said = right(self, matrix)
        return {**said, "score": said["score"] + 1e-9}

    monkeypatch.setattr(TwinPredictor, "predict_matrix", off)
    served = choose(forest, lambda: native)

    assert served.predictor is native
    assert served.runs.startswith("its own library, though it has a twin: here it answers")


def test_without_the_runtime_the_library_answers(forest: Bundle, monkeypatch: Any) -> None:
    native = adapter.load(forest.folder, forest.digest, may_run_code=True)
    monkeypatch.setattr("taxiway.models.twins.proving.runtime_version", lambda: "")

    assert choose(forest, lambda: native).runs == (
        "its own library, though it has a twin: ONNX Runtime is not installed where it is served"
    )


def test_a_twin_that_was_tampered_with_is_no_bundle_of_ours(tmp_path: Path) -> None:
    rows = table()
    bundle = sealed(fitted(DecisionTreeClassifier(), rows, two(rows)), tmp_path / "bundle", rows)
    data = bytearray((bundle.folder / FILE).read_bytes())
    data[len(data) // 2] ^= 1
    (bundle.folder / FILE).write_bytes(bytes(data))

    with pytest.raises(BundleTampered, match=FILE):
        verify_bundle(bundle.folder, bundle.digest)


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_a_number_too_large_for_32_bits_is_refused_as_the_library_refuses_it(forest: Bundle) -> None:
    row = np.array([[1e39, 0.0, 0.0, 0.0]])
    for predictor in (
        opened(forest, by_library(forest)),
        adapter.load(forest.folder, forest.digest, may_run_code=True),
    ):
        with pytest.raises(ValueError, match="too large for dtype"):
            predictor.predict_matrix(row)


def categorical() -> tuple[Any, pd.DataFrame]:
    rows = table().assign(d=pd.Categorical(["x", "y"] * 120))
    return fitted(LGBMClassifier(**QUIET), rows, (rows.a > 0) & (rows.d == "x")), rows


def zero_is_missing() -> tuple[Any, pd.DataFrame]:
    rows = table()
    return fitted(LGBMRegressor(**QUIET, zero_as_missing=True), rows, number(rows)), rows


def polynomial() -> tuple[Any, pd.DataFrame]:
    rows = table()
    return fitted(make_pipeline(PolynomialFeatures(), DecisionTreeClassifier()), rows, two(rows)), rows


def neighbours() -> tuple[Any, pd.DataFrame]:
    rows = table()
    return fitted(KNeighborsClassifier(), rows, two(rows)), rows


def dart() -> tuple[Any, pd.DataFrame]:
    rows = table()
    return fitted(XGBRegressor(booster="dart", **FEW), rows, number(rows)), rows


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (categorical, "its trees split by categories"),
        (zero_is_missing, "it takes zero for a missing value"),
        (polynomial, "PolynomialFeatures prepares its rows, and no twin does that"),
        (neighbours, "and KNeighborsClassifier is none that Taxiway knows"),
        (dart, "its booster dart adds up something else than plain trees"),
    ],
)
def test_what_has_no_twin_says_why(made: Any, why: str, tmp_path: Path) -> None:
    bundle = sealed(*_model_first(made(), tmp_path))
    twin = bundle.manifest.twin

    assert twin is not None
    assert twin.runs == "native"
    assert why in twin.why
    assert not (bundle.folder / FILE).exists()
    assert as_served(bundle, may_run_code=True).runs == f"its own library; {twin.why}"
    with pytest.raises(NoTwin, match=twin.why[:20]):
        opened(bundle, by_library(bundle))


def _model_first(pair: tuple[Any, pd.DataFrame], folder: Path) -> tuple[Any, Path, pd.DataFrame]:
    return pair[0], folder / "bundle", pair[1]


class Refusing(SklearnPredictor):
    """Takes no row, whatever its signature says."""

    def predict_matrix(self, matrix: Matrix) -> Any:
        raise ValueError("not this one")


def test_a_model_that_refuses_what_its_signature_allows_has_no_twin(forest: Bundle, tmp_path: Path) -> None:
    model = fitted(RandomForestClassifier(3), table(), two(table()))
    rows = example_columns(table(), rows=100)

    with pytest.raises(NoTwin, match=r"refuses rows that its signature allows \(ValueError: not this one\)"):
        twin_of(Refusing(model, forest.manifest), Form(4, answers_of(model)), Given(forest.manifest, rows, tmp_path))


def test_a_twin_that_decides_otherwise_or_differs_is_refused() -> None:
    native = {"prediction": np.array([0, 1]), "score": np.array([0.4, 0.6])}
    with pytest.raises(NoTwin, match="it decides 1 of 2 rows otherwise"):
        compare(native, {**native, "prediction": np.array([1, 1])})
    with pytest.raises(NoTwin, match=r"differ by up to 0\.1"):
        compare(native, {**native, "score": np.array([0.5, 0.6])})
    assert compare(native, {**native, "score": np.array([0.4, 0.6 + 2e-16])}) == pytest.approx(2e-16, rel=0.2)


def test_a_twin_must_be_faster_for_one_row_and_for_many() -> None:
    assert not is_slower(Speeds(100, 10, 200, 100))
    assert is_slower(Speeds(100, 10, 100, 200))
    assert is_slower(Speeds(10, 100, 200, 100))


def test_the_twin_decides_by_the_threshold_of_the_manifest(tmp_path: Path) -> None:
    rows = table()
    model = fitted(RandomForestClassifier(12, random_state=1), rows, two(rows))
    bundle = sealed(model, tmp_path / "bundle", rows, threshold=0.8)
    answers = opened(bundle, by_library(bundle)).predict_matrix(rows.to_numpy())

    assert answers["prediction"].tolist() == (answers["score"] >= 0.8).tolist()
    native = SklearnPredictor(model, bundle.manifest).predict_matrix(rows.to_numpy())
    assert answers["score"].tolist() == native["score"].tolist()


def test_what_runs_is_told_in_a_sentence(forest: Bundle) -> None:
    assert told(None) == "It runs its own library; nobody looked for a twin when it was logged."
    assert told(Twin(runs="native", why="its leaves hold linear models")).endswith(": its leaves hold linear models.")
    assert told(forest.manifest.twin).startswith("It runs its ONNX twin: equal to the last bit on ")
