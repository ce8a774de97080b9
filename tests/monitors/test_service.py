"""Monitors, through the SDK and over a real port, on SQLite and PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import numpy as np
import pytest

from taxiway.hooks.addresses import Reach
from taxiway.kernel.caller import SYSTEM
from taxiway.kernel.errors import AlreadyExists, BadField, NotAllowed, NotFound
from taxiway.monitors.contract import ReferenceUnfit
from taxiway.monitors.statistics import bin_edges, histogram
from taxiway.monitors.watching import MOST_WAITS, Watch
from tests.monitors.story import ENDPOINT, PROJECT, Story
from tests.monitors.traffic import APRIL, MARCH, MAY


def test_a_monitor_cuts_its_reference_once_and_keeps_the_bins(story: Story) -> None:
    made = story.olga.monitors.create(ENDPOINT)

    [temp, origin] = made.reference.features
    assert temp.bins == bin_edges(story.reference["temp"].to_numpy())
    assert temp.counts == histogram(story.reference["temp"].to_numpy(), temp.bins).tolist()
    assert origin.bins.categories == ("EWR", "JFK", "LGA")
    assert made.reference.dataset == f"dataset:{PROJECT}/training@1"
    assert made.reference.table == story.data.digest
    assert made.rules.baseline == pytest.approx(0.5, abs=0.2)
    assert "3 folds of whole days" in made.rules.baseline_from
    assert story.olga.monitors.show(ENDPOINT).monitor == made


def test_watching_is_the_last_stage_of_a_projects_way_and_an_edge(story: Story) -> None:
    story.olga.monitors.create(ENDPOINT)

    stages = [entry.stage for entry in story.olga.projects.show(PROJECT).stages]
    edges = {(e.source, e.verb) for e in story.olga.lineage.walk(f"monitor:{ENDPOINT}").edges}
    assert stages[-1] == "monitored"
    assert {(f"endpoint:{ENDPOINT}", "watched_by"), (story.data.ref, "reference_of")} <= edges


def test_a_month_that_holds_is_ok_and_one_that_turns_round_alerts(story: Story) -> None:
    story.month(MARCH)
    story.month(APRIL, turned=True)
    made = story.olga.monitors.create(ENDPOINT)

    done = story.olga.monitors.evaluate(ENDPOINT)

    march, april = done.computed
    [alert] = done.opened
    assert (march.state, april.state) == ("ok", "alert")
    assert (march.rows, march.labelled) == (600, 600)
    assert (alert.window, alert.window_name, alert.state) == (APRIL, "April 2013", "open")
    assert alert.baseline == made.rules.baseline
    assert alert.low > alert.baseline + alert.tolerance
    assert (alert.n, alert.clusters) == (600, 20)
    assert alert.url == "/monitors/flights?window=2013-04-01"
    assert "The whole interval is worse than that." in alert.sentence
    assert "concept drift" in alert.explanation
    assert story.live.last_verb() == "monitors.alert"


def test_drift_alone_is_noted_and_never_an_alert(story: Story) -> None:
    story.month(MAY, warmer=25)
    story.olga.monitors.create(ENDPOINT)

    done = story.olga.monitors.evaluate(ENDPOINT)

    [may] = done.computed
    [temp, origin] = may.drift
    assert temp.psi is not None
    assert temp.psi > 0.25
    assert (temp.is_noted, origin.is_noted) == (True, False)
    assert may.state == "drift noted"
    assert done.opened == []
    assert story.olga.monitors.alerts() == ()


def test_nothing_new_is_nothing_done(story: Story) -> None:
    story.month(APRIL, turned=True)
    story.olga.monitors.create(ENDPOINT)
    first = story.olga.monitors.evaluate(ENDPOINT)
    entries = len(story.live.client.audit.entries(limit=200).items)

    again = story.olga.monitors.evaluate(ENDPOINT)

    assert (again.computed, again.unchanged, again.opened) == ([], 1, [])
    assert len(story.live.client.audit.entries(limit=200).items) == entries
    assert story.olga.monitors.windows(ENDPOINT, superseded=True) == tuple(first.computed)


def test_late_labels_open_their_window_again_and_leave_the_others(story: Story) -> None:
    story.month(MARCH)
    kept_back = story.month(APRIL, turned=True, labelled=False)
    story.olga.monitors.create(ENDPOINT)
    [march, april] = story.olga.monitors.evaluate(ENDPOINT).computed

    story.label(kept_back)
    done = story.olga.monitors.evaluate(ENDPOINT)

    assert (april.performance_state, april.sentence) == ("no labels", "No labels have arrived for this window yet.")
    assert [(w.name, w.number, w.labelled) for w in done.computed] == [("April 2013", 2, 600)]
    assert done.unchanged == 1
    assert [a.window_name for a in done.opened] == ["April 2013"]
    assert story.olga.monitors.windows(ENDPOINT) == (march, done.computed[0])
    assert story.olga.monitors.windows(ENDPOINT, superseded=True) == (march, april, done.computed[0])


def test_an_alert_is_one_however_often_its_window_is_measured(story: Story) -> None:
    story.live.house.hooks.reach = Reach(["pager.intern"], lambda host, port: ["10.0.0.7"])
    story.live.client.hooks.add("pager", "http://pager.intern/", ["alert.opened"])
    story.month(APRIL, turned=True)
    story.olga.monitors.create(ENDPOINT)
    [first] = story.olga.monitors.evaluate(ENDPOINT).opened
    story.olga.monitors.acknowledge(ENDPOINT, first.id, comment="looking at the weather feed")

    story.month(APRIL + timedelta(days=20), days=5, turned=True)
    done = story.olga.monitors.evaluate(ENDPOINT)

    [kept] = story.olga.monitors.alerts(ENDPOINT)
    assert done.opened == []
    assert (kept.id, kept.state, kept.comment) == (first.id, "acknowledged", "looking at the weather feed")
    assert (kept.n, kept.clusters) == (750, 25)
    assert [told.event for told in story.live.client.hooks.deliveries("pager")] == ["alert.opened"]


def test_a_measurement_that_does_not_bear_an_alert_out_closes_it(story: Story) -> None:
    story.month(APRIL, days=15, turned=True)
    story.olga.monitors.create(ENDPOINT, tolerance=0.1)
    [alert] = story.olga.monitors.evaluate(ENDPOINT).opened

    story.month(APRIL + timedelta(days=15), days=14, rows=200)
    story.olga.monitors.evaluate(ENDPOINT)

    [closed] = story.olga.monitors.alerts(ENDPOINT)
    assert (closed.id, closed.state) == (alert.id, "resolved")
    assert "no longer" in closed.comment
    assert story.live.last_verb() == "monitors.resolved"


def test_what_a_measurement_closed_a_measurement_opens_again_and_a_person_for_good(story: Story) -> None:
    story.month(APRIL, days=15, turned=True)
    story.olga.monitors.create(ENDPOINT, tolerance=0.1)
    [alert] = story.olga.monitors.evaluate(ENDPOINT).opened
    story.month(APRIL + timedelta(days=15), days=14, rows=200)
    story.olga.monitors.evaluate(ENDPOINT)

    story.month(APRIL, days=29, rows=600, turned=True)
    [again] = story.olga.monitors.evaluate(ENDPOINT).opened
    story.olga.monitors.resolve(ENDPOINT, alert.id, comment="known, and lived with")
    story.month(APRIL, days=15, turned=True)
    last = story.olga.monitors.evaluate(ENDPOINT)

    assert (again.id, again.state) == (alert.id, "open")
    assert "worse after all" in again.comment
    assert [w.performance_state for w in last.computed] == ["alert"]
    assert last.opened == []
    assert story.olga.monitors.alerts()[0].comment == "known, and lived with"


def test_fourteen_days_are_needed_before_anything_counts(story: Story) -> None:
    story.month(APRIL, days=13, rows=60, turned=True)
    story.olga.monitors.create(ENDPOINT)

    [april] = story.olga.monitors.evaluate(ENDPOINT).computed

    assert april.state == "not enough yet"
    assert "14 blocks are needed" in april.sentence
    assert story.olga.monitors.alerts() == ()


def test_an_alert_is_acknowledged_by_a_person_with_a_comment(story: Story) -> None:
    story.month(APRIL, turned=True)
    story.olga.monitors.create(ENDPOINT)
    [alert] = story.olga.monitors.evaluate(ENDPOINT).opened

    with pytest.raises(BadField, match="what you found"):
        story.olga.monitors.acknowledge(ENDPOINT, alert.id, comment=" ")
    with pytest.raises(NotAllowed, match="olga"):
        story.ana.monitors.acknowledge(ENDPOINT, alert.id, comment="mine")
    taken = story.olga.monitors.acknowledge(ENDPOINT, alert.id, comment="the winter model meets spring")
    closed = story.olga.monitors.resolve(ENDPOINT, alert.id, comment="retrained")

    assert (taken.state, taken.changed_by) == ("acknowledged", "olga")
    assert (closed.state, closed.comment) == ("resolved", "retrained")
    assert story.olga.monitors.alerts(state="open") == ()
    with pytest.raises(BadField, match="not resolved"):
        story.olga.monitors.acknowledge(ENDPOINT, alert.id, comment="again")
    with pytest.raises(NotFound, match="taxiway monitors alerts"):
        story.olga.monitors.resolve(ENDPOINT, "0" * 32, comment="which?")


def test_two_evaluations_at_once_store_each_window_once(story: Story) -> None:
    story.month(MARCH)
    story.month(APRIL, turned=True)
    story.olga.monitors.create(ENDPOINT)
    monitors = story.live.house.monitors

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: monitors.evaluate(SYSTEM, monitor=ENDPOINT), range(2)))

    assert sorted(window.name for each in done for window in each.computed) == ["April 2013", "March 2013"]
    assert [len(each.opened) for each in done].count(1) == 1
    assert [w.number for w in story.olga.monitors.windows(ENDPOINT, superseded=True)] == [1, 1]


def test_the_watch_measures_what_grew_once_it_stands_still(story: Story) -> None:
    story.month(MARCH)
    story.olga.monitors.create(ENDPOINT)
    watch = Watch(story.live.house.monitors)

    watch.round()
    at_first = story.olga.monitors.windows(ENDPOINT)
    watch.round()
    story.month(APRIL, turned=True)
    watch.round()
    watch.round()
    entries = story.live.client.audit.entries(limit=200).items
    watch.round()

    assert at_first == ()
    assert [w.state for w in story.olga.monitors.windows(ENDPOINT)] == ["ok", "alert"]
    assert story.live.client.audit.entries(limit=200).items == entries
    assert (entries[0].actor, entries[0].verb) == ("taxiway", "monitors.alert")


def test_the_watch_does_not_wait_for_ever(story: Story) -> None:
    story.olga.monitors.create(ENDPOINT)
    watch = Watch(story.live.house.monitors)

    for day in range(MOST_WAITS + 1):
        story.month(MARCH + timedelta(days=day), days=1)
        watch.round()

    assert len(story.olga.monitors.windows(ENDPOINT)) == 1


def test_a_window_of_failed_requests_alone_has_no_rows(story: Story) -> None:
    story.traffic.send([{"temp": 1.0, "origin": "EWR"}] * 3, status="failed", at=MARCH)
    story.olga.monitors.create(ENDPOINT)

    [march] = story.olga.monitors.evaluate(ENDPOINT).computed

    assert (march.state, march.rows, march.failed) == ("no rows", 0, 3)
    assert {drift.psi for drift in march.drift} == {None}
    assert story.olga.monitors.show(ENDPOINT).windows == [march]


def test_an_endpoint_without_traffic_has_no_windows(story: Story) -> None:
    story.olga.monitors.create(ENDPOINT)

    done = story.olga.monitors.evaluate(ENDPOINT)

    assert (done.computed, done.unchanged) == ([], 0)
    [listed] = story.olga.monitors.list()
    assert (listed.state, listed.newest, listed.evaluated_at) == ("no rows", "", None)


def test_missing_values_have_their_own_bin(story: Story) -> None:
    story.traffic.send([{"temp": None, "origin": "EWR"}] * 200 + [{"origin": "JFK"}] * 200, at=MARCH)
    story.olga.monitors.create(ENDPOINT)

    [march] = story.olga.monitors.evaluate(ENDPOINT).computed

    [temp, _] = march.drift
    assert temp.counts[-1] == 400
    assert sum(temp.counts) == 400
    assert temp.is_noted


def test_labels_that_are_no_truth_values_are_said_and_judge_nothing(story: Story) -> None:
    labels = story.month(MARCH, labelled=False)
    story.olga.endpoints.label(ENDPOINT, [{"prediction_id": x.prediction_id, "row": x.row, "label": 3} for x in labels])
    story.olga.monitors.create(ENDPOINT)

    [march] = story.olga.monitors.evaluate(ENDPOINT).computed

    assert march.performance_state == "not enough yet"
    assert "600 labels are neither 0 nor 1" in march.sentence


def test_accuracy_is_measured_by_what_came_true(story: Story) -> None:
    story.month(MARCH)
    made = story.olga.monitors.create(ENDPOINT, metric="accuracy", features=["temp"])

    [march] = story.olga.monitors.evaluate(ENDPOINT).computed

    assert march.performance is not None
    assert march.performance.estimate.value == pytest.approx(made.rules.baseline, abs=0.06)
    assert [drift.name for drift in march.drift] == ["temp"]


def test_days_and_weeks_are_windows_too(story: Story) -> None:
    story.month(MARCH, days=14)
    story.olga.monitors.create(ENDPOINT, window="week", min_clusters=3)
    story.olga.monitors.create(ENDPOINT, name="flights-daily", window="day", cluster="hour", min_clusters=2)

    weeks = story.olga.monitors.evaluate(ENDPOINT).computed
    days = story.olga.monitors.evaluate("flights-daily").computed

    assert [(w.name, w.rows) for w in weeks] == [
        ("week of 25 Feb 2013", 90),
        ("week of 4 Mar 2013", 210),
        ("week of 11 Mar 2013", 120),
    ]
    assert len(days) == 14
    assert [m.name for m in story.olga.monitors.list()] == ["flights", "flights-daily"]


def test_a_given_baseline_needs_no_predictions(story: Story) -> None:
    made = story.olga.monitors.create(ENDPOINT, baseline=0.5, reference=story.data.ref)

    assert (made.rules.baseline, made.rules.baseline_from) == (0.5, "given")


def test_a_reference_without_the_features_is_refused_by_name(story: Story) -> None:
    cold = story.ana.datasets.register("cold", story.reference.select(["temp"]), project=PROJECT)

    with pytest.raises(ReferenceUnfit, match="has no column origin") as refusal:
        story.olga.monitors.create(ENDPOINT, reference=cold.ref)

    assert refusal.value.endpoint == ENDPOINT
    assert story.olga.monitors.create(ENDPOINT, reference=cold.ref, features=["temp"]).reference.dataset == cold.ref


def test_bad_numbers_and_names_are_refused_by_field(story: Story) -> None:
    create = story.olga.monitors.create

    for field, refused in {
        "tolerance": {"tolerance": -1.0},
        "min_clusters": {"min_clusters": 1},
        "drift_note": {"drift_note": 0.0},
        "features": {"features": ["wind"]},
        "reference": {"reference": "model:flights@1"},
        "name": {"name": "No Spaces"},
    }.items():
        with pytest.raises(BadField) as refusal:
            create(ENDPOINT, **refused)  # type: ignore[arg-type]
        assert refusal.value.field == field
    with pytest.raises(NotFound, match="taxiway endpoints list"):
        story.live.client.monitors.create("nowhere")
    create(ENDPOINT)
    with pytest.raises(AlreadyExists, match="another name"):
        create(ENDPOINT)


def test_a_stranger_sees_no_monitor_and_no_alert(story: Story) -> None:
    story.month(APRIL, turned=True)
    story.olga.monitors.create(ENDPOINT)
    story.olga.monitors.evaluate(ENDPOINT)
    eve = story.live.as_person("eve")

    assert (eve.monitors.list(), eve.monitors.alerts()) == ([], ())
    with pytest.raises(NotFound):
        eve.monitors.show(ENDPOINT)


def test_the_numbers_of_a_window_are_the_numbers_of_its_rows(story: Story) -> None:
    labels = story.month(MARCH)
    story.olga.monitors.create(ENDPOINT)

    [march] = story.olga.monitors.evaluate(ENDPOINT).computed

    assert march.observed == pytest.approx(np.mean([label.label for label in labels]))
    assert march.gap is not None
    assert march.gap.value == pytest.approx((march.observed or 0) - (march.expected or 0))
