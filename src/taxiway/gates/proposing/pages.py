"""The pages on which a path is written, tried, proposed and decided."""

from __future__ import annotations

import difflib

from msgspec import Struct

from taxiway.access.service import Access
from taxiway.gates.contract import PathVersion
from taxiway.gates.paths.contract import PublishPath
from taxiway.gates.planning.contract import AskPlan, Effect, Plan
from taxiway.gates.proposing.contract import DecideProposal, ListProposals, Proposal, ProposePath
from taxiway.gates.service import Gates
from taxiway.gates.showing.figures import draw_asked
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound, TaxiwayError
from taxiway.storage.contract import YamlBroken
from taxiway.web.figures.path import PathDrawing
from taxiway.web.site import Html, Redirect, Site, View
from taxiway.web.words import plural

AROUND = 2  # lines shown before and after the one that is wrong
EFFECTS: dict[Effect, tuple[str, str]] = {
    "stopped": ("fail", "would be stopped"),
    "unknown": ("missing", "would need evaluation"),
    "opened": ("pass", "would be open"),
    "same": ("waived", "no change"),
}
STATES = {"open": "missing", "accepted": "pass", "rejected": "fail", "withdrawn": "waived"}
START = """\
# yaml-language-server: $schema=./path.schema.json  (from `taxiway gates schema`)
path: my-path
applies_to: {risk: [low, medium]}
mode: observe # what every gate does that says none of its own: observe, warn or block
stages:
  staging:
    - data_contract: {}
    - performance: {metric: accuracy, at_least: 0.8}
  production:
    - card: {complete: true}
    - approvals: {roles: [validator], count: 1}
"""


class Tried(Struct, frozen=True):
    """What a text is found to be. problem: with `excerpt`, the lines around it as (number, text, is it).

    drawing: of the path that it says. diff: to the newest version, as (kind, line). plan: where one was made.
    """

    problem: YamlBroken | None = None
    excerpt: list[tuple[int, str, bool]] = []
    path: PathVersion | None = None
    drawing: PathDrawing | None = None
    diff: list[tuple[str, str]] = []
    plan: Plan | None = None


class PathEditor:
    def __init__(self, site: Site, gates: Gates, access: Access) -> None:
        self.site = site
        self.gates = gates
        self.access = access

    def edit(self, view: View) -> Html:
        """The form, with the newest text of the path that the address names, or what was sent."""
        name = view.sent.get("path") or view.one("path")
        text = view.sent.get("text") or (self._text(view.caller, name) if name else START)
        return self._shown(view, text.replace("\r\n", "\n"), self._try(view.caller, text) if view.sent else Tried())

    def act(self, view: View, fields: dict[str, str]) -> Redirect | Html:
        """Tries the text, or proposes it."""
        text = fields.get("text", "").replace("\r\n", "\n")
        if fields.get("do") != "propose":
            return self._shown(view, text, self._try(view.caller, text, is_planned=True))
        made = self.gates.proposals.propose(view.caller, ProposePath(text, fields.get("reason", "")))
        return Redirect(f"/gates/proposals/{made.id}")

    def publish(self, view: View, fields: dict[str, str]) -> Redirect:
        text = fields.get("text", "").replace("\r\n", "\n")
        path = self.gates.paths.publish(view.caller, PublishPath(text))
        return Redirect(f"/gates/paths/{path.name}/versions/{path.version}")

    def check(self, view: View, fields: dict[str, str]) -> Html:
        """What is wrong with a text, or the path that it says: asked while it is written."""
        text = fields.get("text", "").replace("\r\n", "\n")
        return Html("gates/checked.html", "gates", {"tried": self._try(view.caller, text), "effects": EFFECTS})

    def _shown(self, view: View, text: str, tried: Tried) -> Html:
        values = {
            "title": "Write a path",
            "text": text,
            "tried": tried,
            "effects": EFFECTS,
            "reason": view.sent.get("reason", ""),
            "may_publish": self.access.is_allowed(view.caller, "gates.publish", None),
        }
        return Html("gates/editor.html", "gates", values)

    def _text(self, caller: Caller, name: str) -> str:
        try:
            return self.gates.paths.show(caller, path=name, version=0).text
        except NotFound:
            return START

    def _try(self, caller: Caller, text: str, *, is_planned: bool = False) -> Tried:
        body = PublishPath(text)
        try:
            with self.gates.database.read() as connection:
                before, path = self.gates.paths.draft(connection, body)
        except YamlBroken as broken:
            return Tried(problem=broken, excerpt=excerpt_of(text, broken.line))
        plan = self.gates.planning.plan(caller, AskPlan(text)) if is_planned else None
        return Tried(path=path, drawing=draw_asked(path), diff=diff_of(before, path), plan=plan)

    # --- proposals ---

    def proposals(self, view: View) -> Html:
        found = self.gates.proposals.list(view.caller, ListProposals()).items
        waiting = sum(each.state == "open" for each in found)
        values = {
            "title": "Proposals",
            "answer": f"{plural(waiting, 'proposal')} {'waits' if waiting == 1 else 'wait'} for a second person",
            "proposals": found,
            "states": STATES,
        }
        return Html("gates/proposals.html", "gates", values)

    def proposal(self, view: View) -> Html:
        """A proposal with what it changes: stored with it, and as of now while it waits."""
        proposal = self.gates.proposals.show(view.caller, proposal=view.path["proposal"])
        before = self._before(view.caller, proposal)
        with self.gates.database.read() as connection:
            _, path = self.gates.paths.draft(connection, PublishPath(proposal.text, proposal.name))
        is_open = proposal.state == "open" and not proposal.is_outdated
        plan = self.gates.planning.plan(view.caller, AskPlan(proposal.text)) if is_open else proposal.plan
        values = {
            "title": f"A change of {proposal.path}",
            "proposal": proposal,
            "answer": answer_for(proposal),
            "figure": draw_asked(path),
            "diff": diff_of(before, path),
            "plan": plan,
            "effects": EFFECTS,
            "states": STATES,
            "is_own": proposal.by == view.caller.name,
            "may_accept": self.access.is_allowed(view.caller, "gates.publish", None) and view.caller.can_approve,
            "threads": self.site.drawn("gates/proposal", view, proposal.ref),
            "sent": view.sent,
        }
        return Html("gates/proposal.html", "gates", values)

    def _before(self, caller: Caller, proposal: Proposal) -> PathVersion | None:
        try:
            return self.gates.paths.show(caller, path=proposal.path, version=proposal.before)
        except TaxiwayError:
            return None

    def accept(self, view: View, fields: dict[str, str]) -> Redirect:
        """Accepts exactly the text that the form showed."""
        self.gates.proposals.accept(view.caller, decision(fields), proposal=view.path["proposal"])
        return Redirect(f"/gates/proposals/{view.path['proposal']}")

    def reject(self, view: View, fields: dict[str, str]) -> Redirect:
        self.gates.proposals.reject(view.caller, decision(fields), proposal=view.path["proposal"])
        return Redirect(f"/gates/proposals/{view.path['proposal']}")

    def withdraw(self, view: View, fields: dict[str, str]) -> Redirect:
        self.gates.proposals.withdraw(view.caller, decision(fields), proposal=view.path["proposal"])
        return Redirect(f"/gates/proposals/{view.path['proposal']}")


def add(site: Site, gates: Gates, access: Access) -> None:
    pages = PathEditor(site, gates, access)
    site.page("/gates/editor", pages.edit, needs="gates.propose", scope="platform")
    site.form("/gates/editor", pages.act, page=pages.edit, needs="gates.propose", scope="platform")
    site.form("/gates/editor/check", pages.check, page=pages.edit, needs="gates.propose", scope="platform")
    site.form("/gates/editor/publish", pages.publish, page=pages.edit, needs="gates.publish", scope="platform")
    site.page("/gates/proposals", pages.proposals, needs="gates.read", scope="platform")
    site.page("/gates/proposals/{proposal}", pages.proposal, needs="gates.read", scope="platform")
    at, page = "/gates/proposals/{proposal}", pages.proposal
    site.form(f"{at}/accept", pages.accept, page=page, needs="gates.publish", scope="platform")
    site.form(f"{at}/reject", pages.reject, page=page, needs="gates.publish", scope="platform")
    site.form(f"{at}/withdraw", pages.withdraw, page=page, needs="gates.propose", scope="platform")
    for refused in ("accept", "reject", "withdraw"):
        site.page(f"{at}/{refused}", page, needs="gates.read", scope="platform")  # where a refusal was shown
    for refused in ("check", "publish"):
        site.page(f"/gates/editor/{refused}", pages.edit, needs="gates.propose", scope="platform")


def decision(fields: dict[str, str]) -> DecideProposal:
    return DecideProposal(fields.get("comment", ""), fields.get("digest", ""))


def answer_for(proposal: Proposal) -> str:
    what = f"version {proposal.before + 1} of {proposal.path}"
    if proposal.is_outdated:
        return f"{proposal.by} proposed {what}, which somebody else published meanwhile"
    if proposal.state == "open":
        return f"{proposal.by} proposes {what}"
    did = proposal.state.replace("withdrawn", "withdrew")
    return f"{proposal.by} proposed {what}, and {proposal.decided_by} {did} it"


def excerpt_of(text: str, line: int) -> list[tuple[int, str, bool]]:
    lines = text.splitlines()
    first, last = max(line - AROUND, 1), min(line + AROUND, len(lines))
    return [(number, lines[number - 1], number == line) for number in range(first, last + 1)]


def diff_of(before: PathVersion | None, after: PathVersion) -> list[tuple[str, str]]:
    """The lines that go and come, each with what it is; empty where there was none, or nothing changed."""
    if before is None:
        return []
    lines = difflib.unified_diff(before.text.splitlines(), after.text.splitlines(), lineterm="", n=2)
    kinds = {"+": "ins", "-": "del", "@": "hunk"}
    return [(kinds.get(line[:1], "same"), line) for line in lines if not line.startswith(("+++", "---"))]
