"""The emergency stop under load: within two seconds nobody gets a prediction any more, not even who waited for one."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest

from taxiway.endpoints.gateway.configuration import Stopped
from taxiway.endpoints.refusals import EndpointStopped, ReasonMissing
from taxiway.kernel.errors import NotAllowed, TaxiwayError
from tests.endpoints.conftest import Answer, Site, until
from tests.endpoints.load import under_load
from tests.endpoints.running_server import ROW, Platform

WITHIN_S = 2.0
SAID = Stopped("otto", datetime(2026, 5, 1, 12, 30, tzinfo=UTC), "it rejects everybody")


class Waiting(threading.Thread):
    """A caller whose one row keeps the model busy for longer than anybody should wait."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.site = site
        self.answer: Answer | None = None

    def run(self) -> None:
        self.answer = self.site.ask({"x": 8, "mood": "sleep"})


def predicted(answer: Answer) -> bool:
    return answer.status == 200 and not answer.body.get("is_fallback", False)


def test_callers_of_a_stopped_endpoint_are_told_by_whom_when_and_why(served: Site) -> None:
    served.change("adder", is_stopped=True, stopped=SAID)

    until(lambda: served.ask({"x": 1}).status == 503, WITHIN_S)

    answer = served.ask({"x": 1})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["error"] == "EndpointStopped"
    assert answer.body["facts"] == {
        "endpoint": "adder",
        "by": "otto",
        "at": "2026-05-01T12:30:00Z",
        "reason": "it rejects everybody",
    }
    assert "was stopped by otto on 2026-05-01 at 12:30 UTC: it rejects everybody." in answer.body["detail"]


def test_who_waits_for_a_revision_that_leaves_gets_no_prediction_either(served: Site) -> None:
    waiting = Waiting(served)
    waiting.start()
    until(lambda: served.revision().in_flight == 1)
    served.deploy("2")
    served.until_live(2)

    served.change("adder", is_stopped=True, stopped=SAID)
    waiting.join(WITHIN_S)

    assert waiting.answer is not None
    assert (waiting.answer.status, waiting.answer.body["error"]) == (503, "EndpointStopped")


def test_who_waits_for_a_slow_model_gets_no_prediction_either(served: Site) -> None:
    waiting = [Waiting(served) for _ in range(3)]
    for each in waiting:
        each.start()
    until(lambda: served.revision().in_flight == 3)

    at = time.monotonic()
    served.change("adder", is_stopped=True, stopped=SAID)
    for each in waiting:
        each.join(WITHIN_S + 1)

    assert time.monotonic() - at < WITHIN_S
    assert [each.answer.body["error"] for each in waiting if each.answer] == ["EndpointStopped"] * 3


@pytest.mark.parametrize("fallback", [None, {"prediction": 0, "why": "closed"}])
def test_under_load_nothing_is_predicted_two_seconds_after_the_stop(
    served: Site, fallback: dict[str, object] | None
) -> None:
    with under_load(served, callers=12) as load:
        until(lambda: len(load.answers) > 200)
        served.change("adder", is_stopped=True, stopped=SAID, fallback=fallback)
        time.sleep(WITHIN_S)
        before = len(load.answers)
        until(lambda: len(load.answers) > before + 200)

    late = load.answers[before + 12 :]  # what was under way when it was counted is left out
    assert load.broken == []
    assert not [answer for answer in late if predicted(answer)]
    if fallback is None:
        assert {answer.status for answer in late} == {503}
    else:
        assert {answer.status for answer in late} == {200}
        assert all(answer.body["predictions"] == [fallback] for answer in late)
        assert late[0].headers["taxiway-fallback"] == "1"


def test_an_operator_stops_it_and_answers_for_starting_it_again(platform: Platform) -> None:
    with pytest.raises(NotAllowed):
        platform.ana.endpoints.stop("mortgage", reason="odd")
    platform.olu.endpoints.declare_fallback("mortgage", {"prediction": 0})

    at = time.monotonic()
    stopped = platform.olu.endpoints.stop("mortgage", reason="it rejects everybody")
    until(lambda: platform.ana.endpoints.invoke("mortgage", ROW).is_fallback, WITHIN_S)

    assert time.monotonic() - at < WITHIN_S
    assert (stopped.state, stopped.stopped_by, stopped.fallback) == ("stopped", "olu", {"prediction": 0})
    assert platform.at_gateway().endpoints.invoke("mortgage", [ROW, ROW]).predictions == [{"prediction": 0}] * 2
    platform.olu.endpoints.declare_fallback("mortgage", None)
    until(lambda: is_refused(platform), WITHIN_S)
    with pytest.raises(ReasonMissing):
        platform.olu.endpoints.start("mortgage", reason=" ")
    started = platform.olu.endpoints.start("mortgage", reason="the new rates were a mistake of the feed")
    assert started.stopped_by == ""
    until(lambda: not is_refused(platform))
    verbs = [entry.verb for entry in platform.owner.audit.entries(limit=6).items]
    assert {"endpoints.stop", "endpoints.start", "endpoints.declare_fallback"} <= set(verbs)


def is_refused(platform: Platform) -> bool:
    try:
        platform.ana.endpoints.invoke("mortgage", ROW)
    except EndpointStopped as refusal:
        return refusal.by == "olu"
    except TaxiwayError:  # its workers start
        return True
    return False
