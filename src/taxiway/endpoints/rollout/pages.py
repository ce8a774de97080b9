"""The pages of an endpoint's traffic: the bar and its form, shadows and where they differ, history and undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from taxiway.endpoints.contract import Revision
from taxiway.endpoints.rollout.commands import parse_rule, parse_share
from taxiway.endpoints.rollout.contract import (
    AddShadow,
    AskComparison,
    ChangeGuard,
    ChangeTraffic,
    RemoveShadow,
    ShadowComparison,
    TrafficDetail,
    UndoTraffic,
)
from taxiway.endpoints.rollout.drawing import TrafficBar
from taxiway.endpoints.rollout.guard import Guard
from taxiway.endpoints.rollout.judging import Comparing
from taxiway.endpoints.rollout.service import Traffic
from taxiway.endpoints.rollout.split import Share, told
from taxiway.endpoints.service import Endpoints
from taxiway.kernel.errors import BadField
from taxiway.web.site import Html, Redirect, Site, View

MOST_OFFERED = 6  # revisions that the form offers
GUARD_WORDS = {
    "least": "Bad requests at least",
    "seconds": "In different seconds",
    "errors_percent": "Errors, %",
    "missing_percent": "NaN or missing, %",
    "schema_percent": "Off its signature, %",
    "slow_percent": "Slow, %",
    "latency_factor": "Slow: times p99 before",
    "latency_ms": "Slow: or above, ms",
    "growth_mb": "Memory growth, MB",
    "warm_s": "Before kept warm, s",
    "ready_within_s": "Ready within, s",
}


class TrafficPages:
    """What the endpoint's page shows and takes of its traffic. show: the endpoint's page itself."""

    def __init__(self, endpoints: Endpoints, show: Callable[[View], Html]) -> None:
        self.endpoints = endpoints
        self.traffic = Traffic(endpoints)
        self.show = show

    def values(self, view: View, name: str, revisions: list[Revision]) -> dict[str, Any]:
        """What the template of the traffic section asks for."""
        detail = self.traffic.show(view.caller, endpoint=name)
        names = {each.number: f"{each.model} v{each.version}" for each in revisions}
        numbers = offered(detail, revisions)
        fields = {n: view.sent.get(f"share-{n}", f"{detail.wanted.percent(n):g}") for n in numbers}
        last = detail.history[0] if detail.history else None
        return {
            "traffic": detail,
            "bar": TrafficBar(title="Traffic by revision", shares=detail.wanted.shares, names=names),
            "names": names,
            "fields": [(n, names.get(n, ""), fields[n]) for n in numbers],
            "rules": view.sent.get("rules", "\n".join(worded(rule) for rule in detail.wanted.rules)),
            "sticky": view.sent.get("sticky", detail.wanted.sticky),
            "told": lambda split: told(split).replace(" %", "\N{NO-BREAK SPACE}%"),
            # What was fallen from is no place to go back to by one click; the list below has it.
            "back": detail.history[1] if last is not None and not last.cause and len(detail.history) > 1 else None,
            "fell": detail.last_fall if last is not None and last.cause and detail.last_fall is not None else None,
            "shadow_versions": self._versions(view, name),
            "guard_fields": [
                (field, words, shown(getattr(detail.guard, field))) for field, words in GUARD_WORDS.items()
            ],
        }

    def _versions(self, view: View, name: str) -> list[tuple[str, str]]:
        """What may become a shadow: the project's versions from the stage before the endpoint's on."""
        record = self.endpoints.find(name)
        found = self.endpoints.below.models.in_project(record.project)
        stages = ("staging", "production") if record.serves == "production" else ("none", "staging", "production")
        return [
            (f"{each.model}@{each.version}", f"{each.model} v{each.version}, {each.stage}")
            for each in found
            if each.stage in stages
        ]

    # --- forms ---

    def change(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["endpoint"]
        shares = [
            Share(int(field.removeprefix("share-")), percent(value))
            for field, value in fields.items()
            if field.startswith("share-") and value.strip() not in ("", "0")
        ]
        rules = [parse_rule(line.strip()) for line in fields.get("rules", "").splitlines() if line.strip()]
        named = {share.revision for share in shares}
        shares += [Share(n, 0.0) for n in dict.fromkeys(rule.revision for rule in rules) if n not in named]
        body = ChangeTraffic(shares, fields.get("sticky", "").strip(), rules, fields.get("reason", ""))
        self.traffic.change(view.caller, body, endpoint=name)
        return Redirect(f"/endpoints/{name}#traffic")

    def undo(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["endpoint"]
        self.traffic.undo(view.caller, UndoTraffic(to=number(fields.get("to", "0"), "to")), endpoint=name)
        return Redirect(f"/endpoints/{name}#traffic")

    def add_shadow(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["endpoint"]
        share = parse_share(fields.get("share", "100%"))
        if not 0 < share <= 1:
            raise BadField(field="share", value=fields.get("share", ""), expected="above 0 % and up to 100 %")
        self.traffic.add_shadow(view.caller, AddShadow(version=fields.get("version", ""), share=share), endpoint=name)
        return Redirect(f"/endpoints/{name}#shadows")

    def remove_shadow(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["endpoint"]
        revision = number(fields.get("revision", ""), "revision")
        self.traffic.remove_shadow(view.caller, RemoveShadow(), endpoint=name, number=revision)
        return Redirect(f"/endpoints/{name}#shadows")

    def change_guard(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["endpoint"]
        given: dict[str, Any] = {field: fields[field].strip() for field in GUARD_WORDS if fields.get(field, "").strip()}
        try:
            guard = msgspec.convert({**given, "is_on": "is_on" in fields}, Guard, strict=False)
        except msgspec.ValidationError as e:
            raise BadField(field="conditions", value="what was given", expected=f"numbers as by default ({e})") from e
        self.traffic.change_guard(view.caller, ChangeGuard(guard, fields.get("reason", "")), endpoint=name)
        return Redirect(f"/endpoints/{name}#guard")

    # --- where a shadow differs ---

    def compare(self, view: View) -> Html:
        name, revision = view.path["endpoint"], number(view.path["number"], "revision")
        found = Comparing(self.endpoints).compare(view.caller, AskComparison(rows=50), endpoint=name, number=revision)
        values = {
            "title": f"Shadow {revision} of {name}",
            "project": self.endpoints.project_of(name),
            "name": name,
            "found": found,
            "shadow": self.endpoints.revision(view.caller, endpoint=name, number=revision),
            "answer": answer_for(found),
            "said": said,
        }
        return Html("endpoints/shadow.html", "endpoints", values)


def said(fields: dict[str, Any] | None) -> str:
    """
    >>> said({"prediction": 1, "score": 0.578877538})
    'prediction 1, score 0.5789'
    """
    if fields is None:
        return "nothing"
    return (
        ", ".join(
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in fields.items()
        )
        or "–"
    )


def offered(detail: TrafficDetail, revisions: list[Revision]) -> list[int]:
    """The revisions that the form has a field for: those that have a part, and the newest of the others."""
    have = [*detail.wanted.revisions, *(each.shadow.revision for each in detail.shadows), *detail.warm]
    newest = [each.number for each in revisions if each.state != "refused"]
    return list(dict.fromkeys([*have, *newest]))[: max(MOST_OFFERED, len(set(have)))]


def worded(rule: Any) -> str:
    return f"{rule.header}={rule.value}:{rule.revision}"


def shown(value: Any) -> str:
    return "" if value is None else f"{value:g}"


def percent(text: str) -> float:
    try:
        return float(text.strip().removesuffix("%"))
    except ValueError as e:
        raise BadField(field="share", value=repr(text), expected="a percentage, such as 90") from e


def number(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadField(field=field, value=repr(text), expected="a number")
    return int(text)


def answer_for(found: ShadowComparison) -> str:
    """How much a shadow agrees, in a sentence."""
    head = f"Revision {found.shadow} of {found.endpoint}"
    if not found.compared:
        return f"{head} has answered no copy yet"
    share = 100 * found.agreed / found.compared
    where = f", least where {found.cohorts[0].column} is {found.cohorts[0].value}" if found.cohorts else ""
    return f"{head} answers {share:.1f} % of rows as callers were answered{where}"


def add(site: Site, pages: TrafficPages) -> None:
    """Serves the forms and the comparison."""
    site.page("/endpoints/{endpoint}/shadows/{number}", pages.compare, needs="endpoints.read")
    for path, act in (
        ("traffic", pages.change),
        ("traffic/undo", pages.undo),
        ("shadows", pages.add_shadow),
        ("shadows/remove", pages.remove_shadow),
        ("guard", pages.change_guard),
    ):
        site.form(f"/endpoints/{{endpoint}}/{path}", act, page=pages.show, needs="endpoints.deploy")
