"""What the portfolio knows: facts that other nouns tell it, in the order in which people are needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from taxiway.kernel.caller import SYSTEM, Caller
from taxiway.projects.portfolio import Health, Portfolio, PortfolioFact, sort_rows
from taxiway.projects.service import enter_stage
from taxiway.projects.waiting import Wait
from taxiway.web.figures.path import Gate
from tests.support.live import Live

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def portfolio(live: Live) -> Portfolio:
    for name in ("calm", "failing", "waiting", "waiting-longer"):
        live.client.projects.create(name)
    live.house.portfolio.tell(know)
    live.house.portfolio.waiting.waiters.append(ask)
    return live.house.portfolio


def know(caller: Caller, names: list[str]) -> dict[str, PortfolioFact]:
    gates = (Gate(name="fairness", verdict="inconclusive"),)
    return {
        "failing": PortfolioFact(health=Health("fail", "1 alert", "/monitors/failing")),
        "waiting-longer": PortfolioFact(gates={"staging": gates}),
        "a project that was not asked for": PortfolioFact(),
    }


def ask(caller: Caller, names: list[str]) -> dict[str, list[Wait]]:
    recent = LONG_AGO + timedelta(days=9)
    return {
        "waiting": [Wait(("vera",), "approve m", "/models/m", since=recent)],
        "waiting-longer": [Wait(("olu", "vera"), "approve n", "/models/n", since=LONG_AGO)],
        "a project that was not asked for": [Wait(("vera",), "nothing", "/")],
    }


def test_whoever_waits_longest_stands_first_then_what_fails(portfolio: Portfolio) -> None:
    rows = portfolio.rows(SYSTEM)

    assert [row.name for row in rows] == ["waiting-longer", "waiting", "failing", "calm"]


def test_what_waits_for_somebody_stands_in_their_inbox_with_the_words_of_the_portfolio(
    live: Live, portfolio: Portfolio
) -> None:
    for project in ("waiting", "waiting-longer"):
        live.as_person("olu", "operator", project=project)

    named = {row.name: wait for row in portfolio.rows(SYSTEM) for wait in row.waits if "olu" in wait.people}

    assert named["waiting-longer"].who == "olu or vera"
    todos = portfolio.waiting.todos([row.name for row in portfolio.rows(SYSTEM)])
    assert {todo.project: todo.what for todo in todos if "olu" in todo.people} == {
        project: wait.what for project, wait in named.items()
    }


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


def test_work_waits_for_whoever_may_do_it_for_its_author_first_and_else_for_an_admin(live: Live) -> None:
    live.client.projects.create("fraud")
    who_could = live.house.portfolio.waiting.who_could
    live.as_person("ines", is_admin=True)
    assert who_could("fraud", "monitors.write") == ("ines",)

    for name, role in (("olu", "operator"), ("ana", "owner"), ("vera", "viewer")):
        live.as_person(name, role, project="fraud")

    assert who_could("fraud", "monitors.write") == ("ana", "olu")
    assert who_could("fraud", "monitors.write", first="olu") == ("olu",)
    assert who_could("fraud", "monitors.write", first="vera") == ("ana", "olu")
