"""What gates tell the portfolio: for each project the gates of the version that matters now, and whom it waits for."""

from __future__ import annotations

from threading import local

from msgspec import Struct

from taxiway.gates.contract import InboxItem
from taxiway.gates.exceptions.contract import Waiver
from taxiway.gates.service import Gates
from taxiway.gates.showing.figures import gate_name
from taxiway.kernel.caller import Caller
from taxiway.kernel.thing import href
from taxiway.models.contract import ModelVersion
from taxiway.models.describing.outlook import Judge, Outlook
from taxiway.projects.contract import ProjectStage
from taxiway.projects.portfolio import PortfolioFact
from taxiway.projects.waiting import Wait, Waiting
from taxiway.web.figures.path import Gate

ON_ITS_WAY = ("none", "staging")


class Judged(Struct, frozen=True):
    """The version of a project that matters now, and how it stands."""

    version: ModelVersion
    outlook: Outlook


class Last(local):
    """What this thread judged last: a page asks for the gates and for what waits, and its head counts the inbox."""

    caller: Caller | None = None
    found: dict[str, Judged] = {}  # by project


class GateTeller:
    def __init__(self, gates: Gates, judge: Judge, waiting: Waiting) -> None:
        self.gates = gates
        self.judge = judge
        self.waiting = waiting
        self.last = Last()

    def tell(self, caller: Caller, projects: list[str]) -> dict[str, PortfolioFact]:
        """The gates of each project; projects without a version are left out."""
        judged = {project: self._judged(caller, project, self._matters(project)) for project in projects}
        return {name: PortfolioFact(gates=gates_of(each.outlook)) for name, each in judged.items() if each}

    def waits(self, caller: Caller, projects: list[str]) -> dict[str, list[Wait]]:
        """The approvals that were asked for, and the next step of the version that matters where none was."""
        found: dict[str, list[Wait]] = {}
        asked = self.gates.inbox(caller).items
        for item in asked:
            found.setdefault(item.request.project, []).append(request_of(item))
        for waiver in self.gates.waivers.living(caller).items:
            if waiver.waits:
                found.setdefault(waiver.project, []).append(self._waiver_of(waiver))
        known = {(item.request.model, item.request.version) for item in asked}
        for project in projects:
            version = self._matters(project)
            if version is None or version.stage not in ON_ITS_WAY or (version.model, version.version) in known:
                continue
            judged = self._judged(caller, project, version)
            if judged and (step := self._step(judged)):
                found.setdefault(project, []).append(step)
        return found

    def _waiver_of(self, waiver: Waiver) -> Wait:
        """A waiver that waits for whoever could grant it, and did not ask for it."""
        people = [name for name in self.waiting.who_could(waiver.project, "gates.waive") if name != waiver.asked_by]
        name, url = f"{waiver.model} version {waiver.version}", href(f"model:{waiver.model}@{waiver.version}")
        what = f"grant or refuse the waiver of {gate_name(waiver.gate)} for {name}"
        at, by, note = waiver.asked_at, waiver.asked_by, waiver.reason
        return Wait(tuple(people), what, f"{url}#exceptions", at, "waiver", f"waiver:{waiver.id}", by=by, note=note)

    def _step(self, judged: Judged) -> Wait | None:
        """What its author does next, or whoever may where the author may not: to ask for approval, or to move it."""
        version, outlook = judged.version, judged.outlook
        url, name = href(version.ref), f"{version.model} version {version.version}"
        if outlook.waits:
            people = self.waiting.who_could(version.project, "gates.evaluate", first=version.created_by)
            return Wait(people, f"ask for approval of {name}", f"{url}#approval")
        if outlook.verdict == "pass":
            people = self.waiting.who_could(version.project, "models.promote", first=version.created_by)
            return Wait(people, f"move {name} to production", f"{url}#promote")
        return None

    def _matters(self, project: str) -> ModelVersion | None:
        """The newest version that is not archived. One older than the version in production has been overtaken."""
        return next((each for each in self.gates.models.in_project(project) if each.stage != "archived"), None)

    def _judged(self, caller: Caller, project: str, version: ModelVersion | None) -> Judged | None:
        """How the version stands. Every request has a caller of its own, so nothing old is given."""
        if version is None:
            return None
        if self.last.caller is not caller or not caller.request_id:
            self.last.caller, self.last.found = caller, {}
        if project not in self.last.found:
            self.last.found[project] = Judged(version, self.judge(caller, version))
        return self.last.found[project]


def request_of(item: InboxItem) -> Wait:
    """A request for approval: it waits for whoever can give it."""
    asked = item.request
    url = f"{href(f'model:{asked.model}@{asked.version}')}#approval"
    what = f"approve {asked.model} version {asked.version} for {asked.stage}"
    people, thing = tuple(item.waits_for), f"model:{asked.model}@{asked.version}"
    key = f"approval:{thing}/{asked.stage}"
    return Wait(people, what, url, asked.at, "request", key, thing, asked.by, asked.note)


def gates_of(outlook: Outlook) -> dict[ProjectStage, tuple[Gate, ...]]:
    """The gates before staging and before production."""
    stages = outlook.path.stages if outlook.path else ()
    found: dict[ProjectStage, tuple[Gate, ...]] = {}
    for stage in stages:
        match stage.name:
            case "staging":
                found["staging"] = stage.gates
            case "production":
                found["production"] = stage.gates
    return found
