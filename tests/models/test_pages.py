"""The pages of models, over plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gates.browse import VERSION, said, visit
from tests.gates.story import FAIR, PROJECT, Story
from tests.support.kept import Kept


@pytest.fixture
def story(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    monkeypatch.chdir(tmp_path)
    with kept.again(Story, tmp_path) as story:
        yield story


def test_an_empty_list_teaches_the_first_command(story: Story) -> None:
    text = visit(story, "ana").get("/models").text

    assert "No model yet" in text
    assert "taxiway run -- python train.py" in text


def test_the_list_shows_what_is_live_what_is_newest_and_how_it_stands(story: Story) -> None:
    approved(story)
    story.version(FAIR)

    text = said(visit(story, "ana").get("/models").text)

    assert "1 model, 1 in production" in text
    assert "mortgage mortgages version 1 version 2" in text
    assert "were not measured and 1 approval is missing" in text


def test_models_of_other_projects_are_not_listed(story: Story) -> None:
    story.version(FAIR)
    story.live.as_person("eve")
    eve = visit(story, "eve")

    assert "No model yet" in eve.get("/models").text
    assert eve.get(VERSION).status == 404


def test_a_model_shows_each_version_on_its_way(story: Story) -> None:
    approved(story)
    story.version(FAIR)

    text = visit(story, "ana").get("/models/mortgage").text

    assert "Version 1 of mortgage is in production." in said(text)
    assert text.count("The way of mortgage version") >= 2
    assert "champion" in said(text)
    assert 'name="version" value="2"' in text


def test_a_version_is_found_by_its_alias(story: Story) -> None:
    approved(story)

    page = visit(story, "ana").get("/models/mortgage/versions/champion")

    assert page.status == 200
    assert "Version 1 is in production" in said(page.text)


def test_an_unknown_version_is_a_page_of_its_own(story: Story) -> None:
    story.version(FAIR)

    missing = visit(story, "ana").get("/models/mortgage/versions/9")

    assert missing.status == 404
    assert "taxiway models versions mortgage" in missing.text


def test_an_approved_version_is_moved_with_a_reason_that_stays(story: Story) -> None:
    story.ready()
    story.vera.gates.approve("mortgage", comment="good")
    ana = visit(story, "ana")

    done = ana.send(f"{VERSION}/stage", page=VERSION, stage="production", reason="fair at last")

    text = said(ana.get(VERSION).text)
    assert done.to == VERSION
    assert "Version 1 is in production" in text
    assert "Moved to production by ana: fair at last" in text


def test_the_card_marks_what_is_recorded_entered_and_missing(story: Story) -> None:
    story.version(FAIR)
    ana = visit(story, "ana")

    ana.send(f"{VERSION}/card", page=VERSION, limits="Boston <only>")

    text = ana.get(VERSION).text
    card = {field.name: field for field in story.ana.models.card("mortgage").fields}
    assert (card["limits"].value, card["limits"].source) == ("Boston <only>", "entered")
    assert "Boston &lt;only&gt;" in text
    assert "nobody has said it yet" in text
    assert "recorded fields, which nobody can write" in said(text)


def test_every_byte_is_checked_with_a_button(story: Story) -> None:
    story.version(FAIR)

    checked = visit(story, "ana").send(f"{VERSION}/verification", page=VERSION)

    assert checked.status == 200
    assert "Every byte is what was registered." in checked.text


def test_a_flipped_byte_is_named_on_the_page(story: Story) -> None:
    version = story.version(FAIR)
    flip(story.live.house.models.shelf.place(version.bundle) / "model.bin")

    refused = visit(story, "ana").send(f"{VERSION}/verification", page=VERSION)

    assert refused.status == 409
    assert "model.bin is not the file that was approved" in said(refused.text)
    assert story.live.last_verb() == "models.verify.refused"


def test_what_changed_since_the_champion_is_shown(story: Story) -> None:
    approved(story)
    story.version(FAIR, right=0.95)

    text = said(visit(story, "ana").get("/models/mortgage/versions/2").text)

    assert "What changed since version 1 which is in production" in text
    assert "accuracy 0.9000 0.9500 better +0.0500" in text


def test_an_alias_is_pointed_and_a_guarded_one_refused(story: Story) -> None:
    story.version(FAIR)
    ana = visit(story, "ana")

    done = ana.send("/models/mortgage/aliases", page="/models/mortgage", alias="candidate", version="1")
    refused = ana.send("/models/mortgage/aliases", page="/models/mortgage", alias="champion", version="1")

    assert done.to == "/models/mortgage#aliases"
    assert story.ana.models.find("mortgage@candidate").version == 1
    assert refused.status == 409
    assert "mortgage v1 may not enter production" in said(refused.text)


def test_comparing_one_version_is_refused_in_words(story: Story) -> None:
    story.version(FAIR)

    refused = visit(story, "ana").get("/models/mortgage/compare?version=1")

    assert refused.status == 400
    assert "two or more versions to compare" in said(refused.text)


def test_a_project_shows_its_models(story: Story) -> None:
    olga = visit(story, "olga")
    before = olga.get(f"/projects/{PROJECT}").text
    story.version(FAIR)

    after = olga.get(f"/projects/{PROJECT}").text

    assert 'id="models"' not in before
    assert 'id="models"' in after
    assert 'href="/models/mortgage/versions/1"' in after


def test_models_are_found_by_the_search(story: Story) -> None:
    story.version(FAIR)

    assert 'href="/models/mortgage"' in visit(story, "ana").get("/search?q=mort").text


def approved(story: Story) -> None:
    """Version 1, in production."""
    story.ready()
    story.vera.gates.approve("mortgage@1", comment="good")
    story.ana.models.promote("mortgage@1", "production")
    assert story.ana.models.show("mortgage").project == PROJECT


def flip(file: Path) -> None:
    """Changes one byte of a file that is linked from elsewhere, in a copy of its own."""
    data = bytearray(file.read_bytes())
    data[0] ^= 1
    folder = file.parent
    folder.chmod(0o755)
    file.unlink()
    file.write_bytes(bytes(data))
