"""What the pages of models say of a version's way, asked of whoever judges it: models draw, gates know."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Struct

from taxiway.kernel.caller import Caller
from taxiway.models.contract import ModelVersion
from taxiway.web.figures.path import PathDrawing


class NextStep(Struct, frozen=True):
    """The one thing to do next: a link, or with `does` a form that is sent to `url`."""

    text: str
    url: str
    does: bool = False


class Outlook(Struct, frozen=True, kw_only=True):
    """How a version stands: one sentence, the verdict that matters most, its path, and what the reader can do next.

    short: the same in a few words, for a table. waits: who is needed. stages: those it could be moved to now, or
    tried to be.
    """

    sentence: str
    verdict: str = ""
    short: str = ""
    detail: str = ""
    path: PathDrawing | None = None
    next: NextStep | None = None
    waits: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()

    @property
    def small(self) -> PathDrawing | None:
        """The path for a table's cell."""
        return msgspec.structs.replace(self.path, is_small=True) if self.path else None


Judge = Callable[[Caller, ModelVersion], Outlook]


def unjudged(caller: Caller, version: ModelVersion) -> Outlook:
    """What is known where nobody judges: the stage."""
    place = {"none": "is registered", "archived": "is archived"}.get(version.stage, f"is in {version.stage}")
    return Outlook(sentence=f"Version {version.version} {place}", short=place.removeprefix("is "))


def without_bundle(version: ModelVersion) -> Outlook:
    """What is known of a version that only names its source: there is nothing to judge."""
    known = unjudged(Caller(name="", kind="local"), version)
    detail = version.unfit[:1].upper() + version.unfit[1:]
    stages = ("production", "staging", "archived")
    return msgspec.structs.replace(
        known,
        sentence=f"{known.sentence}; it has no bundle",
        short="no bundle",
        verdict="missing",
        detail=detail,
        stages=tuple(stage for stage in stages if stage != version.stage),
    )
