"""What is known of every project at a glance. Nouns above add what they know; nobody here asks them by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal

from msgspec import Struct

from taxiway.kernel.caller import Caller
from taxiway.projects.contract import ProjectStage, ProjectStanding
from taxiway.projects.service import STAGES, Projects
from taxiway.projects.waiting import Wait, Waiting
from taxiway.web.figures.path import Gate, PathDrawing, Stage
from taxiway.web.words import ago_now

Verdict = Literal["pass", "inconclusive", "fail", "missing"]
WORST_FIRST: tuple[Verdict, ...] = ("fail", "inconclusive", "pass", "missing")


class Health(Struct, frozen=True):
    """How something stands, in a word of its own ("healthy", "1 alert"), with the page that says more."""

    verdict: Verdict
    word: str
    url: str = ""


class PortfolioFact(Struct, frozen=True):
    """What one noun knows of one project. `gates` are those that stand before a stage of its way."""

    health: Health | None = None
    gates: dict[ProjectStage, tuple[Gate, ...]] = {}


Teller = Callable[[Caller, list[str]], dict[str, PortfolioFact]]
"""Given the caller and names of projects, what a noun knows of those it knows anything of. One call for all."""


class PortfolioRow(Struct, frozen=True):
    """One project with everything that is known of it."""

    standing: ProjectStanding
    health: Health
    waits: tuple[Wait, ...]
    path: PathDrawing
    lead_s: float  # from idea to production, or so far
    is_live: bool  # it has reached production

    @property
    def name(self) -> str:
        return self.standing.project.name

    @property
    def stage(self) -> ProjectStage:
        return STAGES[self.path.here]


class Portfolio:
    """Every project with what all nouns know of it."""

    def __init__(self, projects: Projects, clock: Callable[[], datetime]) -> None:
        self.projects = projects
        self.clock = clock
        self.tellers: list[Teller] = []
        self.waiting = Waiting(projects.access)
        self.paths: Callable[[Caller], list[str]] = lambda caller: []  # the paths that a project may take

    def tell(self, teller: Teller) -> None:
        """Adds a noun's knowledge: its health, the gates it knows."""
        self.tellers.append(teller)

    def rows(self, caller: Caller) -> list[PortfolioRow]:
        """A row for each project that the caller may see, those that need someone first."""
        standings = self.projects.list(caller).items
        names = [standing.project.name for standing in standings]
        facts, waits = self._facts(caller, names), self.waiting.of(caller, names)
        rows = [
            self._row(each, facts[name], waits[name], is_small=True)
            for name, each in zip(names, standings, strict=True)
        ]
        return sorted(rows, key=needs_someone)

    def row(self, caller: Caller, project: str) -> PortfolioRow:
        """One project's row, its path drawn large. Raises NotFound."""
        standing = self.projects.show(caller, project=project)
        facts, waits = self._facts(caller, [project]), self.waiting.of(caller, [project])
        return self._row(standing, facts[project], waits[project], is_small=False)

    def _facts(self, caller: Caller, names: list[str]) -> dict[str, list[PortfolioFact]]:
        found: dict[str, list[PortfolioFact]] = {name: [] for name in names}
        for teller in self.tellers if names else []:
            told = teller(caller, names)
            for name, facts in found.items():  # a teller may know more projects than were asked for
                if name in told:
                    facts.append(told[name])
        return found

    def _row(
        self, standing: ProjectStanding, facts: list[PortfolioFact], waits: list[Wait], *, is_small: bool
    ) -> PortfolioRow:
        entered = {entry.stage: entry.entered_at for entry in standing.stages}
        live_at = entered.get("production")
        end = live_at or self.clock()
        return PortfolioRow(
            standing=standing,
            health=worst([fact.health for fact in facts if fact.health], is_live=live_at is not None),
            waits=tuple(waits),
            path=draw_path(standing, facts, is_small=is_small),
            lead_s=(end - standing.project.created_at).total_seconds(),
            is_live=live_at is not None,
        )


def draw_path(standing: ProjectStanding, facts: list[PortfolioFact], *, is_small: bool) -> PathDrawing:
    """The project's way with its gates; the dot stands at the furthest stage it has entered."""
    entered = {entry.stage: entry.entered_at for entry in standing.stages}
    stages = tuple(
        Stage(
            name=stage,
            gates=tuple(gate for fact in facts for gate in fact.gates.get(stage, ())),
            since=ago_now(entered[stage]) if stage in entered else "",
        )
        for stage in STAGES
    )
    here = max((STAGES.index(stage) for stage in entered), default=0)
    return PathDrawing(title=f"The way of {standing.project.name}", stages=stages, here=here, is_small=is_small)


def worst(healths: list[Health], *, is_live: bool) -> Health:
    """The health that matters most; a project of which nobody says anything is not watched, or not live yet."""
    if not healths:
        return Health("missing", "not watched" if is_live else "not live")
    return min(healths, key=lambda health: WORST_FIRST.index(health.verdict))


def needs_someone(row: PortfolioRow) -> tuple[int, float, int, str]:
    """The order of rows: those that wait for someone, the longest waiting first; then by health; then by name."""
    since = [wait.since.timestamp() for wait in row.waits if wait.since]
    return (0 if row.waits else 1, min(since, default=0.0), WORST_FIRST.index(row.health.verdict), row.name)


def sort_rows(rows: Iterable[PortfolioRow], order: str) -> list[PortfolioRow]:
    """The rows by a column, falling where the order begins with "-"; an unknown column leaves them as they are."""
    keys: dict[str, Callable[[PortfolioRow], tuple[object, ...]]] = {
        "name": lambda row: (row.name,),
        "risk": lambda row: (("high", "medium", "low").index(row.standing.project.risk), row.name),
        "stage": lambda row: (row.path.here, row.name),
        "health": lambda row: (WORST_FIRST.index(row.health.verdict), row.name),
        "lead": lambda row: (row.lead_s, row.name),
        "waits": needs_someone,
    }
    key = keys.get(order.removeprefix("-"))
    return sorted(rows, key=key, reverse=order.startswith("-")) if key else list(rows)
