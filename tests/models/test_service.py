"""Versions: what is registered is what was sent, and what stands on the shelf is what was registered."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from msgspec.structs import replace

from taxiway.gates.refusals import GateClosed
from taxiway.kernel.errors import BadField, NotFound
from taxiway.models import contract
from taxiway.models.bundles.bundle import BundleTampered, read_manifest, verify_bundle
from taxiway.models.contract import EnterCard, RegisterVersion
from taxiway.models.refusals import AliasGuarded, BundleDiffers, EvaluationUnfit, ModelElsewhere, RunElsewhere
from taxiway.storage.blobs import DigestMismatch
from tests.gates.story import CARD, FAIR, PROJECT, Story, table
from tests.support.kept import Kept
from tests.support.postgres import Postgres


@pytest.fixture
def story(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    monkeypatch.chdir(tmp_path)
    with kept.again(Story, tmp_path) as story:
        yield story


@pytest.fixture
def any_story(
    kept: Kept, either_database: Postgres | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Story]:
    monkeypatch.chdir(tmp_path)
    with kept.again(Story, tmp_path, either_database) as story:
        yield story


def test_a_version_is_its_bundle_with_run_data_and_evaluation(any_story: Story) -> None:
    version = any_story.version(FAIR)

    assert (version.model, version.version, version.stage, version.risk) == ("mortgage", 1, "none", "high")
    assert version.datasets == ["dataset:mortgages/loans@1"]
    assert version.evaluation is not None
    assert version.evaluation.rows == 2000
    assert any_story.ana.models.find("mortgage") == version
    assert any_story.ana.models.find("mortgage@1") == version
    assert [model.name for model in any_story.ana.models.list()] == ["mortgage"]


def test_a_version_comes_from_its_run_and_its_data(any_story: Story) -> None:
    version = any_story.version(FAIR)

    edges = {(edge.source, edge.verb, edge.target) for edge in any_story.ana.lineage.walk("model:mortgage@1").edges}

    assert (f"run:{version.run}", "produced", "model:mortgage@1") in edges
    assert ("dataset:mortgages/loans@1", "trained", "model:mortgage@1") in edges
    assert ("dataset:mortgages/loans@1", "judged", "model:mortgage@1") in edges


def test_the_same_bundle_again_is_the_version_there_is(any_story: Story) -> None:
    folder = any_story.bundle("mortgage")

    first = any_story.ana.models.register(folder, project=PROJECT)
    again = any_story.ana.models.register(folder, project=PROJECT)

    assert again == first
    assert len(any_story.ana.models.versions("mortgage")) == 1


def test_the_shelf_holds_the_bundle_read_only(story: Story) -> None:
    version = story.version(FAIR)
    place = story.live.house.shelf.place(version.bundle)

    assert verify_bundle(place, version.bundle).manifest.name == "mortgage"
    assert (place / "model.bin").stat().st_mode & 0o777 == 0o444
    assert place.stat().st_mode & 0o777 == 0o555
    assert (place / "model.bin").stat().st_nlink == 2  # the blob's own bytes, not a copy


def test_a_manifest_that_was_changed_on_its_way_is_refused(story: Story) -> None:
    manifest = read_manifest(story.bundle("mortgage"))
    body = RegisterVersion(PROJECT, replace(manifest, threshold=0.4), "sha256:" + "0" * 64)

    with pytest.raises(BundleDiffers):
        story.ana.transport.call(contract.register_version, body)


def test_a_file_that_was_not_sent_is_named(story: Story) -> None:
    bundle = verify_bundle(story.bundle("mortgage"))
    body = RegisterVersion(PROJECT, bundle.manifest, bundle.digest)

    with pytest.raises(NotFound, match=r"Store the bytes of model\.bin first"):
        story.ana.transport.call(contract.register_version, body)

    assert list((story.live.house.home / "bundles").iterdir()) == []


def test_a_flipped_byte_on_the_shelf_is_found_and_entered_in_the_audit_log(any_story: Story) -> None:
    version = any_story.version(FAIR)
    assert any_story.ana.models.verify("mortgage@1").digest == version.bundle
    flip(any_story.live.house.shelf.place(version.bundle) / "model.bin")

    with pytest.raises(BundleTampered) as refusal:
        any_story.ana.models.verify("mortgage@1")

    assert refusal.value.file == "model.bin"
    assert any_story.live.last_verb() == "models.verify.refused"


def test_a_download_is_the_bundle_and_a_flipped_byte_in_it_is_named(story: Story, tmp_path: Path) -> None:
    version = story.version(FAIR)

    bundle = story.ana.models.download("mortgage@1", tmp_path / "copy")
    flip(bundle.folder / "weights" / "one.bin")

    assert bundle.digest == version.bundle
    with pytest.raises(BundleTampered) as refusal:
        verify_bundle(tmp_path / "copy", version.bundle)
    assert refusal.value.file == "weights/one.bin"


def test_a_tampered_copy_on_the_shelf_is_not_downloaded(story: Story, tmp_path: Path) -> None:
    version = story.version(FAIR)
    flip(story.live.house.shelf.place(version.bundle) / "model.bin")

    with pytest.raises(DigestMismatch, match=r"model\.bin"):
        story.ana.models.download("mortgage@1", tmp_path / "copy")

    assert not (tmp_path / "copy").exists()


def test_a_model_belongs_to_one_project(story: Story) -> None:
    story.version(FAIR)
    story.ana.projects.create("other", risk="high")

    with pytest.raises(ModelElsewhere):
        story.ana.models.register(story.bundle("mortgage"), project="other")


def test_a_run_of_another_project_made_no_version_of_this_one(story: Story) -> None:
    story.ana.projects.create("other", risk="high")
    with story.ana.runs.start(project="other") as run:
        folder = story.bundle("mortgage", run.id)

    with pytest.raises(RunElsewhere):
        story.ana.models.register(folder, project=PROJECT)


def test_unknown_data_and_another_tier_are_refused(story: Story) -> None:
    with pytest.raises(BadField, match="high, the tier of the project"):
        story.ana.models.register(story.bundle("mortgage", risk="low"), project=PROJECT)
    with pytest.raises(NotFound, match="dataset"):
        story.ana.models.register(story.bundle("mortgage", data=replace(story.data, digest=odd())), project=PROJECT)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("rows", 7, "2000"),
        ("groups", ["rase"], "no column 'rase'; give one of"),
        ("score", "probability", "no column 'probability'"),
        ("threshold", 0.4, "cut at 0.4, the model cuts at 0.5"),
        ("digest", "sha256:" + "9" * 64, "was not stored"),
    ],
)
def test_predictions_that_are_not_what_is_said_are_refused_by_field(
    story: Story, field: str, value: object, told: str
) -> None:
    with story.ana.runs.start(project=PROJECT) as run:
        good = run.log_predictions(table(FAIR), label="approve", prediction="said", score="score", groups=["race"])

    bad = replace(good, **{field: value})
    with pytest.raises(EvaluationUnfit) as refusal:
        story.ana.models.register(story.bundle("mortgage"), project=PROJECT, evaluation=bad)

    assert refusal.value.field == field
    assert told in str(refusal.value)


def test_a_file_that_is_no_table_judges_nothing(story: Story) -> None:
    with story.ana.runs.start(project=PROJECT) as run:
        artifact = run.log_artifact(b"not a table", "notes.txt")
        good = run.log_predictions(pa.table({"y": [1], "p": [1]}), label="y", prediction="p")

    bad = replace(good, digest=artifact.digest)
    with pytest.raises(EvaluationUnfit, match="a Parquet file"):
        story.ana.models.register(story.bundle("mortgage"), project=PROJECT, evaluation=bad)


def test_a_free_alias_points_and_is_taken_away(story: Story) -> None:
    story.version(FAIR)

    alias = story.ana.models.point_alias("mortgage", "candidate", version=1, reason="to show")
    found = story.ana.models.find("mortgage@candidate")
    story.ana.models.drop_alias("mortgage", "candidate")

    assert (alias.version, alias.moved_by, found.aliases) == (1, "ana", ["candidate"])
    with pytest.raises(NotFound, match="taxiway models versions mortgage"):
        story.ana.models.find("mortgage@candidate")


@pytest.mark.parametrize("alias", ["7", "newest", "archived", "none", "Two Words"])
def test_an_alias_is_a_name_that_is_no_version(story: Story, alias: str) -> None:
    story.version(FAIR)

    with pytest.raises(BadField):
        story.ana.models.point_alias("mortgage", alias, version=1)


@pytest.mark.parametrize("alias", ["champion", "Champion", "production", "STAGING"])
def test_an_alias_that_stands_for_a_stage_is_closed_with_its_gates(story: Story, alias: str) -> None:
    story.version(FAIR)

    with pytest.raises(GateClosed):
        story.ana.models.point_alias("mortgage", alias, version=1)


def test_with_open_gates_it_is_the_version_that_has_to_be_moved(story: Story) -> None:
    story.ready(FAIR)
    story.vera.gates.approve("mortgage@1", comment="seen")

    for alias in ("champion", "Champion", "production", "STAGING"):
        with pytest.raises(AliasGuarded, match="moves only with the stage"):
            story.ana.models.point_alias("mortgage", alias, version=1)


def test_the_card_is_recorded_where_it_can_be_and_missing_where_nobody_spoke(any_story: Story) -> None:
    any_story.version(FAIR)
    any_story.ana.gates.evaluate("mortgage")

    card = any_story.ana.models.card("mortgage")

    fields = {field.name: field for field in card.fields}
    assert fields["purpose"].value == "decide on mortgages"
    assert fields["metrics"].value == "accuracy 0.9"
    assert fields["training_data"].links == ["dataset:mortgages/loans@1"]
    assert "share selected by race: black 0.880 [0.858, 0.899] of 1,000" in fields["by_group"].value
    assert "accuracy 0.900 [0.886, 0.912]" in fields["measured"].value
    assert fields["threshold"].value == "yes from a score of 0.5 on"
    assert card.missing == list(CARD)


def test_a_card_says_who_entered_what_and_never_what_is_recorded(story: Story) -> None:
    story.version(FAIR)
    before = story.ana.models.card("mortgage")

    card = story.ana.models.enter_card("mortgage", limits="homes in Boston only")

    [limits] = [field for field in card.fields if field.name == "limits"]
    assert (limits.source, limits.by) == ("entered", "ana")
    assert card.digest != before.digest
    assert story.ana.models.enter_card("mortgage", limits="").digest == before.digest
    body = EnterCard({"metrics": "accuracy 0.99"})
    with pytest.raises(BadField, match="everything else on a card is recorded"):
        story.ana.transport.call(contract.enter_card, body, model="mortgage", version="1")


def flip(file: Path) -> None:
    """Changes one bit of a read-only file."""
    data = bytearray(file.read_bytes())
    data[0] ^= 1
    file.parent.chmod(0o755)
    beside = file.with_name("beside")
    beside.write_bytes(bytes(data))
    shutil.move(beside, file)


def odd() -> str:
    return "sha256:" + "5" * 64
