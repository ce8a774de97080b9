"""The canary on its endpoint's page: the verdict in words, the figure, what is still missing, and what follows."""

from __future__ import annotations

import math
from typing import get_args

from taxiway.endpoints.canary.contract import BeginCanary, EndCanary
from taxiway.endpoints.canary.drawing import draw
from taxiway.endpoints.canary.laws.verdict import LOSS_WORDS
from taxiway.endpoints.canary.service import Canaries
from taxiway.endpoints.canary.told import following, proxy_rows
from taxiway.endpoints.contract import EndpointRecord
from taxiway.endpoints.rollout.commands import parse_share
from taxiway.endpoints.service import Endpoints
from taxiway.gates.canaries.contract import CanaryMetric
from taxiway.kernel.errors import BadField
from taxiway.web.site import Redirect, Site, View

VERDICTS = {"promote": "pass", "roll back": "fail", "not enough yet": "missing"}
STATES = {"running": "missing", "promoted": "pass", "rolled back": "fail", "ended": "inconclusive"}
BEFORE = {"production": ("staging", "production"), "staging": ("none", "staging", "production")}
MARGIN = "how much worse its loss may be, such as 0.01"


class CanaryPages:
    def __init__(self, site: Site, endpoints: Endpoints) -> None:
        self.site = site
        self.endpoints = endpoints
        self.canaries = Canaries(endpoints)

    def panel(self, view: View, record: EndpointRecord) -> str:
        """The latest canary of an endpoint, and the form that begins one; empty where there is neither."""
        found = None if record.is_external else self.canaries.latest(record.name)
        may_change = self.endpoints.below.access.is_allowed(view.caller, "endpoints.deploy", record.project)
        is_over = found is None or found.canary.state != "running"
        can_begin = may_change and is_over and record.state == "answering" and len(answering(record)) == 1
        versions = self._versions(record) if can_begin else []
        if found is None and not versions:
            return ""
        return self.site.fragment(
            "endpoints/canary.html",
            name=record.name,
            detail=found,
            canary=found.canary if found else None,
            verdict=found.verdict if found else None,
            figure=draw(found) if found else None,
            loss=LOSS_WORDS[found.canary.metric] if found else "",
            following=following(found) if found else "",
            proxies=proxy_rows(found.canary.proxy) if found and found.canary.proxy else [],
            verdicts=VERDICTS,
            states=STATES,
            may_end=may_change,
            versions=versions,
            metrics=[(each, LOSS_WORDS[each]) for each in get_args(CanaryMetric)],
            sent=view.sent if "margin" in view.sent else {},
            form_token=view.form_token,
        )

    def _versions(self, record: EndpointRecord) -> list[tuple[str, str]]:
        """What may be tried: the project's versions that stand where the endpoint serves, or the stage before."""
        found = self.endpoints.below.models.in_project(record.project)
        here = (record.model, record.version)
        return [
            (f"{each.model}@{each.version}", f"{each.model} v{each.version}, {each.stage}")
            for each in found
            if each.stage in BEFORE[record.serves] and (each.model, each.version) != here
        ]

    def begin(self, view: View, fields: dict[str, str]) -> Redirect:
        """What is left empty is as the version's path asks it."""
        name = view.path["endpoint"]
        text = {field: fields.get(field, "").strip() for field in ("share", "metric", "margin", "cluster", "clusters")}
        share = parse_share(text["share"]) if text["share"] else None
        if share is not None and not 0 < share <= 0.5:
            raise BadField(field="share", value=text["share"], expected="above 0 % and up to 50 %, such as 10%")
        clusters = int(number(text["clusters"], "clusters", "a number from 6 on")) if text["clusters"] else None
        if clusters is not None and not 6 <= clusters <= 1000:
            raise BadField(field="clusters", value=text["clusters"], expected="a number from 6 to 1000")
        metric = next((each for each in get_args(CanaryMetric) if each == text["metric"]), None)
        body = BeginCanary(
            version=fields.get("version", ""),
            share=share,
            metric=metric,
            non_inferiority=number(text["margin"], "margin", MARGIN) if text["margin"] else None,
            cluster=text["cluster"] or None,
            min_clusters=clusters,
            paired=False if fields.get("unpaired") else None,
            reason=fields.get("reason", ""),
        )
        self.canaries.begin(view.caller, body, endpoint=name)
        return Redirect(f"/endpoints/{name}#canary")

    def end(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["endpoint"]
        self.canaries.end(view.caller, EndCanary(reason=fields.get("reason", "")), endpoint=name)
        return Redirect(f"/endpoints/{name}#canary")


def answering(record: EndpointRecord) -> list[int]:
    return [share.revision for share in record.split if share.percent > 0]


def number(text: str, field: str, expected: str) -> float:
    """A number of 0 or more. Raises BadField."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise BadField(field=field, value=repr(text), expected=expected)
    return found
