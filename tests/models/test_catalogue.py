"""Names of models: described, tagged, renamed and deleted, whatever they are called."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import AlreadyExists, BadField, NotAllowed, NotFound
from taxiway.models.contract import CreateModel, ModelVersion, Promote
from taxiway.models.logged.contract import LogModel
from taxiway.models.refusals import NoBundle, NumbersTaken, StillStands
from tests.support.live import Live, running
from tests.web.browse import Visitor

ODD = 'risk 100% "für" <b>?#&'
OWNER = Caller(name="local", kind="local", is_admin=True)


@pytest.fixture(scope="module")
def open_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server without sign-in, whose tests make models of their own."""
    with running(tmp_path_factory.mktemp("catalogue") / "home", login=False) as live:
        yield live


def labelled(live: Live, name: str, versions: int = 1) -> list[ModelVersion]:
    """A model whose versions only name a source."""
    live.house.models.catalogue.create(OWNER, CreateModel("default", name), is_wide=True)
    return [live.client.models.register_source(name, f"made elsewhere {number}") for number in range(versions)]


def test_what_is_said_of_a_model_and_its_versions_stays(open_house: Live) -> None:
    models = open_house.client.models
    labelled(open_house, "said")

    models.describe("said", description="who repays", tags={"team": "risk", "level": ""})
    models.describe("said@1", tags={"a": "1", "b": "2"})
    models.describe("said@1", description="the first", untag=["a", "never there"])

    model, version = models.show("said"), models.find("said@1")
    assert (model.description, model.tags, model.newest) == ("who repays", {"level": "", "team": "risk"}, 1)
    assert (version.description, version.tags) == ("the first", {"b": "2"})
    entry = open_house.client.audit.entries(limit=1).items[0]
    assert (entry.verb, entry.thing) == ("models.describe", "model:said@1")


def test_everything_follows_a_new_name(open_house: Live) -> None:
    models = open_house.client.models
    labelled(open_house, "before", versions=2)
    models.point_alias("before", "blue", version=1)
    models.describe("before@2", tags={"kept": "yes"})
    models.promote("before@2", "staging")

    renamed = models.rename("before", "after")

    assert (renamed.name, renamed.newest, renamed.aliases) == ("after", 2, {"blue": 1})
    assert models.find("after@2").tags == {"kept": "yes"}
    assert [entry.stage for entry in models.stages("after@2")] == ["none", "staging"]
    assert models.find("after@blue").version == 1
    with pytest.raises(NotFound):
        models.show("before")
    verbs = [entry.verb for entry in open_house.client.audit.entries(limit=2).items]
    assert verbs == ["models.rename", "models.rename"]
    assert labelled(open_house, "before")[0].version == 1


def test_a_name_that_is_taken_is_not_given_twice(open_house: Live) -> None:
    models = open_house.client.models
    labelled(open_house, "taken")
    labelled(open_house, "was-taken")
    models.delete("was-taken")
    labelled(open_house, "wants-a-name")

    with pytest.raises(AlreadyExists):
        models.rename("wants-a-name", "taken")
    with pytest.raises(NumbersTaken):
        models.rename("wants-a-name", "was-taken")
    with pytest.raises(AlreadyExists):
        models.create("taken", project="default")


def test_numbers_are_never_given_again(open_house: Live) -> None:
    models = open_house.client.models
    labelled(open_house, "numbers", versions=3)

    models.delete("numbers@3")
    after_one = models.register_source("numbers", "again").version
    models.delete("numbers")
    [after_all] = labelled(open_house, "numbers")

    assert (after_one, after_all.version) == (4, 5)
    assert [each.version for each in models.versions("numbers")] == [5]
    with pytest.raises(NotFound):
        models.find("numbers@1")
    assert open_house.house.models.recall("numbers", 1).deleted_at is not None


def test_what_is_in_production_is_archived_before_it_is_deleted(open_house: Live) -> None:
    models = open_house.client.models
    labelled(open_house, "live")
    models.promote("live@1", "production")

    with pytest.raises(StillStands, match="Archive it first"):
        models.delete("live@1")
    with pytest.raises(StillStands):
        models.delete("live")
    models.promote("live@1", "archived", reason="over")

    assert models.delete("live").versions == [1]


def test_room_is_made_in_the_same_change(open_house: Live) -> None:
    models = open_house.client.models
    labelled(open_house, "room", versions=2)
    models.promote("room@1", "production")

    models.promote("room@2", "production", archive_others=True)

    assert [(each.version, each.stage) for each in models.versions("room")] == [(2, "production"), (1, "archived")]


def test_a_label_is_refused_for_what_needs_a_model(open_house: Live) -> None:
    client = open_house.client
    labelled(open_house, "label")

    for act in (
        lambda: client.endpoints.deploy("label", "label@1"),
        lambda: client.models.verify("label@1"),
        lambda: client.models.manifest("label@1"),
        lambda: client.gates.evaluate("label@1"),
        lambda: client.models.seal("label@1"),
    ):
        with pytest.raises(NoBundle, match="it only names its source, 'made elsewhere 0'"):
            act()


@pytest.mark.parametrize("name", [ODD, "..a", "a b", "ünïcode", "x" * 300, "a@b", "100%25"])
def test_odd_names_have_pages_and_addresses(open_house: Live, name: str) -> None:
    labelled(open_house, name)
    page = f"/models/{quote(name, safe='')}"
    visitor = Visitor(open_house.url)

    answers = [visitor.ask("GET", path) for path in ("/models", page, f"{page}/versions/1", f"/api{page}/versions/1")]

    assert [answer.status for answer in answers] == [200] * 4
    assert f'href="{page}/versions/1"' in answers[1].text
    assert "<b>?#" not in answers[1].text
    assert open_house.client.models.find(f"{name}@1").model == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a:b", "a\nb", "a\x00b", "x" * 301, " "])
def test_names_that_no_address_holds_are_refused(open_house: Live, name: str) -> None:
    with pytest.raises(BadField):
        open_house.house.models.catalogue.create(OWNER, CreateModel("default", name), is_wide=True)


def test_a_page_says_that_a_model_has_no_version_and_that_a_version_has_no_bundle(open_house: Live) -> None:
    open_house.client.models.create("empty", project="default", description="to come")
    labelled(open_house, "bare")
    visitor = Visitor(open_house.url)

    empty, bare = visitor.ask("GET", "/models/empty").text, visitor.ask("GET", "/models/bare/versions/1").text

    assert "No version yet" in empty
    assert "to come" in empty
    assert "it has no bundle" in bare
    assert "Look for its files again" in bare


def test_deleting_what_once_moved_is_for_who_may_archive_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("rights") / "home") as live:
        live.client.projects.create("lending", risk="low")
        con = live.as_person("con", "contributor", project="lending")
        eve = live.as_person("eve", "viewer", project="lending")
        con.models.create("loans", project="lending")
        for _ in range(2):
            con.models.register_source("loans", "made elsewhere")
        live.house.models.promote(OWNER, Promote("archived"), model="loans", version="2")

        with pytest.raises(NotAllowed):
            eve.models.delete("loans@1")
        with pytest.raises(NotAllowed):
            con.models.delete("loans@2")
        with pytest.raises(NotAllowed):
            eve.models.describe("loans", description="mine")

        assert con.models.delete("loans@1").versions == [1]


def test_a_runs_page_shows_what_it_made(open_house: Live, tmp_path: Path) -> None:
    logged = open_house.house.models.logged
    with open_house.client.runs.start(project="default", source=tmp_path) as run:
        logged.create(OWNER, LogModel(project="default", experiment=0, name="first try", kind="tree", run=run.id))
    labelled(open_house, "made")
    open_house.client.models.register_source("made", "by hand", run=run.id)

    page = Visitor(open_house.url).ask("GET", f"/runs/{run.id}").text

    assert "Models it made" in page
    assert 'href="/models/made/versions/2"' in page
    assert "first try" in page
