"""The gate `review_threads`: an open discussion of a version, or of what it came from, keeps it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxiway.gates.checks.review_threads import ReviewThreadsAsk, things_of
from taxiway.gates.refusals import GateClosed
from tests.gates.story import PATH, Story
from tests.support.live import Live

WATCHED = PATH.replace(
    "    - card: {complete: true}\n",
    "    - card: {complete: true}\n    - review_threads: {of: [version, run, datasets]}\n",
)


def test_an_open_discussion_of_a_version_or_its_parts_keeps_it_from_production(
    sqlite_live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    story = Story(sqlite_live, tmp_path, WATCHED)
    story.ready()
    version = story.ana.models.find("mortgage@1")
    story.vera.gates.approve("mortgage@1", comment="seen")
    things = (version.ref, f"run:{version.run}", version.datasets[0])

    for thing in things:
        thread = story.vito.discussions.ask(thing, "Is this right, @ana?", people=["vera"])
        with pytest.raises(GateClosed) as refusal:
            story.ana.models.promote("mortgage@1", "production")
        [unmet] = refusal.value.unmet
        assert (unmet.gate, unmet.verdict) == ("review_threads", "fail")
        assert f"“Is this right, @ana?” (vito, about {thing}, waits for vera)" in unmet.sentence
        story.vera.discussions.reply(thread.id, answer="agree")

    assert story.ana.models.promote("mortgage@1", "production").stage == "production"


@pytest.mark.parametrize("of", [[], ["people"]])
def test_a_path_that_asks_for_no_part_is_refused(sqlite_live: Live, of: list[str]) -> None:
    text = f"path: odd\napplies_to: {{risk: [low]}}\nstages:\n  staging:\n    - review_threads: {{of: {of}}}\n"

    with pytest.raises(Exception, match="review_threads"):
        sqlite_live.client.gates.publish(text)


def test_without_parameters_the_version_alone_counts() -> None:
    version = type("Version", (), {"ref": "model:m@1", "model": "m", "run": None, "datasets": ["dataset:p/d@1"]})()

    assert things_of(ReviewThreadsAsk().of, version) == ["model:m@1"]
    assert things_of(["model", "run", "datasets", "model"], version) == ["model:m", "dataset:p/d@1"]
