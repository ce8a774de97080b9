"""What waivers and broken glass show on the pages of a version and a project, and the forms by which people act."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from taxiway.access.service import Access
from taxiway.gates.contract import GateStanding, Standing
from taxiway.gates.exceptions.contract import (
    AskWaiver,
    BreakGlass,
    GrantWaiver,
    LetThrough,
    RevokeWaiver,
    Waiver,
)
from taxiway.gates.service import Gates
from taxiway.gates.showing.figures import gate_name
from taxiway.gates.standing.closing import LIVE, stands_on_glass
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.problems import convert
from taxiway.kernel.thing import href, parse
from taxiway.models.names import page_of
from taxiway.models.pages import ModelPages
from taxiway.web.site import Redirect, Site, View

StandingOf = Callable[[Caller, str, int], Standing]


class May(Struct, frozen=True):
    """What who looks may do here."""

    ask: bool
    grant: bool
    break_glass: bool


class WaiverPanels:
    """standing_of: how a version stands, read once for all panels of a page."""

    def __init__(self, site: Site, gates: Gates, access: Access, standing_of: StandingOf) -> None:
        self.site = site
        self.gates = gates
        self.access = access
        self.standing_of = standing_of

    def lead(self, view: View, thing: str) -> str | None:
        """In red: that a version stands where it does past closed gates, or that what let it in has run out."""
        standing = self._standing(view.caller, thing)
        if standing is None:
            return None
        glass = standing.broken if stands_on_glass(standing) else None
        if glass is None and not standing.overdue:
            return None
        return self.site.fragment("gates/overdue.html", glass=glass, overdue=standing.overdue)

    def version(self, view: View, thing: str) -> str | None:
        """The waivers of a version, and the ways around what is closed."""
        standing = self._standing(view.caller, thing)
        if standing is None or standing.stage == "archived":
            return None
        here = {"model": standing.model, "version": str(standing.version)}
        found = self.gates.waivers.of_version(view.caller, **here)
        closed = [gate for stage in standing.stages for gate in stage.gates if is_waivable(gate)]
        may = self._may(view, standing, found.who_can)
        if not (found.waivers or found.broken or closed):
            return None
        return self.site.fragment(
            "gates/exceptions.html",
            page=href(f"model:{standing.model}@{standing.version}"),
            waivers=found.waivers,
            broken=found.broken,
            who_can=found.who_can,
            gates=[(gate.gate, gate_name(gate.gate)) for gate in closed],
            unclear=[(g.gate, gate_name(g.gate)) for g in closed if g.verdict == "inconclusive"],
            may=may,
            who=view.caller.name,
            form_token=view.form_token,
            sent=view.sent,
        )

    def project(self, view: View, thing: str) -> str | None:
        """The waivers of a project's versions that count, or wait for somebody."""
        found = [each for each in self.gates.waivers.living(view.caller).items if each.project == parse(thing).name]
        return self.site.fragment("gates/waivers.html", waivers=found, refs=refs_of(found)) if found else None

    def _may(self, view: View, standing: Standing, who_can: list[str]) -> May:
        def allowed(verb: str) -> bool:
            return self.access.is_allowed(view.caller, f"gates.{verb}", standing.project)

        is_person = view.caller.can_approve
        return May(
            ask=is_person and allowed("evaluate"),
            grant=is_person and allowed("waive") and view.caller.name in who_can,
            break_glass=is_person and allowed("break_glass") and standing.stage != "production",
        )

    def _standing(self, caller: Caller, thing: str) -> Standing | None:
        found = parse(thing)
        try:
            return self.standing_of(caller, found.name, found.version or 0)
        except TaxiwayError:  # a path that is not there, or not made for the project's tier
            return None


class WaiverForms:
    """The forms of the panel."""

    def __init__(self, gates: Gates) -> None:
        self.gates = gates

    def ask(self, view: View, fields: dict[str, str]) -> Redirect:
        body = convert(given(fields, "gate", "reason", "days"), AskWaiver)
        self.gates.waivers.ask(view.caller, body, **here(view))
        return back(view)

    def let_through(self, view: View, fields: dict[str, str]) -> Redirect:
        body = convert(given(fields, "gate", "comment", "days"), LetThrough)
        self.gates.waivers.let_through(view.caller, body, **here(view))
        return back(view)

    def grant(self, view: View, fields: dict[str, str]) -> Redirect:
        body = GrantWaiver(fields.get("comment", ""))
        self.gates.waivers.grant(view.caller, body, **here(view), waiver=view.path["waiver"])
        return back(view)

    def revoke(self, view: View, fields: dict[str, str]) -> Redirect:
        body = RevokeWaiver(fields.get("reason", ""))
        self.gates.waivers.revoke(view.caller, body, **here(view), waiver=view.path["waiver"])
        return back(view)

    def break_glass(self, view: View, fields: dict[str, str]) -> Redirect:
        body = convert(given(fields, "reason", "days"), BreakGlass)
        self.gates.glass.break_glass(view.caller, body, **here(view))
        return back(view)


def add(site: Site, gates: Gates, models: ModelPages, access: Access, standing_of: StandingOf) -> None:
    panels, forms = WaiverPanels(site, gates, access, standing_of), WaiverForms(gates)
    version, page = "/gates/models/{model}/versions/{version}", models.version.show
    one = f"{version}/waivers/{{waiver}}"
    for path in ("waivers", "conditional-approvals", "break-glass", "waivers/{waiver}/grant"):
        site.page(f"{version}/{path}", page, needs="models.read")  # where a refusal was shown, the page still is
    site.page(f"{one}/revocation", page, needs="models.read")
    site.form(f"{version}/waivers", forms.ask, page=page, needs="gates.evaluate")
    site.form(f"{version}/conditional-approvals", forms.let_through, page=page, needs="gates.waive")
    site.form(f"{version}/break-glass", forms.break_glass, page=page, needs="gates.break_glass")
    site.form(f"{one}/grant", forms.grant, page=page, needs="gates.waive")
    site.form(f"{one}/revocation", forms.revoke, page=page, needs="gates.read")
    site.panel("models/version/lead", panels.lead)
    site.panel("models/version", panels.version)
    site.panel("projects/project", panels.project)


def is_waivable(gate: GateStanding) -> bool:
    """Whether a gate stops the version, has evidence, and so could be waived where its path says nothing else."""
    return gate.stops and gate.check not in LIVE and bool(gate.evidence)


def refs_of(waivers: list[Waiver]) -> dict[str, str]:
    return {each.id: href(f"model:{each.model}@{each.version}") for each in waivers}


def here(view: View) -> dict[str, str]:
    return {"model": view.path["model"], "version": view.path["version"]}


def back(view: View) -> Redirect:
    return Redirect(f"{page_of(view.path['model'], view.path['version'])}#exceptions")


def given(fields: dict[str, str], *names: str) -> dict[str, object]:
    """The fields that say something; `days` as a number, where it is one."""
    said: dict[str, object] = {name: fields[name].strip() for name in names if fields.get(name, "").strip()}
    days = str(said.get("days", ""))
    return said | ({"days": int(days)} if days.isascii() and days.isdigit() and len(days) < 6 else {})
