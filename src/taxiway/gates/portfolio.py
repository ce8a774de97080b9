"""What gates tell the portfolio: for each project the gates of the version that matters now, and whom it waits for."""

from __future__ import annotations

from datetime import datetime

from taxiway.gates.service import Gates
from taxiway.kernel.caller import Caller
from taxiway.kernel.thing import href
from taxiway.models.contract import ModelVersion
from taxiway.models.outlook import Judge, Outlook
from taxiway.projects.contract import ProjectStage
from taxiway.projects.portfolio import PortfolioFact, Wait
from taxiway.web.figures.path import Gate
from taxiway.web.words import listed


class GateTeller:
    def __init__(self, gates: Gates, judge: Judge) -> None:
        self.gates = gates
        self.judge = judge

    def tell(self, caller: Caller, projects: list[str]) -> dict[str, PortfolioFact]:
        """Projects without a version are left out."""
        asked = {(item.request.model, item.request.version): item.request.at for item in self.gates.inbox(caller).items}
        found: dict[str, PortfolioFact] = {}
        for project in projects:
            version = self._matters(project)
            if version is not None:
                outlook = self.judge(caller, version)
                since = asked.get((version.model, version.version))
                found[project] = PortfolioFact(waits=waits(version, outlook, since), gates=gates_of(outlook))
        return found

    def _matters(self, project: str) -> ModelVersion | None:
        """The newest version that is not archived. One older than the version in production has been overtaken."""
        return next((each for each in self.gates.models.in_project(project) if each.stage != "archived"), None)


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


def waits(version: ModelVersion, outlook: Outlook, since: datetime | None) -> tuple[Wait, ...]:
    """Who is needed: to approve, once somebody asked, or to move what is open."""
    url = href(version.ref)
    name = f"{version.model} version {version.version}"
    if outlook.waits and since is not None:
        return (Wait(listed(list(outlook.waits), "or"), f"approve {name}", f"{url}#approval", since),)
    if outlook.waits:
        return (Wait(version.created_by, f"ask for approval of {name}", f"{url}#approval"),)
    if outlook.verdict == "pass" and version.stage != "production":
        return (Wait(version.created_by, f"move {name} to production", f"{url}#promote"),)
    return ()
