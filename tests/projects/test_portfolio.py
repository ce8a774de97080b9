"""What the portfolio knows: facts that other nouns tell it, in the order in which people are needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from taxiway.kernel.caller import SYSTEM, Caller
from taxiway.projects.portfolio import Health, Portfolio, PortfolioFact, Wait, sort_rows
from taxiway.projects.service import enter_stage
from taxiway.web.figures.path import Gate
from tests.support.live import Live

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def portfolio(live: Live) -> Portfolio:
    for name in ("calm", "failing", "waiting", "waiting-longer"):
        live.client.projects.create(name)
    live.house.portfolio.tell(know)
    return live.house.portfolio


def know(caller: Caller, names: list[str]) -> dict[str, PortfolioFact]:
    gates = (Gate(name="fairness", verdict="inconclusive"),)
    recent = LONG_AGO + timedelta(days=9)
    return {
        "failing": PortfolioFact(health=Health("fail", "1 alert", "/monitors/failing")),
        "waiting": PortfolioFact(waits=(Wait("vera", "approval", "/models/m", since=recent),)),
        "waiting-longer": PortfolioFact(
            waits=(Wait("vera", "approval", "/models/n", since=LONG_AGO),), gates={"staging": gates}
        ),
        "a project that was not asked for": PortfolioFact(),
    }


def test_whoever_waits_longest_stands_first_then_what_fails(portfolio: Portfolio) -> None:
    rows = portfolio.rows(SYSTEM)

    assert [row.name for row in rows] == ["waiting-longer", "waiting", "failing", "calm"]


def test_the_worst_health_that_anybody_knows_counts(portfolio: Portfolio) -> None:
    portfolio.tell(lambda caller, names: {"failing": PortfolioFact(health=Health("pass", "in order"))})

    row = portfolio.row(SYSTEM, "failing")

    assert row.health == Health("fail", "1 alert", "/monitors/failing")


def test_a_project_that_nobody_speaks_of_is_not_live(portfolio: Portfolio) -> None:
    assert portfolio.row(SYSTEM, "calm").health == Health("missing", "not live")


def test_the_path_carries_the_gates_that_are_known(portfolio: Portfolio) -> None:
    path = portfolio.row(SYSTEM, "waiting-longer").path

    assert [stage.name for stage in path.stages if stage.gates] == ["staging"]
    assert "fairness (inconclusive)" in path.words()


def test_the_dot_stands_at_the_furthest_stage(live: Live, portfolio: Portfolio) -> None:
    def go(stage: str) -> None:
        live.house.ledger.change(
            SYSTEM,
            "test.go",
            "project:calm",
            lambda record: enter_stage(record, "calm", stage, because="model:m@1"),  # type: ignore[arg-type]
            answer=type(None),
        )

    go("candidate")
    go("data")

    row = portfolio.row(SYSTEM, "calm")
    assert row.stage == "candidate"
    assert not row.is_live


@pytest.mark.parametrize(
    ("order", "first"), [("name", "calm"), ("-name", "waiting-longer"), ("health", "failing"), ("??", "waiting-longer")]
)
def test_rows_are_sorted_by_a_column(portfolio: Portfolio, order: str, first: str) -> None:
    assert sort_rows(portfolio.rows(SYSTEM), order)[0].name == first


def test_somebody_sees_only_their_own_projects(live: Live, portfolio: Portfolio) -> None:
    live.as_person("ana", "viewer", project="failing")
    ana = Caller(name="ana", kind="person")

    assert [row.name for row in portfolio.rows(ana)] == ["failing"]
