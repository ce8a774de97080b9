"""A twin is made by whoever logs the model; it answers only where it is the model's own, whatever its file holds."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from taxiway.adapters import sklearn as adapter
from taxiway.adapters.sklearn_trees import check_trees
from taxiway.adapters.sklearn_twin import answers_of, form_of
from taxiway.endpoints.worker.choosing import choose
from taxiway.models.bundles.bundle import MANIFEST, Bundle, write_bundle
from taxiway.models.twins.comparing import same_file
from taxiway.models.twins.forms import Form, graph_of
from taxiway.models.twins.onnx import Graph, Node, message, number, part, text, to_file
from taxiway.models.twins.predictor import TwinPredictor
from taxiway.models.twins.record import ANSWERS, FILE, ROWS, NoTwin, Twin
from taxiway.models.twins.trees import Ensemble

ROWS_SEEN = pd.DataFrame(np.random.default_rng(1).normal(size=(240, 3)), columns=["a", "b", "c"])
YES = (ROWS_SEEN.a > ROWS_SEEN.b).to_numpy()
NOT_OURS = "its file is not the one that Taxiway writes of the model"


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    model = RandomForestClassifier(8, random_state=1).fit(ROWS_SEEN, YES)
    folder = tmp_path_factory.mktemp("honest") / "bundle"
    return write_bundle(folder, adapter.save(model, folder, ROWS_SEEN, name="m"), lock="")


def forged(
    bundle: Bundle, folder: Path, files: dict[str, bytes] | None = None, change: Callable[[Twin], Twin] | None = None
) -> Bundle:
    """The bundle with other files or another record beside the same model, sealed as whoever logs models can."""
    shutil.copytree(bundle.folder, folder)
    (folder / MANIFEST).unlink()
    for path, data in (files or {}).items():
        (folder / path).write_bytes(data)
    twin = bundle.manifest.twin
    assert twin is not None
    draft = msgspec.structs.replace(bundle.manifest, twin=change(twin) if change else twin)
    return write_bundle(folder, draft)


def told_of(bundle: Bundle, monkeypatch: pytest.MonkeyPatch | None = None) -> str:
    """Which form answers and why. With a patch, nothing of the file may reach ONNX Runtime."""
    if monkeypatch is not None:
        monkeypatch.setattr(TwinPredictor, "__init__", partial(pytest.fail, "its file was given to ONNX Runtime"))
    native = adapter.load(bundle.folder, bundle.digest, may_run_code=True)
    chosen = choose(bundle, lambda: native)
    assert chosen.predictor is native
    return chosen.runs.removeprefix("its own library, though it has a twin: ")


def own_form(bundle: Bundle) -> Form:
    return adapter.load(bundle.folder, bundle.digest).form()


def backdoor(bundle: Bundle) -> bytes:
    """The forest with one leaf turned round."""
    form = own_form(bundle)
    assert isinstance(form.answers, Ensemble)
    tree = form.answers.trees[0]
    leaves = tree.leaves.copy()
    leaves[-1] = 1.0 - leaves[-1]
    trees = [tree._replace(leaves=leaves), *form.answers.trees[1:]]
    return same_file(form._replace(answers=form.answers._replace(trees=trees)), bundle.manifest)


def external(bundle: Bundle) -> bytes:
    """Its numbers lie in a file of the machine that serves it."""
    graph = graph_of(own_form(bundle))
    data = to_file(graph._replace(constants={**graph.constants, "more": np.zeros(1)}), told={})
    where = message(13, [text(1, "location"), text(2, "../../../../etc/passwd")])
    tensor = [number(1, 1), number(2, 11), text(8, "stolen"), where, number(14, 1)]
    return data + message(7, [message(5, tensor)])  # fields that come twice are merged


def foreign(bundle: Bundle) -> bytes:
    """A step of somebody's own library."""
    return to_file(Graph(3, [Node("Run", ["rows"], "sums", {}, "evil.ops")], {"sums": 1}, {}), told={})


def nested(bundle: Bundle) -> bytes:
    """A body of steps within a step."""
    body = message(6, [text(2, "body"), message(1, [text(4, "Loop")])])
    loop = [text(1, ""), text(2, "sums"), text(4, "Loop"), message(5, [text(1, "body"), body, number(20, 5)])]
    return to_file(graph_of(own_form(bundle)), told={}) + message(7, [message(1, loop)])


def swelling(bundle: Bundle) -> bytes:
    """A few bytes that become ten gigabytes once it runs."""
    shape = np.array([1 << 31, 1])
    nodes = [Node("ConstantOfShape", ["shape"], "large"), Node("ReduceSum", ["large"], "sums")]
    return to_file(Graph(3, nodes, {"sums": 1}, {"shape": shape}), told={})


def cut(bundle: Bundle) -> bytes:
    return (bundle.folder / FILE).read_bytes()[:-9]


def no_file(bundle: Bundle) -> bytes:
    return part(7, b"\xff" * 4000)


@pytest.mark.parametrize("attack", [backdoor, external, foreign, nested, swelling, cut, no_file])
def test_another_file_is_never_given_to_the_runtime(
    attack: Callable[[Bundle], bytes], forest: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told_of(forged(forest, tmp_path / "bundle", {FILE: attack(forest)}), monkeypatch) == NOT_OURS


@pytest.mark.parametrize(
    "fact",
    [{"labels": (True, False)}, {"link": "exp"}, {"divisor": 1}, {"narrow": False}, {"words": {"a": ("x",)}}],
    ids=str,
)
def test_another_record_is_refused(
    fact: dict[str, Any], forest: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = forged(forest, tmp_path / "bundle", change=lambda twin: msgspec.structs.replace(twin, **fact))

    assert told_of(bundle, monkeypatch) == "what its bundle says of it is not what the model says"


def saved(value: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, value, allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize(
    ("path", "data", "why"),
    [
        (ROWS, saved(np.array([print], dtype=object)), "is not what is kept with a twin"),
        (ROWS, saved(np.zeros((100_000, 3))), "is not what is kept with a twin"),
        (ROWS, b"no numbers", "is not what is kept with a twin"),
        (ROWS, saved(np.zeros((64, 2))), "does not run it here"),
        (ANSWERS, saved(np.zeros((3, 2))), "are not of one shape"),
        (ANSWERS, saved(np.full((64, 2), np.nan)), "apart from what was recorded"),
    ],
)
def test_rows_beside_a_twin_are_looked_at_too(path: str, data: bytes, why: str, forest: Bundle, tmp_path: Path) -> None:
    assert why in told_of(forged(forest, tmp_path / "bundle", {path: data}))


def test_a_twin_of_a_flavour_that_has_none_is_left_alone(forest: Bundle) -> None:
    class Plain:
        signature = forest.manifest.signature

        def predict(self, data: Any) -> Any:
            return []

    assert "models of flavour sklearn have none" in choose(forest, Plain).runs


class Own(DecisionTreeClassifier):  # type: ignore[misc]  # scikit-learn has no types
    """Would answer otherwise than its trees say."""


def test_a_model_whose_trees_are_not_what_answers_has_no_form() -> None:
    namesake = type("DecisionTreeClassifier", (DecisionTreeClassifier,), {"__module__": "sklearn.tree._classes"})
    with pytest.raises(NoTwin, match="none that Taxiway knows"):
        answers_of(namesake().fit(ROWS_SEEN, YES))
    with pytest.raises(NoTwin, match="Own is none that Taxiway knows"):
        answers_of(Own().fit(ROWS_SEEN, YES))

    patched = DecisionTreeClassifier().fit(ROWS_SEEN, YES)
    patched.predict_proba = partial(np.zeros, (1, 2))
    with pytest.raises(NoTwin, match="none that Taxiway knows"):
        answers_of(patched)

    mixed = RandomForestClassifier(2).fit(ROWS_SEEN, YES)
    other = KNeighborsClassifier().fit(ROWS_SEEN, YES)
    other.tree_ = mixed.estimators_[0].tree_
    mixed.estimators_[0] = other
    with pytest.raises(NoTwin, match="KNeighborsClassifier is not what such a model is made of"):
        answers_of(mixed)


def test_a_tree_that_points_outside_of_itself_is_not_read() -> None:
    """scikit-learn follows a tree's numbers without a look, wherever in memory they lead."""

    def spoilt(field: str, value: int) -> Any:
        model = RandomForestClassifier(2, random_state=1).fit(ROWS_SEEN, YES)
        tree = model.estimators_[1].tree_
        getattr(tree, field)[0] = value
        return model

    check_trees(RandomForestClassifier(2).fit(ROWS_SEEN, YES))
    for field, value in (("children_left", 1 << 40), ("children_right", 0), ("feature", 3), ("feature", -9)):
        with pytest.raises(ValueError, match=r"a node of a tree points outside|columns that its rows do not have"):
            check_trees([{"within": (spoilt(field, value),)}])
    narrow = RandomForestClassifier(2).fit(ROWS_SEEN, YES)
    narrow.n_features_in_ = 1
    with pytest.raises(ValueError, match="looks at other columns"):
        check_trees(narrow)
    round_and_round: list[Any] = []
    round_and_round.append(round_and_round)
    check_trees(round_and_round)


def test_the_honest_one_answers(forest: Bundle) -> None:
    native = adapter.load(forest.folder, forest.digest)

    assert form_of(native.model, native.signature.inputs).width == 3
    assert isinstance(choose(forest, lambda: native).predictor, TwinPredictor)
