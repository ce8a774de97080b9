"""What becomes of requests when workers die, hang, are too few, or are replaced."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

from taxiway.endpoints.gateway.crew import LONGEST_PAUSE_S, pause
from taxiway.endpoints.gateway.status import quantile
from taxiway.endpoints.inferences.log import read
from tests.endpoints.conftest import Answer, Site, is_running, until
from tests.endpoints.load import under_load


def test_killed_workers_cost_no_answer(served: Site) -> None:
    with under_load(served) as load:
        for _ in range(3):
            until(lambda: served.revision().state == "ready")
            os.kill(served.revision().pids[0], signal.SIGKILL)
            time.sleep(0.4)

    assert load.failed == []
    assert load.broken == []
    assert served.revision().restarts == 3
    answered = {answer.body["prediction_id"] for answer in load.answers}
    assert answered == set(read(served.home, "adder")["prediction_id"].to_pylist())


def test_a_request_that_kills_its_workers_takes_no_other_along(served: Site) -> None:
    with under_load(served) as load:
        time.sleep(0.1)
        deadly = served.ask({"x": 1, "mood": "die"})
        time.sleep(0.3)

    assert (deadly.status, deadly.body["error"]) == (503, "WorkerLost")
    assert deadly.headers["retry-after"] == "1"
    assert load.failed == []
    assert served.revision().restarts == 2


def test_new_revisions_take_over_without_a_failed_request(served: Site) -> None:
    with under_load(served) as load:
        for number in range(2, 6):
            served.deploy(str(number))
            served.until_live(number)
    last = served.ask({"x": 1})

    assert load.failed == []
    assert load.broken == []
    assert load.revisions == {1, 2, 3, 4, 5}
    assert all(a.body["model"] == f"trial@{a.body['revision']}" for a in load.answers)
    assert last.predictions == [6.0]
    until(lambda: len([r for r in served.status().revisions if r.pids]) == 1)


def test_the_old_revision_answers_until_the_new_one_is_ready(served: Site) -> None:
    served.deploy("slow")
    until(lambda: len(served.status().revisions) == 2)

    assert served.ask({"x": 1}).body["revision"] == 1
    assert served.until_live(2).state == "ready"
    assert served.ask({"x": 1}).body["revision"] == 2


def test_the_first_revision_of_an_endpoint_asks_for_patience_while_it_loads(shared: Site) -> None:
    shared.deploy("slow", name="late")
    until(lambda: shared.ask({"x": 1}, name="late").status == 503)
    refused = shared.ask({"x": 1}, name="late")

    assert (refused.body["error"], refused.body["facts"]["state"]) == ("NoWorker", "starting")
    assert refused.headers["retry-after"] == "1"
    shared.until_live(name="late")


def test_a_tampered_bundle_is_refused_by_its_file_and_the_old_one_goes_on(served: Site) -> None:
    folder = served.bundle(2, "2")
    second = served.deploy_folder(folder)
    served.until_live(2)
    served.deploy_folder(served.bundle(3, "3"))
    served.until_live(3)
    (folder / "model.txt").write_text("4")
    served.change("adder", active=2)
    served.until_state("refused", 2)

    refused = served.revision(2)
    assert "model.txt is not the file that was approved" in refused.reason
    assert (refused.pids, refused.is_live) == ([], False)
    assert served.ask({"x": 1}).predictions == [4.0]
    time.sleep(0.3)
    assert served.revision(2).restarts == 0, "a refused bundle is not tried again and again"
    (folder / "model.txt").write_text("2")
    served.change("adder", active=second.number)
    assert served.until_live(2).state == "ready"


def test_an_endpoint_whose_only_bundle_is_tampered_says_why(site: Site) -> None:
    site.start()
    folder = site.bundle(1, "1")
    revision = site.deploy_folder(folder)
    site.until_live()
    (folder / "more.txt").write_text("added")
    site.change("adder", is_stopped=True)
    site.until_state("stopped")
    site.change("adder", is_stopped=False)
    site.until_state("refused")

    refused = site.ask({"x": 1})
    assert (refused.status, refused.body["error"]) == (503, "NothingServed")
    assert "more.txt" in refused.body["detail"]
    assert ".." not in refused.body["detail"]
    assert "retry-after" not in refused.headers
    assert revision.bundle_digest == site.revision().bundle_digest


def test_a_loader_that_says_no_is_not_asked_again(served: Site) -> None:
    served.deploy("refuse")
    served.until_state("refused", 2)

    assert served.revision(2).reason == "It is not loaded: it asked for that."
    assert served.ask({"x": 1}).body["revision"] == 1


def test_a_worker_that_dies_at_load_is_tried_ever_more_slowly_and_its_last_words_shown(shared: Site) -> None:
    shared.deploy("crash", name="broken")
    shared.until_state("failing", name="broken")

    status = shared.revision(name="broken")
    assert status.reason == "a worker ended with exit code 11: about to crash"
    assert "about to crash" in status.log_tail
    assert shared.ask({"x": 1}, name="broken").body["error"] == "NoWorker"
    assert shared.ask({"x": 1}).status == 200


def test_what_another_library_raised_at_load_is_told(shared: Site) -> None:
    shared.deploy("missing", name="lacking")
    shared.until_state("failing", name="lacking")

    status = shared.revision(name="lacking")
    assert status.reason.endswith(": ModuleNotFoundError: No module named 'boosting'")
    assert status.log_tail[0].startswith("Traceback")


def test_pauses_grow_and_are_bounded() -> None:
    assert [pause(n) for n in range(1, 5)] == [0.0, 0.1, 0.2, 0.4]
    assert pause(1000) == LONGEST_PAUSE_S


def test_a_quantile_is_one_of_the_values() -> None:
    assert quantile([], 0.5) is None
    assert quantile([1.0], 0.99) == 1.0
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
    assert quantile([float(n) for n in range(1, 101)], 0.99) == 99.0


def test_more_requests_than_the_queue_holds_are_turned_away(served: Site) -> None:
    answers: list[Answer] = []
    served.ask({"x": 1})
    slow = threading.Thread(target=lambda: answers.append(served.ask({"x": 1.5, "mood": "sleep"})))
    slow.start()
    time.sleep(0.2)
    rest = [threading.Thread(target=lambda: answers.append(served.ask({"x": 1}))) for _ in range(300)]
    for thread in rest:
        thread.start()
    for thread in [slow, *rest]:
        thread.join(20)

    turned_away = [a for a in answers if a.status == 429]
    assert {a.status for a in answers} == {200, 429}
    assert turned_away[0].body["facts"] == {"endpoint": "adder", "limit": 256}
    assert turned_away[0].headers["retry-after"] == "1"


def test_a_worker_that_hangs_is_replaced(site: Site) -> None:
    site.deploy("1")
    site.start("--deadline-s", "0.3")
    hung = site.until_live().pids[0]
    os.kill(hung, signal.SIGSTOP)

    late = site.ask({"x": 1})
    until(lambda: not is_running(hung))
    until(lambda: site.ask({"x": 1}).status == 200)

    assert (late.status, late.body["error"]) == (504, "DeadlinePassed")
    assert site.revision().restarts == 1


def test_two_workers_share_the_requests(shared: Site) -> None:
    shared.deploy("1", name="pair", workers=2)
    shared.until_live(name="pair")
    until(lambda: len(shared.revision(name="pair").pids) == 2)
    asked = [threading.Thread(target=lambda: shared.ask({"x": 2.0, "mood": "sleep"}, name="pair")) for _ in range(2)]
    for number, thread in enumerate(asked, start=1):
        thread.start()
        until(lambda number=number: shared.revision(name="pair").in_flight == number)  # type: ignore[misc]
    at_work = shared.revision(name="pair")
    for thread in asked:
        thread.join(10)

    assert (at_work.in_flight, at_work.waiting) == (2, 0)  # with one worker the second would wait for the first


def test_a_worker_sees_a_clean_environment_and_writes_no_files(shared: Site) -> None:
    names = shared.ask({"x": 1, "mood": "environment"}).predictions[0].split()
    written = shared.ask({"x": 1, "mood": "write"})

    assert "HOME" not in names
    assert not [name for name in names if "TAXIWAY" in name or "TOKEN" in name]
    assert "Permission denied" in written.body["detail"]
    Path("/tmp/written-by-a-worker").unlink(missing_ok=True)


def test_workers_of_a_retired_endpoint_end(served: Site) -> None:
    pid = served.revision().pids[0]
    del served.endpoints["adder"]
    served.write()
    until(lambda: not is_running(pid))

    assert served.ask({"x": 1}).body["error"] == "EndpointUnknown"
    assert [(r.state, r.is_live) for r in served.status().revisions] == [("stopped", False)]
