"""Every door that could move a version ends at the same gates, and says the same."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from taxiway.cli import main
from taxiway.client import learn_refusals
from taxiway.endpoints import contract as endpoints
from taxiway.endpoints.contract import Deploy, StartEndpoint
from taxiway.gates.refusals import GateClosed
from taxiway.kernel.endpoint import Endpoint
from taxiway.kernel.errors import NotFound, TaxiwayError
from taxiway.models import contract
from taxiway.models.contract import PointAlias, Promote
from taxiway.models.refusals import AliasGuarded
from tests.gates.story import PROJECT, UNCLEAR, Story

GUARDED = ("models.promote", "endpoints.deploy")  # the permissions to move a version, and to let one answer
Door = Callable[[Story], object]


def promote(story: Story) -> object:
    return story.ana.transport.call(contract.promote, Promote(stage="production"), model="mortgage", version="1")


def point_alias(story: Story) -> object:
    return story.ana.transport.call(contract.point_alias, PointAlias(version=1), model="mortgage", alias="champion")


def drop_alias(story: Story) -> object:
    """A champion that got there by the path may not be taken down by hand."""
    story.ready()
    story.vera.gates.approve("mortgage@2", comment="seen")
    story.ana.models.promote("mortgage@2", "production")
    return story.ana.transport.call(contract.drop_alias, model="mortgage", alias="champion")


def deploy(story: Story) -> object:
    otto = story.live.as_person("otto", "operator", project=PROJECT)
    return otto.transport.call(endpoints.deploy, Deploy("mortgage", PROJECT, version="mortgage@1"))


def start(story: Story) -> object:
    """Starting takes up what was deployed before, and there is nothing: no version comes in this way."""
    return story.olga.transport.call(endpoints.start_endpoint, StartEndpoint(), endpoint="mortgage")


# Each endpoint that can change what stands on the path or answers, and what a version with closed gates meets there.
# A new one belongs in here, with the refusal that shows where it leads.
DOORS: dict[tuple[str, str], tuple[Door, type[TaxiwayError]]] = {
    ("POST", "/api/models/{model}/versions/{version}/stage"): (promote, GateClosed),
    ("PUT", "/api/models/{model}/aliases/{alias}"): (point_alias, AliasGuarded),
    ("DELETE", "/api/models/{model}/aliases/{alias}"): (drop_alias, AliasGuarded),
    ("POST", "/api/endpoints"): (deploy, GateClosed),
    ("POST", "/api/endpoints/{endpoint}/start"): (start, NotFound),
}


def test_every_declared_door_is_known_here() -> None:
    learn_refusals()
    declared = {key for key, endpoint in Endpoint.declared.items() if endpoint.needs in GUARDED}

    assert declared == set(DOORS)


@pytest.mark.parametrize("door", list(DOORS))
def test_a_door_leads_to_the_gate(story: Story, door: tuple[str, str]) -> None:
    act, refusal = DOORS[door]
    story.version(UNCLEAR)

    with pytest.raises(refusal):
        act(story)

    assert story.ana.models.find("mortgage@1").stage == "none"
    assert story.ana.models.find("mortgage@1").aliases == []


def test_the_refusal_is_the_same_over_sdk_rest_and_command_line(
    story: Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    story.ready(UNCLEAR)
    token = story.live.client.access.make_token("ana").token

    with pytest.raises(GateClosed) as sdk:
        story.ana.models.promote("mortgage@1", "production")
    status, rest = post(story.live.url + "/api/models/mortgage/versions/1/stage", token, {"stage": "production"})
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
    story.version(UNCLEAR)

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


def post(url: str, token: str, body: object) -> tuple[int, dict[str, object]]:
    """A change as any program would ask for it, without the SDK."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    connection.request("POST", parts.path, json.dumps(body), headers)
    answer = connection.getresponse()
    found = json.loads(answer.read())
    connection.close()
    return answer.status, found
