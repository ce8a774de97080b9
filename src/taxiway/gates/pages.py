"""The pages of gates: paths, the inbox, and the forms by which people evaluate, ask, approve and publish."""

from __future__ import annotations

import msgspec

from taxiway.access.service import Access
from taxiway.gates.contract import (
    Approve,
    Digests,
    Evaluate,
    PathVersion,
    RequestApproval,
    Withdraw,
)
from taxiway.gates.exceptions import panels as exceptions_panels
from taxiway.gates.findings import pages as findings_pages
from taxiway.gates.panels import GatePanels
from taxiway.gates.paths.policy import PACKAGED
from taxiway.gates.proposing import pages as editor
from taxiway.gates.proposing.contract import ListProposals
from taxiway.gates.questionnaires import pages as questionnaires_pages
from taxiway.gates.reviews import pages as reviews_pages
from taxiway.gates.service import Gates
from taxiway.gates.showing.compared import ComparedPanels
from taxiway.gates.showing.figures import WATCHES, draw_asked, gate_name, given, giver_asked
from taxiway.gates.standing.portfolio import GateTeller
from taxiway.kernel.caller import Caller
from taxiway.kernel.problems import convert
from taxiway.models.names import page_of
from taxiway.models.pages import ModelPages
from taxiway.projects.portfolio import Portfolio
from taxiway.projects.waiting import NOBODY
from taxiway.runs.service import Runs
from taxiway.web.site import Found, Html, Redirect, Site, View
from taxiway.web.words import listed, plural


class GatePages:
    def __init__(self, site: Site, gates: Gates, access: Access, portfolio: Portfolio) -> None:
        self.site = site
        self.gates = gates
        self.access = access
        self.portfolio = portfolio

    # --- paths ---

    def paths(self, view: View) -> Html:
        found = self.gates.paths.list(view.caller).items
        follow = self._followers(view.caller)
        used = sum(1 for path in found if follow.get(path.name))
        values = {
            "title": "Paths",
            "rows": [(path, draw_asked(path), follow.get(path.name, [])) for path in found],
            "answer": f"{plural(len(found), 'path')}, {used} of them taken by a project",
            "may_propose": self.access.is_allowed(view.caller, "gates.propose", None),
            "waiting": self.gates.proposals.list(view.caller, ListProposals(state="open")).items,
        }
        return Html("gates/paths.html", "gates", values)

    def path(self, view: View) -> Html:
        """One version of a path; without a version the newest."""
        name, number = view.path["path"], int(view.path.get("version", 0))
        path = self.gates.paths.show(view.caller, path=name, version=number)
        newest = self.gates.paths.show(view.caller, path=name, version=0)
        values = {
            "title": f"Path {path.name}",
            "policy": path,
            "newest": newest.version,
            "figure": draw_asked(path),
            "answer": answer_for_path(path, newest.version),
            "followers": self._followers(view.caller).get(name, []) if path.version == newest.version else [],
            "gates": [
                (stage.stage, gate_name(spec.name), spec, given(spec), giver_asked(spec), WATCHES[spec.mode])
                for stage in path.stages
                for spec in stage.gates
            ],
            "observed": self.gates.observing.observed(view.caller, path=name),
            "waiting": self.gates.proposals.list(view.caller, ListProposals(path=name, state="open")).items,
            "may_propose": self.access.is_allowed(view.caller, "gates.propose", None),
        }
        return Html("gates/path.html", "gates", values)

    def find(self, caller: Caller, text: str, most: int) -> list[Found]:
        """Paths whose name or text holds the words."""
        found = [
            path for path in self.gates.paths.list(caller).items if text.lower() in f"{path.name} {path.text}".lower()
        ]
        return [
            Found(p.name, f"/gates/paths/{p.name}/versions/{p.version}", f"for {listed(list(p.risk))} risk")
            for p in found[:most]
        ]

    def _followers(self, caller: Caller) -> dict[str, list[str]]:
        """The projects that take each path, by the path's name, as far as the caller may see them."""
        found: dict[str, list[str]] = {}
        for standing in self.portfolio.projects.list(caller).items:
            project = standing.project
            found.setdefault(project.path or PACKAGED[project.risk], []).append(project.name)
        return found

    # --- what waits ---

    def asked(self, view: View, thing: str) -> str | None:
        """In the inbox: the approvals that who looks waits for, and that others wait for."""
        items = [item for item in self.gates.inbox(view.caller).items if not item.is_yours]
        mine = [item for item in items if item.request.by == view.caller.name]
        rest = [item for item in items if item.request.by != view.caller.name]
        groups = [
            (title, found) for title, found in (("You wait for", mine), ("Others wait for others", rest)) if found
        ]
        return self.site.fragment("gates/asked.html", groups=groups, nobody=NOBODY) if groups else None

    def names(self, caller: Caller) -> list[str]:
        """The paths there are, for those who choose one."""
        return [path.name for path in self.gates.paths.list(caller).items]

    # --- what people do to a version ---

    def evaluate(self, view: View, fields: dict[str, str]) -> Redirect:
        model, version = view.path["model"], view.path["version"]
        body = Evaluate(anyway="anyway" in fields)
        self.gates.evaluations.evaluate(view.caller, body, model=model, version=version)
        return Redirect(f"{page_of(model, version)}#evidence")

    def request(self, view: View, fields: dict[str, str]) -> Redirect:
        model, version = view.path["model"], view.path["version"]
        body = convert({name: fields[name] for name in ("stage", "note") if name in fields}, RequestApproval)
        self.gates.approvals.request(view.caller, body, model=model, version=version)
        return Redirect(f"{page_of(model, version)}#approval")

    def approve(self, view: View, fields: dict[str, str]) -> Redirect:
        """Approves exactly the digests that the form showed; if another state stands by now, it is refused."""
        model, version = view.path["model"], view.path["version"]
        seen = convert({name: fields.get(name, "") for name in Digests.__struct_fields__}, Digests)
        body = convert({name: fields[name] for name in ("stage", "comment") if name in fields}, Approve)
        self.gates.approve(view.caller, msgspec.structs.replace(body, digests=seen), model=model, version=version)
        return Redirect(f"{page_of(model, version)}#approval")

    def withdraw(self, view: View, fields: dict[str, str]) -> Redirect:
        model, version, approval = (view.path[name] for name in ("model", "version", "approval"))
        body = Withdraw(reason=fields.get("reason", ""))
        self.gates.approvals.withdraw(view.caller, body, model=model, version=version, approval=approval)
        return Redirect(f"{page_of(model, version)}#approval")


def add(site: Site, gates: Gates, models: ModelPages, runs: Runs, access: Access, portfolio: Portfolio) -> None:
    pages = GatePages(site, gates, access, portfolio)
    site.page("/gates", pages.paths, needs="gates.read", scope="platform")
    site.page("/gates/paths", pages.paths, needs="gates.read", scope="platform")
    editor.add(site, gates, access)
    site.page("/gates/paths/{path}", pages.path, needs="gates.read", scope="platform")
    site.page("/gates/paths/{path}/versions/{version:int}", pages.path, needs="gates.read", scope="platform")
    site.panel("notices/inbox", pages.asked)
    version, page = "/gates/models/{model}/versions/{version}", models.version.show
    for form in ("evaluations", "requests", "approvals", "approvals/{approval}/withdrawal"):
        site.page(f"{version}/{form}", page, needs="models.read")  # where a refusal was shown, the page still is
    site.form(f"{version}/evaluations", pages.evaluate, page=page, needs="gates.evaluate")
    site.form(f"{version}/requests", pages.request, page=page, needs="gates.evaluate")
    site.form(f"{version}/approvals", pages.approve, page=page, needs="gates.approve")
    site.form(f"{version}/approvals/{{approval}}/withdrawal", pages.withdraw, page=page, needs="gates.approve")
    site.finds("Paths", pages.find)
    panels, compared = GatePanels(site, gates, access), ComparedPanels(site, gates.models, runs)
    models.judged_by(panels.judge)
    exceptions_panels.add(site, gates, models, access, lambda *asked: panels.look(*asked).standing)
    findings_pages.add(site, gates.findings, gates.models, access)
    site.panel("models/version/lead", panels.lead)
    site.panel("models/version", panels.evidence)
    site.panel("models/version/decide", panels.approvals)
    site.panel("models/compare", compared.versions)
    site.panel("runs/compare", compared.compared_runs)
    portfolio.paths = pages.names
    teller = GateTeller(gates, panels.judge, portfolio.waiting)
    portfolio.tell(teller.tell)
    portfolio.waiting.waiters.append(teller.waits)
    portfolio.waiting.waiters.append(reviews_pages.add(site, gates.reviews, page).waits)
    site.panel("projects/project/people", panels.eligible)
    questionnaires_pages.add(site, gates.questionnaires, gates.questionnaires_asked)


def answer_for_path(path: PathVersion, newest: int) -> str:
    """What stands before each stage, in a sentence."""
    counts = [f"{plural(len(stage.gates), 'gate')} before {stage.stage}" for stage in path.stages if stage.gates]
    head = f"The path {path.name} has {listed(counts) or 'no gates'}"
    return head if path.version == newest else f"{head}; version {newest} has replaced this one"
