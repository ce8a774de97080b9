"""The pages of findings: all of them, one with its story, and the panels on versions and projects."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import datetime
from urllib.parse import quote

from taxiway.access.service import Access
from taxiway.gates.findings.commands import day
from taxiway.gates.findings.contract import ChangeFinding, Finding, ListFindings, MoveFinding, OpenFinding
from taxiway.gates.findings.rules import NEXT, order, part_in
from taxiway.gates.findings.service import Findings, about
from taxiway.kernel.errors import BadField
from taxiway.kernel.problems import convert
from taxiway.kernel.thing import parse
from taxiway.models.service import Models
from taxiway.web.site import Html, Redirect, Site, View
from taxiway.web.words import plural

TABS = (("not closed", "unclosed"), ("resolved", "resolved"), ("closed", "closed"), ("all", "all"))
STATES = ("in_progress", "resolved", "closed")
WORDS = dict(zip(STATES, ("Take it up", "It is resolved", "Close it"), strict=True))
VERDICTS = {"critical": "fail", "high": "fail", "medium": "inconclusive", "low": "missing"}


class FindingPages:
    def __init__(self, site: Site, findings: Findings, models: Models, access: Access) -> None:
        self.site = site
        self.findings = findings
        self.models = models
        self.access = access

    def all(self, view: View) -> Html:
        state = view.one("state", "unclosed")
        project, thing = view.one("project"), view.one("thing")
        body = convert({"state": state, "project": project, "thing": thing}, ListFindings)
        found = self.findings.list(view.caller, body).items
        more = "".join(f"&{name}={quote(value)}" for name, value in (("project", project), ("thing", thing)) if value)
        values = {
            "title": "Findings",
            "findings": found,
            "answer": answer_for_all(found, state),
            "tabs": [(name, f"/gates/findings?state={key}{more}", key == state) for name, key in TABS],
            "may_find": [(name, name) for name in self._projects(view)],
            "within": project,
            "about": thing,
            "sent": view.sent,
        }
        return Html("gates/findings.html", "gates", values)

    def one(self, view: View) -> Html:
        finding = self.findings.show(view.caller, finding=view.path["finding"])
        why_not = part_in(finding, view.caller.name) if view.caller.can_approve else "did not sign in"
        closing = {"in_progress": "It is not resolved"} if finding.state == "resolved" else {}
        values = {
            "title": finding.title,
            "finding": finding,
            "project": finding.project,
            "answer": f"{finding.title}: {finding.severity}, {finding.state.replace('_', ' ')}",
            "verdict": "pass" if finding.is_closed else VERDICTS[finding.severity],
            "next": [(state, {**WORDS, **closing}[state]) for state in NEXT[finding.state]],
            "may_find": self.access.is_allowed(view.caller, "gates.find", finding.project),
            "may_not_close": why_not,
            "panels": self.site.drawn("gates/finding", view, finding.ref),
            "sent": view.sent,
        }
        return Html("gates/finding.html", "gates", values)

    def open(self, view: View, fields: dict[str, str]) -> Redirect:
        said = {name: fields[name] for name in ("title", "project", "severity", "detail", "owner") if fields.get(name)}
        body = convert({**said, "things": fields.get("about", "").replace(",", " ").split()}, OpenFinding)
        finding = self.findings.open(view.caller, body)
        return Redirect(f"/gates/findings/{finding.id}")

    def move(self, view: View, fields: dict[str, str]) -> Redirect:
        body = convert({name: fields.get(name, "") for name in ("state", "comment")}, MoveFinding)
        finding = self.findings.move(view.caller, body, finding=view.path["finding"])
        return Redirect(f"/gates/findings/{finding.id}")

    def change(self, view: View, fields: dict[str, str]) -> Redirect:
        """Only what differs from what is there is changed."""
        known = self.findings.show(view.caller, finding=view.path["finding"])
        due = date_of(fields.get("due", ""))
        now = {"severity": known.severity, "owner": known.owner, "remediation": known.remediation}
        said = {name: fields[name] for name in now if name in fields and fields[name] != now[name]}
        body = convert({**said, "reason": fields.get("reason", "")}, ChangeFinding)
        if due is not None and due.date() != known.due_at.date():
            body = ChangeFinding(body.reason, body.severity, body.owner, due, body.remediation)
        self.findings.change(view.caller, body, finding=known.id)
        return Redirect(f"/gates/findings/{known.id}")

    # --- panels ---

    def version(self, view: View, thing: str) -> str | None:
        """What is wrong with a version, its model, run or data, and a way to say so."""
        named = parse(thing)
        version = self.models.find(named.name, named.version or 0)
        with self.findings.database.read() as connection:
            found = about(connection, version, self.findings.clock())
        may = self.access.is_allowed(view.caller, "gates.find", version.project)
        url = f"/gates/findings?project={quote(version.project)}&thing={quote(thing)}#open" if may else ""
        return self.site.fragment("gates/findings_panel.html", findings=found, url=url) if found or may else None

    def project(self, view: View, thing: str) -> str | None:
        body = ListFindings(project=parse(thing).name)
        found = sorted(self.findings.list(view.caller, body).items, key=order)
        return self.site.fragment("gates/findings_panel.html", findings=found, url="") if found else None

    def _projects(self, view: View) -> list[str]:
        """Those in which who looks may open a finding."""
        visible = self.access.visible(view.caller)
        names = visible if visible is not None else self.models.sources.projects.names(view.caller)
        return sorted(name for name in names if self.access.is_allowed(view.caller, "gates.find", name))


def add(site: Site, findings: Findings, models: Models, access: Access) -> None:
    pages = FindingPages(site, findings, models, access)
    site.page("/gates/findings", pages.all, needs="gates.read", scope="platform")
    site.form("/gates/findings", pages.open, page=pages.all, needs="gates.find")
    site.page("/gates/findings/{finding}", pages.one, needs="gates.read")
    for form in ("state", "change"):
        site.page(f"/gates/findings/{{finding}}/{form}", pages.one, needs="gates.read")
    site.form("/gates/findings/{finding}/state", pages.move, page=pages.one, needs="gates.find")
    site.form("/gates/findings/{finding}/change", pages.change, page=pages.one, needs="gates.find")
    site.panel("models/version", pages.version)
    site.panel("projects/project", pages.project)


def date_of(text: str) -> datetime | None:
    """The end of the day that a form says; None where it says none. Raises BadField."""
    try:
        return day(text) if text else None
    except ArgumentTypeError as e:
        raise BadField(field="due", value=repr(text), expected="a day such as 2027-01-31") from e


def answer_for_all(found: list[Finding], state: str) -> str:
    """How many there are, and how many are late, in a sentence."""
    if not found:
        return (
            "No findings" if state == "all" else "No findings that are open" if state == "unclosed" else "None of these"
        )
    late = sum(each.is_overdue for each in found)
    head = plural(len(found), "finding") + (" is" if len(found) == 1 else " are")
    words = {"unclosed": "not closed", "all": "known"}.get(state, state.replace("_", " "))
    return f"{head} {words}" + (f", {late} overdue" if late else "")
