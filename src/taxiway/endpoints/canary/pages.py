"""The canary on its endpoint's page: the verdict in words, the figure, and what is still missing."""

from __future__ import annotations

from taxiway.endpoints.canary.contract import EndCanary
from taxiway.endpoints.canary.drawing import draw
from taxiway.endpoints.canary.laws.verdict import LOSS_WORDS
from taxiway.endpoints.canary.service import Canaries
from taxiway.endpoints.service import Endpoints
from taxiway.kernel.thing import parse
from taxiway.web.site import Redirect, Site, View

VERDICTS = {"promote": "pass", "roll back": "fail", "not enough yet": "missing"}
STATES = {"running": "missing", "promoted": "pass", "rolled back": "fail", "ended": "inconclusive"}


class CanaryPages:
    def __init__(self, site: Site, endpoints: Endpoints) -> None:
        self.site = site
        self.endpoints = endpoints
        self.canaries = Canaries(endpoints)

    def panel(self, view: View, thing: str) -> str | None:
        """The latest canary of an endpoint; nothing where there was none."""
        name = parse(thing).name
        found = self.canaries.latest(name)
        if found is None:
            return None
        allowed = self.endpoints.below.access.is_allowed
        return self.site.fragment(
            "endpoints/canary.html",
            name=name,
            detail=found,
            canary=found.canary,
            verdict=found.verdict,
            figure=draw(found),
            loss=LOSS_WORDS[found.canary.metric],
            verdicts=VERDICTS,
            states=STATES,
            may_end=allowed(view.caller, "endpoints.deploy", self.endpoints.project_of(name)),
            form_token=view.form_token,
        )

    def end(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["endpoint"]
        self.canaries.end(view.caller, EndCanary(reason=fields.get("reason", "")), endpoint=name)
        return Redirect(f"/endpoints/{name}#canary")
