"""The page of one model version: how it stands, what is known of it, where it came from, and what may be done."""

from __future__ import annotations

from typing import Any

from taxiway.access.service import Access
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.kernel.problems import convert
from taxiway.models.bundles.bundle import Manifest
from taxiway.models.contract import ChangeVersion, EnterCard, ModelVersion, Promote, StageEntry, Verified
from taxiway.models.describing.card import HUMAN
from taxiway.models.describing.changes import Changes, changes
from taxiway.models.describing.outlook import Judge, unjudged, without_bundle
from taxiway.models.names import page_of
from taxiway.models.service import Models
from taxiway.runs.comparison import Comparisons
from taxiway.runs.contract import Run
from taxiway.web.site import Html, Redirect, Site, View

HINTS = {
    "intended_use": "For what and by whom; what it must not be used for.",
    "limits": "Where it errs, on whom, and outside of which data it knows nothing.",
    "ethical_considerations": "What could go wrong for people, and what was done about it.",
    "who_is_affected": "Whose life its answers touch, also of those who never meet it.",
    "contact": "Whom to write to about it.",
}
STORIES = {
    "none": "Registered by {by}",
    "staging": "Moved to staging by {by}",
    "production": "Moved to production by {by}",
    "archived": "Archived by {by}",
}
MOVES = {"archived": "out of the way, to the archive"}


class VersionPage:
    def __init__(self, site: Site, models: Models, comparisons: Comparisons, access: Access) -> None:
        self.site = site
        self.models = models
        self.comparisons = comparisons
        self.access = access
        self.judge: Judge = unjudged

    def show(self, view: View) -> Html:
        return self._page(view, None)

    def _page(self, view: View, verified: Verified | None) -> Html:
        model, asked = view.path["model"], view.path["version"]
        version = self.models.find(model, asked)
        caller, number = view.caller, str(version.version)

        def may(needs: str) -> bool:
            return self.access.is_allowed(caller, needs, version.project)

        outlook = self.judge(caller, version) if version.bundle else without_bundle(version)
        manifest = self.models.manifest(caller, model=model, version=number) if version.bundle else None
        values = {
            "title": f"{model} version {number}",
            "project": version.project,
            "version": version,
            "page": page_of(model, number),
            "outlook": outlook,
            "stages": [(stage, MOVES.get(stage, f"to {stage}")) for stage in outlook.stages],
            "card": self.models.cards.show(caller, model=model, version=number),
            "human": [(name, title, HINTS[name]) for name, title in HUMAN.items()],
            "manifest": manifest,
            "twin": manifest.twin if manifest is not None else None,
            "origin": self._origin(version, manifest),
            "run": self._run(version),
            "since": self._changes(caller, version),
            "other": self._other(caller, version),
            "story": story(self.models.stages(caller, model=model, version=number).items),
            "lead": self.site.drawn("models/version/lead", view, version.ref),
            "panels": self.site.drawn("models/version", view, version.ref),
            "deciding": self.site.drawn("models/version/decide", view, version.ref),
            "beside": self.site.drawn("models/version/side", view, version.ref),
            "may_promote": may("models.promote"),
            "may_write": may("models.write"),
            "verified": verified,
            "sent": view.sent,
        }
        return Html("models/version.html", "models", values)

    def _origin(self, version: ModelVersion, manifest: Manifest | None) -> ModelVersion | None:
        """The version that this one is with a twin added."""
        before = manifest.twin.made_from if manifest is not None and manifest.twin is not None else ""
        return self.models.with_bundle(version.model, before) if before else None

    def _run(self, version: ModelVersion) -> Run | None:
        try:
            return self.models.sources.runs.find(version.run) if version.run else None
        except NotFound:
            return None

    def _changes(self, caller: Caller, version: ModelVersion) -> Changes | None:
        """What is different from the version in production, or else from the one before."""
        against = self._other(caller, version)
        if against is None or (against.stage != "production" and against.version > version.version):
            return None
        return changes(caller, [against, version], self.comparisons)

    def _other(self, caller: Caller, version: ModelVersion) -> ModelVersion | None:
        """What to hold it against: the version in production, the one before, or the newest there is."""
        others = [each for each in self.models.versions(caller, model=version.model).items if each != version]
        live = next((each for each in others if each.stage == "production"), None)
        before = next((each for each in others if each.version < version.version), None)
        return live or before or next(iter(others), None)

    # --- what its forms do ---

    def promote(self, view: View, fields: dict[str, str]) -> Redirect:
        model, version = view.path["model"], view.path["version"]
        body = convert({"stage": fields.get("stage", ""), "reason": fields.get("reason", "").strip()}, Promote)
        moved = self.models.promote(view.caller, body, model=model, version=version)
        return Redirect(page_of(moved.model, moved.version))

    def describe(self, view: View, fields: dict[str, str]) -> Redirect:
        """Keeps the description; a tag is set where the form names one, and taken away where it is left empty."""
        model, version = view.path["model"], view.path["version"]
        body = ChangeVersion(**described(fields))
        self.models.catalogue.change_version(view.caller, body, model=model, version=version)
        return Redirect(f"{page_of(model, version)}#about")

    def seal(self, view: View, fields: dict[str, str]) -> Redirect:
        model, version = view.path["model"], view.path["version"]
        self.models.sourced.seal(view.caller, model=model, version=version)
        return Redirect(page_of(model, version))

    def delete(self, view: View, fields: dict[str, str]) -> Redirect:
        model, version = view.path["model"], view.path["version"]
        self.models.catalogue.delete_version(view.caller, model=model, version=version)
        return Redirect(page_of(model))

    def enter_card(self, view: View, fields: dict[str, str]) -> Redirect:
        model, version = view.path["model"], view.path["version"]
        given: dict[str, Any] = {name: text for name, text in fields.items() if name in HUMAN}
        self.models.cards.enter(view.caller, EnterCard(fields=given), model=model, version=version)
        return Redirect(f"{page_of(model, version)}#card")

    def verify(self, view: View, fields: dict[str, str]) -> Html:
        """Checks every byte and says so on the page."""
        verified = self.models.verify(view.caller, model=view.path["model"], version=view.path["version"])
        return self._page(view, verified)


def described(fields: dict[str, str]) -> dict[str, Any]:
    """What a form says of a model or a version: its description, and one tag to set or to take away."""
    said: dict[str, Any] = {"description": fields.get("description", "").strip()}
    if key := fields.get("tag", "").strip():
        value = fields.get("value", "").strip()
        said |= {"tags": {key: value}} if value else {"untag": [key]}
    return said


def story(entries: list[StageEntry]) -> list[tuple[Any, str, bool]]:
    """The stages it was moved to, the latest first."""
    found = []
    for index, entry in enumerate(reversed(entries)):
        words = STORIES[entry.stage].format(by=entry.by)
        found.append((entry.entered_at, f"{words}: {entry.reason}" if entry.reason else words, index == 0))
    return found
