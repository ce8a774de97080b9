"""Every door that could move a version ends at the same gates, and says the same."""

from __future__ import annotations

import html
import itertools
import re
from pathlib import Path

import pytest
from starlette.routing import Route

import taxiway
from taxiway.cli import main
from taxiway.client import learn_refusals
from taxiway.compat.mlflow.call import Call
from taxiway.gates.refusals import GateClosed
from taxiway.house import build
from taxiway.kernel.endpoint import Endpoint
from taxiway.models.refusals import AliasGuarded
from tests.gates.doors import (
    DOORS,
    FAR,
    FORMS,
    MLFLOW,
    MLFLOW_DOORS,
    MLFLOW_NO_DOORS,
    MOVING,
    NO_DOORS,
    NO_FORMS,
    Door,
    send,
)
from tests.gates.story import UNCLEAR, Story

STARTING = {
    "start",
    "start_form",
    "change_traffic",
    "undo_traffic",
    "traffic_form",
    "undo_form",
}  # what they could bring back is version 2, which was archived


def test_every_declared_door_is_driven_here_and_everything_else_says_why_it_is_none() -> None:
    learn_refusals()
    declared = Endpoint.declared.items()
    unsafe = {key for key, each in declared if key[0] != "GET" and key[1].split("/")[2] not in FAR}
    marked = {key for key, each in declared if each.guarded}

    assert marked == set(DOORS)
    assert unsafe - marked == set(NO_DOORS)


def test_only_the_two_services_that_ask_the_gates_move_anything() -> None:
    source = Path(taxiway.__file__).parent
    texts = {str(file.relative_to(source)): file.read_text(encoding="utf-8") for file in source.rglob("*.py")}
    found = {(pattern, name) for name, text in texts.items() for pattern in MOVING if re.search(pattern, text)}

    assert found == set(MOVING.items())


def test_every_call_of_the_dialect_that_could_move_a_version_is_driven_here(story: Story) -> None:
    rooms = (f"{MLFLOW}/registered-models", f"{MLFLOW}/model-versions")
    calls = {(call.method, call.path): call for call in Call.declared if call.path.startswith(rooms)}
    marked = {(call.method, call.path) for call in Call.declared if call.guarded}

    assert marked == set(MLFLOW_DOORS)
    assert {key for key in calls if key[0] != "GET"} - marked == set(MLFLOW_NO_DOORS)


def test_every_form_of_the_pages_that_could_move_a_version_is_driven_here(story: Story) -> None:
    routes = [route for route in build(story.live.house).routes if isinstance(route, Route)]
    posted = {route.path for route in routes if "POST" in (route.methods or ())}
    forms = {path for path in posted if path.startswith(("/models/", "/endpoints/"))}

    assert forms == set(FORMS) | set(NO_FORMS)


@pytest.mark.parametrize("door", [*DOORS.values(), *FORMS.values(), *itertools.chain(*MLFLOW_DOORS.values())])
def test_a_door_leads_to_the_gate_and_nothing_moves(story: Story, door: Door) -> None:
    story.ready(UNCLEAR)
    asked = door.__name__ in STARTING
    told = door(story)

    if door.__name__ == "break_glass":
        assert told.startswith("GlassKept: ")
    else:
        version = "mortgage@2" if asked else "mortgage@1"
        with pytest.raises(GateClosed) as refusal:
            story.ana.models.promote(version, "production")
        for line in (" ".join(line.split()) for line in str(refusal.value).replace("`", "").splitlines()):
            assert line.removeprefix("- ") in html.unescape(told.replace("`", ""))
    found = story.ana.models.find("mortgage@1")
    assert (found.stage, found.aliases) == ("none", [])
    assert [each for each in story.live.client.endpoints.list() if each.state != "stopped"] == []


def test_a_champion_is_not_taken_down_by_hand(story: Story) -> None:
    story.ready()
    story.vera.gates.approve("mortgage@1", comment="seen")
    story.ana.models.promote("mortgage@1", "production")

    with pytest.raises(AliasGuarded):
        story.ana.models.drop_alias("mortgage", "champion")


def test_the_refusal_is_the_same_over_sdk_rest_and_command_line(
    story: Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    story.ready(UNCLEAR)
    token = story.live.client.access.make_token("ana").token

    with pytest.raises(GateClosed) as sdk:
        story.ana.models.promote("mortgage@1", "production")
    status, rest = send(story, "ana", "POST", "/api/models/mortgage/versions/1/stage", {"stage": "production"})
    monkeypatch.setenv("TAXIWAY_URL", story.live.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", token)
    code = main(["models", "promote", "mortgage@1", "production"])

    assert status == 409
    assert rest["error"] == "GateClosed"
    assert rest["detail"] == str(sdk.value)
    assert code == 1
    assert capsys.readouterr().err == f"taxiway: {sdk.value}\n"


def test_the_refusal_names_gate_number_and_next_step(story: Story) -> None:
    story.ready(UNCLEAR)

    with pytest.raises(GateClosed) as refusal:
        story.ana.models.promote("mortgage@1", "production")

    told = str(refusal.value).splitlines()
    assert told[0] == "mortgage v1 may not enter production: 2 gates are not open."
    assert told[1].startswith("- fairness, before staging: inconclusive. Selection-rate ratio by race 0.83 [")
    assert told[1].endswith("Evaluate on more rows, or log a mitigated model as a new version.")
    assert told[2].startswith("- approvals, before production: missing. 0 of 1 approvals count, by validator.")
    assert told[3] == "`taxiway gates show mortgage@1` shows all of them."


def test_a_guarded_alias_says_which_stage_moves_it(story: Story) -> None:
    story.ready()
    story.vera.gates.approve("mortgage@1", comment="seen")

    with pytest.raises(AliasGuarded, match="taxiway models promote mortgage@1 production"):
        story.ana.models.point_alias("mortgage", "champion", version=1)

    assert story.live.last_verb() == "models.point_alias.refused"


def test_the_command_line_shows_a_table_of_verdicts(
    story: Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    story.ready(UNCLEAR)
    monkeypatch.setenv("TAXIWAY_URL", story.live.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", story.live.client.access.make_token("ana").token)

    shown, evaluated = main(["gates", "show", "mortgage", "1"]), main(["gates", "evaluate", "mortgage@1"])

    told = capsys.readouterr().out
    assert (shown, evaluated) == (0, 1)
    assert "mortgage v1 on strict@1, now in: none" in told
    assert "▲ inconclusive" in told
    assert "selection-rate ratio by race at least 0.8" in told
    assert "staging: closed, production: closed" in told
