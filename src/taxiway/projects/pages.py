"""The pages of projects: the portfolio, one project, and the forms that open and change one."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
from markupsafe import Markup, escape

from taxiway.access.contract import Grant, GrantRole
from taxiway.access.delegation.contract import Delegate, DelegatedRole
from taxiway.access.roles import ROLES
from taxiway.access.service import Access
from taxiway.audit.contract import ListEntries
from taxiway.audit.service import Audit
from taxiway.kernel.caller import Caller
from taxiway.kernel.problems import convert
from taxiway.kernel.thing import href
from taxiway.projects.contract import ChangeProject, CreateProject, Kpi, Project, ProjectStanding
from taxiway.projects.portfolio import Portfolio, PortfolioRow, sort_rows
from taxiway.projects.service import Projects
from taxiway.web.entries import called
from taxiway.web.site import Found, Html, Redirect, Site, View
from taxiway.web.words import listed, plural, with_query

FIELDS = ("name", "purpose", "risk", "path", "owner", "sponsor")
KPI_FIELDS = ("name", "baseline", "unit", "unit_value", "currency")
LATELY = 8
MENU_HOLDS = 30
ON_A_PAGE = 100


class ProjectPages:
    def __init__(self, site: Site, portfolio: Portfolio, access: Access, audit: Audit) -> None:
        self.site = site
        self.portfolio = portfolio
        self.projects: Projects = portfolio.projects
        self.access = access
        self.audit = audit

    # --- the portfolio ---

    def all(self, view: View) -> Html:
        order = view.one("order", "waits")
        rows = sort_rows(self.portfolio.rows(view.caller), order)
        start = max(view.number("from", 0), 0)
        shown = rows[start : start + ON_A_PAGE]
        values = {
            "title": "Portfolio",
            "rows": shown,
            "order": order,
            "url": with_query(view.url, **{"from": None}),
            "answer": answer_for_all(rows),
            "shown": f"{start + 1} to {start + len(shown)} of {len(rows)}" if len(rows) > len(shown) else "",
            "newer": with_query(view.url, **{"from": max(start - ON_A_PAGE, 0)}) if start else "",
            "older": with_query(view.url, **{"from": start + ON_A_PAGE}) if rows[start + ON_A_PAGE :] else "",
        }
        return Html("projects/portfolio.html", "portfolio", values)

    def find(self, caller: Caller, text: str, most: int) -> list[Found]:
        """Projects whose name, purpose or owner holds the text."""
        wanted = text.lower()
        found = [standing.project for standing in self.projects.list(caller).items]
        fitting = [p for p in found if wanted in f"{p.name} {p.purpose} {p.owner}".lower()]
        return [Found(p.name, f"/projects/{p.name}", p.purpose or f"owned by {p.owner}") for p in fitting[:most]]

    def menu(self, caller: Caller) -> list[str]:
        return self.projects.names(caller, MENU_HOLDS)

    # --- one project ---

    def show(self, view: View) -> Html:
        name: str = view.path["project"]
        row = self.portfolio.row(view.caller, name)
        people: dict[str, list[Grant]] = {}
        for grant in self.access.grants(project=name).items:
            people.setdefault(grant.user, []).append(grant)
        lately = self.audit.entries(ListEntries(project=name, limit=LATELY))
        values = {
            "title": name,
            "project": name,
            "row": row,
            "answer": answer_for_one(row),
            "mine": [wait for wait in row.waits if wait.is_for(view.caller)],
            "people": people,
            "users": [(u.name, u.display) for u in self.access.users(view.caller).items if u.name != view.caller.name],
            "roles": [(role, role) for role in ROLES],
            "may_grant": self.access.is_allowed(view.caller, "access.grant", name),
            "may_write": self.access.is_allowed(view.caller, "projects.write", name),
            "panels": self.site.drawn("projects/project", view, f"project:{name}"),
            "about_people": self.site.drawn("projects/project/people", view, f"project:{name}"),
            **self._delegations(view, name),
            "found": lately.items,
            "steps": steps(row.standing, self.site.named([entry.because for entry in row.standing.stages])),
            "sent": view.sent,
        }
        return Html("projects/project.html", "portfolio", values)

    def grant(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["project"]
        body = convert({"role": fields.get("role", "")}, GrantRole)
        self.access.grant_role(view.caller, body, project=name, user=fields.get("user", ""))
        return Redirect(f"/projects/{name}#people")

    def revoke(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["project"]
        self.access.revoke_role(view.caller, project=name, user=fields.get("user", ""))
        return Redirect(f"/projects/{name}#people")

    def _delegations(self, view: View, project: str) -> dict[str, Any]:
        """Who may approve for whom here, and what the reader could delegate."""
        grants = [grant for grant in self.access.grants(project=project).items if grant.user == view.caller.name]
        held = {grant.role for grant in grants if grant.granted_by != grant.user}
        given = self.access.delegations.list(view.caller, project=project).items
        return {
            "delegations": [each for each in given if each.is_active],
            "ended": [each for each in given if not each.is_active],
            "delegable": [(r, r) for r in get_args(DelegatedRole) if r in held and view.caller.can_approve],
            "me": view.caller.name,
        }

    def delegate(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["project"]
        wanted = {each: fields.get(each, "") for each in ("role", "to", "reason")}
        ends_at = f"{fields.get('until', '')}T23:59:59+00:00"  # the whole of the day that the form names
        self.access.delegations.delegate(view.caller, convert({**wanted, "ends_at": ends_at}, Delegate), project=name)
        return Redirect(f"/projects/{name}#people")

    def end_delegation(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["project"]
        self.access.delegations.revoke(view.caller, project=name, delegation=fields.get("delegation", ""))
        return Redirect(f"/projects/{name}#people")

    # --- opening and changing ---

    def new(self, view: View) -> Html:
        fields = {**as_fields(None), **view.sent}
        values: dict[str, Any] = {
            "title": "Open a project",
            "project": "",
            "fields": fields,
            "action_url": "/projects/new",
        }
        values |= {"paths": self._paths(view.caller, fields["path"])}
        return Html("projects/form.html", "portfolio", values)

    def _paths(self, caller: Caller, chosen: str) -> list[tuple[str, str]]:
        """The paths to choose from, as far as somebody says which there are; the chosen one among them."""
        names = self.portfolio.paths(caller)
        return [(name, name) for name in sorted({*names, chosen} - {""})] if names else []

    def create(self, view: View, fields: dict[str, str]) -> Redirect:
        made = self.projects.create(view.caller, convert(as_body(fields, FIELDS), CreateProject))
        return Redirect(f"/projects/{made.name}")

    def edit(self, view: View) -> Html:
        name: str = view.path["project"]
        fields = {**as_fields(self.projects.find(name)), **view.sent}
        url = f"/projects/{name}/edit"
        values: dict[str, Any] = {"title": f"Change {name}", "project": name, "fields": fields, "action_url": url}
        values |= {"paths": self._paths(view.caller, fields["path"])}
        return Html("projects/form.html", "portfolio", values)

    def change(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["project"]
        self.projects.change(view.caller, convert(as_body(fields, FIELDS[1:]), ChangeProject), project=name)
        return Redirect(f"/projects/{name}")


def add(site: Site, portfolio: Portfolio, access: Access, audit: Audit) -> None:
    pages = ProjectPages(site, portfolio, access, audit)
    site.page("/", pages.all, needs="projects.read", scope="platform")
    site.page("/projects", pages.all, needs="projects.read", scope="platform")
    site.page("/projects/new", pages.new, needs="projects.create", scope="platform")
    site.form("/projects/new", pages.create, page=pages.new, needs="projects.create", scope="platform")
    site.page("/projects/{project}", pages.show, needs="projects.read")
    site.page("/projects/{project}/edit", pages.edit, needs="projects.write")
    site.form("/projects/{project}/edit", pages.change, page=pages.edit, needs="projects.write")
    site.form("/projects/{project}/people", pages.grant, page=pages.show, needs="access.grant")
    site.form("/projects/{project}/people/revoke", pages.revoke, page=pages.show, needs="access.grant")
    site.form("/projects/{project}/delegations", pages.delegate, page=pages.show, needs="gates.approve")
    site.form("/projects/{project}/delegations/end", pages.end_delegation, page=pages.show, needs="projects.read")
    site.finds("Projects", pages.find)
    site.everywhere["projects"] = pages.menu


def answer_for_all(rows: list[PortfolioRow]) -> str:
    """How the whole portfolio stands, in a sentence."""
    if not rows:
        return "No use case is on its way yet"
    waiting = sum(1 for row in rows if row.waits)
    failing = [row.name for row in rows if row.health.verdict == "fail"]
    waits = f"{waiting} of {plural(len(rows), 'use case')} {'waits' if waiting == 1 else 'wait'} for someone"
    head = waits if waiting else f"None of {plural(len(rows), 'use case')} waits for anyone"
    return f"{head}; {listed(failing)} {'needs' if len(failing) == 1 else 'need'} care" if failing else head


def answer_for_one(row: PortfolioRow) -> str:
    """Where a project stands and what it waits for, in a sentence."""
    article = "an idea" if row.stage == "idea" else f"at {row.stage}"
    place = "monitored in production" if row.stage == "monitored" else article
    head = f"{row.name} is {place}"
    if row.health.verdict in ("fail", "inconclusive"):
        head += f", with {row.health.word}"
    if not row.waits:
        return head
    return f"{head}, and waits for {listed([f'{wait.who} to {wait.what}' for wait in row.waits[:3]])}"


def steps(standing: ProjectStanding, names: dict[str, str]) -> list[tuple[Any, Markup, bool]]:
    """The stages it has entered, the latest first, each with what brought it there. names: of runs, by reference."""
    found = []
    for number, entry in enumerate(reversed(standing.stages)):
        words = escape(entry.stage)
        if not entry.because.startswith("project:"):
            words += Markup(' by <a href="{}">{}</a>').format(href(entry.because), called(entry.because, names))
        found.append((entry.entered_at, words, number == 0))
    return found


def as_fields(project: Project | None) -> dict[str, str]:
    """What stands in the form's fields for a project, or for a new one."""
    empty = dict.fromkeys(FIELDS, "") | {"risk": "medium", "kpi_currency": "EUR"}
    if project is None:
        return {f"kpi_{name}": "" for name in KPI_FIELDS} | empty
    kpi = msgspec.to_builtins(project.kpi) if project.kpi else {"currency": "EUR"}
    fields = {f"kpi_{name}": str(kpi.get(name, "")) for name in KPI_FIELDS}
    return fields | {name: str(getattr(project, name)) for name in FIELDS}


def as_body(fields: dict[str, str], names: tuple[str, ...]) -> dict[str, Any]:
    """The form's fields as the API takes them; a KPI without a name is none. Raises BadField."""
    body: dict[str, Any] = {name: fields[name].strip() for name in names if name in fields}
    kpi = {name: fields.get(f"kpi_{name}", "").strip() for name in KPI_FIELDS}
    if kpi["name"]:
        body["kpi"] = convert(kpi, Kpi)
    return body
