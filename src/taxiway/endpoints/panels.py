"""What other pages show of endpoints: a project's, those that a version answers at, and the portfolio's health."""

from __future__ import annotations

from taxiway.endpoints.contract import EndpointRecord, ListEndpoints
from taxiway.endpoints.service import Endpoints
from taxiway.kernel.caller import Caller
from taxiway.kernel.thing import parse
from taxiway.projects.portfolio import Health, PortfolioFact, Verdict
from taxiway.web.site import Site, View

STATE_VERDICTS: dict[str, Verdict] = {
    "answering": "pass",
    "starting": "missing",
    "waiting": "missing",
    "restarting": "inconclusive",
    "failing": "fail",
    "refused": "fail",
    "stopped": "fail",
    "elsewhere": "missing",
}
WORST_FIRST = ("fail", "inconclusive", "missing", "pass")


class Panels:
    def __init__(self, site: Site, endpoints: Endpoints) -> None:
        self.site = site
        self.endpoints = endpoints

    def project(self, view: View, thing: str) -> str | None:
        """A project's endpoints."""
        project = parse(thing).name
        found = self.endpoints.list(view.caller, ListEndpoints(project=project)).items
        return self._draw("Endpoints", found)

    def version(self, view: View, thing: str) -> str | None:
        """The endpoints where a model version should answer."""
        model = parse(thing)
        found = self.endpoints.list(view.caller, ListEndpoints()).items
        return self._draw("Answers at", [e for e in found if (e.model, e.version) == (model.name, model.version)])

    def _draw(self, title: str, found: list[EndpointRecord]) -> str | None:
        if not found:
            return None
        return self.site.fragment("endpoints/panel.html", panel_title=title, rows=found, verdicts=STATE_VERDICTS)

    def tell(self, caller: Caller, names: list[str]) -> dict[str, PortfolioFact]:
        """The health of each project's endpoints: the worst one's."""
        found: dict[str, list[EndpointRecord]] = {}
        for each in self.endpoints.list(caller, ListEndpoints()).items:
            if each.project in names:
                found.setdefault(each.project, []).append(each)
        return {project: PortfolioFact(health=health(records)) for project, records in found.items()}


def health(records: list[EndpointRecord]) -> Health:
    worst = min(records, key=lambda each: WORST_FIRST.index(STATE_VERDICTS[each.state]))
    verdict = STATE_VERDICTS[worst.state]
    word = "answering" if verdict == "pass" else f"{worst.name} {worst.state}"
    return Health(verdict, word, f"/endpoints/{worst.name}")
