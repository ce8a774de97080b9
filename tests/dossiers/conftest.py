"""A version that took its path, asked about from every side."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from taxiway.dossiers.documents.facts import Facts
from taxiway.kernel.caller import SYSTEM
from tests.gates.story import CARD, FAIR, Story
from tests.support.kept import Kept

HOSTILE = "<script>alert(1)</script> | [x](javascript:y) & \u202egnp"


@pytest.fixture(scope="module")
def written(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A story with a version in production, whose card holds hostile text."""
    folder = tmp_path_factory.mktemp("written")
    with pytest.MonkeyPatch.context() as patch, kept.again(Story, folder) as story:
        patch.chdir(folder)
        story.version(FAIR)
        story.ana.models.enter_card("mortgage@1", **{**CARD, "limits": HOSTILE})
        story.ana.gates.evaluate("mortgage@1")
        story.vera.gates.approve("mortgage@1", comment="looked at the groups", stage="production")
        story.ana.models.promote("mortgage@1", "production", reason="it is fair")
        yield story


@pytest.fixture(scope="module")
def facts(written: Story) -> Facts:
    return written.live.house.documents.facts(SYSTEM, model="mortgage", version="1")
