"""The pages of models: the list, one model, and what can be done to its aliases. One version is in `version_page`."""

from __future__ import annotations

from msgspec import Struct

from taxiway.access.service import Access
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField
from taxiway.kernel.problems import convert
from taxiway.kernel.thing import parse
from taxiway.models.contract import Alias, ChangeModel, ListModels, Model, ModelVersion, PointAlias
from taxiway.models.describing.changes import changes
from taxiway.models.describing.made import MadePanel
from taxiway.models.describing.outlook import Judge, Outlook, without_bundle
from taxiway.models.describing.version_page import VersionPage, described
from taxiway.models.names import page_of
from taxiway.models.service import Models
from taxiway.runs.comparison import Comparisons
from taxiway.web.site import Found, Html, Redirect, Site, View
from taxiway.web.words import listed, plural

SHOWN = 50


class ModelRow(Struct, frozen=True):
    """A model in the list. live: the version in production, None where none is. newest: None before any version."""

    model: Model
    newest: ModelVersion | None
    live: ModelVersion | None
    outlook: Outlook


class ModelPages:
    """`judge` is what the page says of a version's way; the gates set it."""

    def __init__(self, site: Site, models: Models, comparisons: Comparisons, access: Access) -> None:
        self.site = site
        self.models = models
        self.comparisons = comparisons
        self.access = access
        self.version = VersionPage(site, models, comparisons, access)

    def judged_by(self, judge: Judge) -> None:
        self.version.judge = judge

    # --- the list ---

    def all(self, view: View) -> Html:
        project, start = view.one("project"), max(view.number("from", 0), 0)
        found = self.models.list(view.caller, ListModels(project=project)).items
        rows = [self._row(view.caller, model) for model in found[start : start + SHOWN]]
        values = {
            "title": "Models",
            "rows": rows,
            "answer": answer_for_all(len(found), rows) if found else "No model yet",
            "within": project,
            "shown": f"{start + 1} to {start + len(rows)} of {len(found)}",
            "start": start,
            "has_more": start + SHOWN < len(found),
            "page_size": SHOWN,
            "url": view.url,
        }
        return Html("models/all.html", "models", values)

    def _row(self, caller: Caller, model: Model) -> ModelRow:
        versions = self.models.versions(caller, model=model.name).items
        live = next((version for version in versions if version.stage == "production"), None)
        newest = next(iter(versions), None)
        return ModelRow(model, newest, live, self._outlook(caller, newest))

    def _outlook(self, caller: Caller, version: ModelVersion | None) -> Outlook:
        if version is None:
            return Outlook(sentence="It has no version yet", short="no version yet")
        return self.version.judge(caller, version) if version.bundle else without_bundle(version)

    def find(self, caller: Caller, text: str, most: int) -> list[Found]:
        """Models whose name, project or alias holds the text."""
        wanted = text.lower()
        found = self.models.list(caller, ListModels()).items
        fitting = [m for m in found if wanted in f"{m.name} {m.project} {' '.join(m.aliases)}".lower()]
        return [Found(m.name, page_of(m.name), f"{plural(m.newest, 'version')}, {m.project}") for m in fitting[:most]]

    def in_project(self, view: View, thing: str) -> str | None:
        """The panel of a project's page: its models, if it has any."""
        found = self.models.list(view.caller, ListModels(project=parse(thing).name)).items
        if not found:
            return None
        rows = [self._row(view.caller, model) for model in found[:SHOWN]]
        return self.site.fragment("models/panel.html", rows=rows, project=parse(thing).name, count=len(found))

    # --- one model ---

    def show(self, view: View) -> Html:
        name: str = view.path["model"]
        model = self.models.show(view.caller, model=name)
        versions = self.models.versions(view.caller, model=name).items
        rows = [(version, self._outlook(view.caller, version)) for version in versions]
        live = next((version for version in versions if version.stage == "production"), None)
        values = {
            "title": name,
            "project": model.project,
            "model": model,
            "here": page_of(name),
            "may_write": self.access.is_allowed(view.caller, "models.write", model.project),
            "rows": rows,
            "live": live,
            "answer": answer_for_one(model, live, self._outlook(view.caller, versions[0] if versions else None)),
            "aliases": self.models.movements.aliases(name),
            "may_point": self.access.is_allowed(view.caller, "models.promote", model.project),
            "panels": self.site.drawn("models/model", view, f"model:{name}"),
            "choices": [(version.version, f"version {version.version}") for version in versions],
            "sent": view.sent,
        }
        return Html("models/model.html", "models", values)

    def point_alias(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["model"]
        body = convert({"version": fields.get("version", ""), "reason": fields.get("reason", "")}, PointAlias)
        self.models.movements.point_alias(view.caller, body, model=name, alias=fields.get("alias", "").strip())
        return Redirect(f"{page_of(name)}#aliases")

    def drop_alias(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["model"]
        dropped: Alias = self.models.movements.drop_alias(view.caller, model=name, alias=fields.get("alias", ""))
        return Redirect(f"{page_of(dropped.model)}#aliases")

    def describe(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["model"]
        self.models.catalogue.change(view.caller, ChangeModel(**described(fields)), model=name)
        return Redirect(f"{page_of(name)}#about")

    def rename(self, view: View, fields: dict[str, str]) -> Redirect:
        body = ChangeModel(name=fields.get("name", "").strip())
        renamed = self.models.catalogue.change(view.caller, body, model=view.path["model"])
        return Redirect(page_of(renamed.name))

    def delete(self, view: View, fields: dict[str, str]) -> Redirect:
        self.models.catalogue.delete(view.caller, model=view.path["model"])
        return Redirect("/models")

    # --- comparing ---

    def compare(self, view: View) -> Html:
        """Versions side by side: ``?version=1&version=2``, the first being what the others are held against."""
        name: str = view.path["model"]
        asked = list(dict.fromkeys(view.query.get("version", [])))
        if len(asked) < 2:
            raise BadField(
                field="version", value=listed(asked) or "nothing", expected="two or more versions to compare"
            )
        versions = [self.models.find(name, version) for version in asked]
        values = {
            "title": f"Compare {name}",
            "project": versions[0].project,
            "model": name,
            "answer": f"Versions {listed([str(version.version) for version in versions])} of {name}, side by side",
            "versions": versions,
            "outlooks": [self._outlook(view.caller, version) for version in versions],
            "changes": changes(view.caller, versions, self.comparisons),
            "panels": self.site.drawn("models/compare", view, " ".join(version.ref for version in versions)),
        }
        return Html("models/compare.html", "models", values)


def add(site: Site, models: Models, comparisons: Comparisons, access: Access) -> ModelPages:
    pages = ModelPages(site, models, comparisons, access)
    version = "/models/{model}/versions/{version}"
    site.page("/models", pages.all, needs="models.read", scope="platform")
    for form in ("", "/aliases", "/aliases/drop", "/about", "/name", "/deletion"):
        site.page(f"/models/{{model}}{form}", pages.show, needs="models.read")
    site.page("/models/{model}/compare", pages.compare, needs="models.read")
    site.form("/models/{model}/aliases", pages.point_alias, page=pages.show, needs="models.promote")
    site.form("/models/{model}/aliases/drop", pages.drop_alias, page=pages.show, needs="models.promote")
    site.form("/models/{model}/about", pages.describe, page=pages.show, needs="models.write")
    site.form("/models/{model}/name", pages.rename, page=pages.show, needs="models.write")
    site.form("/models/{model}/deletion", pages.delete, page=pages.show, needs="models.write")
    one = pages.version
    forms = ("", "/stage", "/card", "/verification", "/about", "/bundle", "/deletion")
    for form in forms:  # a form's own address shows the page too
        site.page(f"{version}{form}", one.show, needs="models.read")
    site.form(f"{version}/stage", one.promote, page=one.show, needs="models.promote")
    site.form(f"{version}/card", one.enter_card, page=one.show, needs="models.write")
    site.form(f"{version}/verification", one.verify, page=one.show, needs="models.read")
    site.form(f"{version}/about", one.describe, page=one.show, needs="models.write")
    site.form(f"{version}/bundle", one.seal, page=one.show, needs="models.write")
    site.form(f"{version}/deletion", one.delete, page=one.show, needs="models.write")
    site.finds("Models", pages.find)
    site.panel("projects/project", pages.in_project)
    site.panel("runs/run", MadePanel(site, models).of_run)
    return pages


def answer_for_all(count: int, rows: list[ModelRow]) -> str:
    """How the models stand, in a sentence."""
    waiting = [row.model.name for row in rows if row.outlook.waits]
    head = f"{plural(count, 'model')}, {sum(1 for row in rows if row.live)} in production"
    return f"{head}; {listed(waiting)} {'waits' if len(waiting) == 1 else 'wait'} for someone" if waiting else head


def answer_for_one(model: Model, live: ModelVersion | None, newest: Outlook) -> str:
    """Which version serves, and how the newest stands."""
    if live is None:
        return f"No version of {model.name} is in production. {newest.sentence}"
    if live.version == model.newest:
        return f"Version {live.version} of {model.name} is in production, and it is the newest"
    return f"Version {live.version} of {model.name} is in production. {newest.sentence}"
