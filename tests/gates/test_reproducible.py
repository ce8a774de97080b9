"""The check `reproducible`, and `taxiway gates check`, over real runs and versions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from taxiway.cli import main
from taxiway.client import Client
from taxiway.gates.checks.reproducible import ReproducibleAsks
from taxiway.gates.paths.policy import read_path
from taxiway.models.contract import ModelVersion
from taxiway.runs.again.sameness import InputGap, Reproduction
from taxiway.runs.contract import RecordReproduction, record_reproduction
from taxiway.storage.contract import YamlBroken
from tests.gates.story import CARD, FAIR, PATH, UNFAIR, Story, table
from tests.support.live import running

ASKED = "    - reproducible: {tolerance: 1e-6, ignore: ['*_s']}\n"
STRICT = PATH.replace("    - performance", f"{ASKED}    - performance", 1)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """One platform for all: each test makes versions of its own."""
    folder = tmp_path_factory.mktemp("story")
    with running(folder / "home") as live, pytest.MonkeyPatch.context() as moving:
        moving.chdir(folder)  # so that runs find no sources to keep
        yield Story(live, folder, STRICT)


def again(client: Client, version: ModelVersion, *, accuracy: float, gaps: Sequence[InputGap] = ()) -> Reproduction:
    """The version's run once more, by hand, with the same predictions."""
    run = version.run or ""
    with client.runs.start(project=version.project, tags={"taxiway.reproduces": run}) as second:
        second.use(version.datasets[0])
        second.log(accuracy=accuracy)
        second.log_predictions(
            table(FAIR, right=0.9), label="approve", prediction="said", score="score", groups=["race"]
        )
    body = RecordReproduction(again=second.id, gaps=[*gaps])
    return client.transport.call(record_reproduction, body, run=run)


def verdict(client: Client, version: ModelVersion) -> tuple[str, str]:
    """What the gate says now."""
    standing = client.gates.evaluate(f"{version.model}@{version.version}")
    [gate] = [g for stage in standing.stages for g in stage.gates if g.check == "reproducible"]
    return gate.verdict, gate.outcome.reason


def test_a_run_that_was_not_done_again_is_missing(told: Story) -> None:
    version = told.version(FAIR)

    assert verdict(told.ana, version) == ("missing", "Its run was not done again yet.")


def test_the_gate_follows_the_newest_reproduction(told: Story) -> None:
    version = told.version(FAIR)
    verdict(told.ana, version)

    again(told.ana, version, accuracy=0.9)
    same = verdict(told.ana, version)
    again(told.ana, version, accuracy=0.9 + 1e-9)
    near = verdict(told.ana, version)
    again(told.ana, version, accuracy=0.5)
    far = verdict(told.ana, version)

    assert same == ("pass", "Its run was done again, and every result is bit-equal.")
    assert near[0] == "pass"
    assert "the largest difference is 1e-09 in accuracy" in near[1]
    assert far == ("fail", "Its run was done again and differs: the largest difference is 0.4 in accuracy.")


def test_another_start_decides_nothing(told: Story) -> None:
    version = told.version(FAIR)

    again(told.ana, version, accuracy=0.5, gaps=[InputGap("environment", "numpy could not be installed: offline")])

    found, reason = verdict(told.ana, version)
    assert found == "inconclusive"
    assert "It did not start from the same (environment: numpy could not be installed: offline)." in reason


def test_a_run_that_cannot_be_done_again_decides_nothing(told: Story) -> None:
    version = told.version(FAIR)
    because = ["train.py held secrets, which were not kept"]

    told.ana.transport.call(record_reproduction, RecordReproduction(because=because), run=version.run or "")

    assert verdict(told.ana, version) == ("inconclusive", f"Its run cannot be done again: {because[0]}.")


def test_who_may_not_write_runs_may_not_say_that_one_was_done_again(told: Story) -> None:
    from taxiway.kernel.errors import NotAllowed

    version = told.version(FAIR)
    viewer = told.live.as_person("vic", "viewer", project=version.project)

    with pytest.raises(NotAllowed):
        viewer.transport.call(record_reproduction, RecordReproduction(because=["so"]), run=version.run or "")


@pytest.mark.parametrize("tolerance", ["-1", "2", "soon"])
def test_a_tolerance_out_of_range_is_refused_with_its_line(tolerance: str) -> None:
    with pytest.raises(YamlBroken) as refusal:
        read_path(STRICT.replace("1e-6", tolerance), name="path.yaml")

    assert refusal.value.line == 6
    assert ReproducibleAsks().tolerance == 1e-6


def check(told: Story, *words: str) -> int:
    """`taxiway gates check` as ana types it."""
    with pytest.MonkeyPatch.context() as typing:
        typing.setenv("TAXIWAY_URL", told.live.url)
        typing.setenv("TAXIWAY_TOKEN", told.ana.transport.token or "")
        return main(["gates", "check", *words])


def test_check_says_what_would_refuse_and_exits_with_it(told: Story, capsys: pytest.CaptureFixture[str]) -> None:
    version = told.version(UNFAIR)

    code = check(told, f"mortgage@{version.version}")

    said = capsys.readouterr().out
    assert code == 1
    assert "■ fail" in said
    assert said.strip().endswith("3 gates are not open: reproducible, fairness, card.")


def test_check_passes_by_run_before_anybody_approved(told: Story, capsys: pytest.CaptureFixture[str]) -> None:
    version = told.version(FAIR)
    again(told.ana, version, accuracy=0.9)
    told.ana.models.enter_card(f"mortgage@{version.version}", **CARD)

    by_run = check(told, "--run", version.run or "", "--json")
    found = json.loads(capsys.readouterr().out)
    to_production = check(told, f"mortgage@{version.version}", "--stage", "production", "--format", "markdown")
    comment = capsys.readouterr().out

    assert (by_run, found["closed"]) == (0, [])
    assert to_production == 1
    assert comment.startswith("### ■ Gates")
    assert "| production | approvals | ◌ missing |" in comment


def test_check_needs_a_version_or_a_run_that_made_one(told: Story, capsys: pytest.CaptureFixture[str]) -> None:
    with told.ana.runs.start(project="mortgages") as run:
        pass

    assert check(told) == 1
    assert "either a version, MODEL@VERSION, or --run" in capsys.readouterr().err
    assert check(told, "--run", run.id) == 1
    assert "There is no model version of the run" in capsys.readouterr().err


def test_a_standing_shows_itself_in_a_notebook(told: Story, tmp_path: Path) -> None:
    version = told.version(UNFAIR)

    html = told.ana.gates.evaluate(f"mortgage@{version.version}")._repr_html_()

    assert html.count("<svg") == 2
    assert "■ fail" in html
    assert "<script" not in html
