"""Paths as text: what is read, and how whatever is wrong is named."""

from __future__ import annotations

import pytest

from taxiway.gates.paths.policy import PACKAGED, packaged, parameters_of, read_path
from taxiway.storage.contract import YamlBroken
from tests.gates.story import PATH

BROKEN = [
    ("0.85", "high", 6, "stages.staging.1.performance.at_least"),
    ("accuracy", "accuracies", 6, "stages.staging.1.performance.metric"),
    ("at_least: 0.85", "at_last: 0.85", 6, "stages.staging.1.performance.at_last"),
    ("at_least: 0.85", "at_least: 0.85, at_most: 1", 6, "stages.staging.1.performance"),
    ("at_least: 0.85", "at_least: .nan", 6, "stages.staging.1.performance"),
    ("- data_contract: {}", "- data_contracts: {}", 5, "stages.staging.0.data_contracts"),
    ("- data_contract: {}", "- {}", 5, "stages.staging.0"),
    ("{}", "{}\n      card: {}", 5, "stages.staging.0"),
    ("{}", "{}\n      name: No Name", 6, "stages.staging.0.name"),
    ("{}", "{}\n    - data_contract: {}\n      name: data_contract", 6, "stages.staging.1"),
    ("[high]", "[huge]", 2, "applies_to.risk.0"),
    ("[high]", "[]", 2, "applies_to.risk"),
    ("path: strict", "path: Strict One", 1, "path"),
    ("[validator]", "[contributor]", 10, "stages.production.1.approvals.roles.0"),
    ("count: 1", "not_author: false", 10, "stages.production.1.approvals.not_author"),
    ("90d", "soon", 10, "stages.production.1.approvals"),
    ("resamples: 2000", "resamples: 3", 7, "stages.staging.2.fairness"),
    ("stages:", "stage:", 3, "stage"),
    ("{complete: true}", "{complete: true", 10, ""),
]


@pytest.mark.parametrize(("text", "wrong", "line", "key"), BROKEN)
def test_what_is_wrong_is_named_with_line_and_key(text: str, wrong: str, line: int, key: str) -> None:
    with pytest.raises(YamlBroken) as refusal:
        read_path(PATH.replace(text, wrong, 1), name="mortgages.yaml")

    assert (refusal.value.file, refusal.value.line, refusal.value.key) == ("mortgages.yaml", line, key)


NEAR = [
    (
        "at_least: 0.85",
        "at_last: 0.85",
        "there is no such key, perhaps at_least was meant; give one of metric, at_least",
    ),
    ("data_contract:", "data_contracts:", "perhaps data_contract was meant; give one of data_contract, reproducible"),
    ("metric: accuracy", "metric: acuracy", "'acuracy' is not accepted, perhaps accuracy was meant; give one of"),
    ("mode: block", "mode: blocks", "'blocks' is not accepted, perhaps block was meant; give one of"),
    ("applies_to:", "apply_to:", "there is no such key, perhaps applies_to was meant; give one of path, stages"),
    ("data_contract: {}", "mode: warn", "this entry names no check; give one of data_contract"),
]


def test_what_would_be_accepted_is_no_guess_at_what_was_meant() -> None:
    with pytest.raises(YamlBroken, match="memory: ") as refusal:
        read_path(PATH.replace("- data_contract: {}", "- memory: {at_most_mb: -5}"), name="mortgages.yaml")

    assert "perhaps" not in str(refusal.value)


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("performance: {metric: accuracy, at_least: 85}", "give a share from 0 to 1 for accuracy"),
        ("fairness: {metric: selection_rate_ratio, at_least: 1.8}", "give at_least for a ratio"),
        ("fairness: {metric: selection_rate_ratio, at_most: 0.8}", "give at_least for a ratio"),
        ("fairness: {metric: equalized_odds_difference, at_least: 0.1}", "give at_most for a difference"),
        (
            "fairness: {metric: selection_rate_difference, at_most: 10}",
            "give at_most up to 1 for a difference of rates",
        ),
    ],
)
def test_a_bound_that_nothing_or_everything_passes_is_refused(gate: str, said: str) -> None:
    with pytest.raises(YamlBroken, match=said):
        read_path(PATH.replace("data_contract: {}", gate), name="mortgages.yaml")


@pytest.mark.parametrize(("text", "wrong", "said"), NEAR)
def test_what_was_probably_meant_is_said(text: str, wrong: str, said: str) -> None:
    with pytest.raises(YamlBroken) as refusal:
        read_path(PATH.replace(text, wrong, 1), name="mortgages.yaml")

    assert said in str(refusal.value)
    assert str(refusal.value).startswith("mortgages.yaml, line ")


def test_a_path_is_its_gates_in_order_with_what_they_ask_in_words() -> None:
    path = read_path(PATH, name="path.yaml")

    assert [(stage.stage, [gate.title for gate in stage.gates]) for stage in path.stages] == [
        (
            "staging",
            [
                "the training data keeps its contract",
                "accuracy at least 0.85",
                "selection-rate ratio by race at least 0.8",
            ],
        ),
        ("production", ["the card is complete", "approved by one person (validator), no author"]),
    ]
    assert path.aliases == {"production": "champion"}
    assert path.risk == ["high"]


def test_the_digest_stands_for_what_is_asked_and_not_for_how_it_is_written() -> None:
    path = read_path(PATH, name="path.yaml")

    assert read_path("# a comment\n" + PATH, name="x").digest == path.digest
    assert read_path(PATH.replace("count: 1, ", ""), name="x").digest == path.digest
    assert read_path(PATH.replace("0.85", "0.86"), name="x").digest != path.digest


def test_two_gates_of_one_check_have_names_of_their_own() -> None:
    twice = PATH.replace("- data_contract: {}", "- performance: {metric: roc_auc, at_least: 0.7}")

    [staging, _] = read_path(twice, name="x").stages

    assert [gate.name for gate in staging.gates] == ["performance", "performance-2", "fairness"]


def test_parameters_come_back_as_their_check_takes_them() -> None:
    [staging, _] = read_path(PATH, name="x").stages

    assert [type(parameters_of(gate)).__name__ for gate in staging.gates] == [
        "DataContractAsks",
        "PerformanceAsks",
        "FairnessAsks",
    ]


@pytest.mark.parametrize("name", PACKAGED.values())
def test_the_paths_that_ship_can_be_read(name: str) -> None:
    path = packaged(name)

    assert path is not None
    assert (path.name, path.version, path.is_pinned) == (name, 1, False)


def test_each_tier_has_a_path_that_is_made_for_it() -> None:
    for tier, name in PACKAGED.items():
        path = packaged(name)
        assert path is not None
        assert tier in path.risk


def test_a_gate_is_called_what_its_path_says_and_otherwise_by_its_check_and_a_number() -> None:
    twice = "- data_contract: {}\n    - data_contract: {}\n    - data_contract: {}\n      name: shape"
    path = read_path(PATH.replace("- data_contract: {}", twice), name="mortgages.yaml")

    assert [gate.name for gate in path.stages[0].gates][:3] == ["data_contract", "data_contract-2", "shape"]
