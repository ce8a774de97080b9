"""A worker alone, over a socket pair; and real scikit-learn models behind the real gateway."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from taxiway.adapters import sklearn as adapter
from taxiway.endpoints.steering.supervision import ensure_gateway, stop_gateway
from taxiway.endpoints.worker import wire
from taxiway.endpoints.worker.process import Joining, Serving, warm_up
from taxiway.models.bundles.bundle import write_bundle
from taxiway.models.predicting.predictor import ColumnsIn, Prediction, Rows
from tests.endpoints import trial
from tests.endpoints.conftest import Site, until


class Recorder(trial.Trial):
    """Remembers how many rows it was given at once."""

    def __init__(self) -> None:
        super().__init__(1)
        self.sizes: list[int] = []

    def predict(self, data: Rows | ColumnsIn) -> list[Prediction]:
        self.sizes.append(len(data))
        return super().predict(data)


def converse(
    predictor: Recorder, work: list[wire.Work], *, is_batching: bool, up_to: int = 64, delay_s: float = 0.0
) -> list[object]:
    """What a worker says to work that lies ready when it looks."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"".join(map(wire.frame, work)))
        ours.shutdown(socket.SHUT_WR)
        Serving(theirs, predictor, endpoint="adder", joining=Joining(is_batching, up_to, delay_s)).run()
        theirs.close()
        data = b"".join(iter(lambda: ours.recv(65536), b""))
    return [wire.to_gateway.decode(text) for text in wire.Frames().feed(data)]


def rows(*bodies: object) -> list[bytes]:
    return [msgspec.json.encode(body) for body in bodies]


def test_waiting_requests_are_predicted_together_up_to_64_rows() -> None:
    predictor = Recorder()
    work = [wire.Work(n, rows({"x": n})) for n in range(100)]

    said = converse(predictor, work, is_batching=True)

    assert predictor.sizes == [64, 36]
    assert said[7] == wire.Done(7, rows({"prediction": 8, "score": 0.5}))


def test_a_revision_may_join_fewer_rows() -> None:
    predictor = Recorder()

    converse(predictor, [wire.Work(n, rows({"x": n})) for n in range(10)], is_batching=True, up_to=4, delay_s=0.01)

    assert predictor.sizes == [4, 4, 2]


def test_a_worker_that_may_wait_takes_in_what_comes_meanwhile() -> None:
    predictor = Recorder()
    ours, theirs = socket.socketpair()
    serving = Serving(theirs, predictor, endpoint="adder", joining=Joining(True, 3, 5.0))
    worker = threading.Thread(target=serving.run)
    with ours, theirs:
        worker.start()
        for number in range(3):  # a full batch ends the wait, long before the delay is over
            ours.sendall(wire.frame(wire.Work(number, rows({"x": number}))))
            time.sleep(0.02)
        frames = wire.Frames()
        answers: list[bytes] = []
        while len(answers) < 3:
            answers += frames.feed(ours.recv(65536))
        ours.shutdown(socket.SHUT_WR)
        worker.join(5)

    assert predictor.sizes == [3]


def test_without_batching_and_for_suspects_each_request_is_alone() -> None:
    one_by_one, suspicious = Recorder(), Recorder()
    work = [wire.Work(n, rows({"x": n}), n == 1) for n in range(4)]

    converse(one_by_one, work, is_batching=False)
    converse(suspicious, work, is_batching=True)

    assert one_by_one.sizes == [1, 1, 1, 1]
    assert suspicious.sizes == [1, 1, 2]


def test_a_bad_request_in_a_batch_costs_no_other() -> None:
    work = [
        wire.Work(1, rows({"x": 1})),
        wire.Work(2, rows({"x": 1, "mood": "raise"})),
        wire.Work(3, rows({"x": 1}, {"x": "no"})),
        wire.Work(4, rows({"x": 4}, {"x": 5})),
    ]

    said = converse(Recorder(), work, is_batching=True)

    assert [type(one).__name__ for one in said] == ["Done", "Fault", "Fault", "Done"]
    assert said[1] == wire.Fault(
        2,
        "ModelRaised",
        {"endpoint": "adder", "row": 0, "problem": "ZeroDivisionError: x is nothing to divide by"},
    )
    assert isinstance(said[2], wire.Fault)
    assert (said[2].error, said[2].facts["row"]) == ("InputMismatch", 1)


class Drifting(trial.Trial):
    """Answers a row otherwise in company."""

    def predict(self, data: Rows | ColumnsIn) -> list[Prediction]:
        return [{"prediction": 1.0 + 1e-16 * len(data) * 8} for _ in data]


def test_only_a_model_whose_answers_do_not_depend_on_company_is_batched() -> None:
    example = [{"x": 1.0, "mood": None}, {"x": 2.0, "mood": None}]

    assert warm_up(trial.Trial(1), example)
    assert not warm_up(Drifting(1), example)
    assert not warm_up(trial.Trial(1), [])


def test_frames_are_cut_wherever_the_stream_is() -> None:
    stream = b"".join(wire.frame(wire.Work(n, [b"x" * n])) for n in range(50))
    frames = wire.Frames()

    found = [text for i in range(0, len(stream), 7) for text in frames.feed(stream[i : i + 7])]

    assert [wire.to_worker.decode(text).number for text in found] == list(range(50))


def test_a_worker_ends_with_its_gateway(tmp_path: Path) -> None:
    bundle = trial.trial_bundle(tmp_path / "bundle", "1")
    ours, theirs = socket.socketpair()
    what = ["--bundle", str(bundle.folder), "--digest", bundle.digest, "--endpoint", "adder"]
    command = [sys.executable, trial.__file__, "worker", *what, "--descriptor", str(theirs.fileno())]
    worker = subprocess.Popen(command, pass_fds=[theirs.fileno()])
    theirs.close()
    with closing(ours):
        frames, said = wire.Frames(), list[object]()
        while len(said) < 2:
            said += [wire.to_gateway.decode(text) for text in frames.feed(ours.recv(1000))]

    assert [type(each) for each in said] == [wire.Confined, wire.Ready]
    assert worker.wait(5) == 0


@pytest.fixture(scope="module")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The real gateway, started as the server starts it, with a logistic regression behind it."""
    site = Site(tmp_path_factory.mktemp("loans") / "home")
    folder = site.home / "bundles" / "loans"
    folder.mkdir(parents=True)
    draws = np.random.default_rng(7)
    features = draws.normal(size=(200, 3))
    model = LogisticRegression().fit(features, features.sum(axis=1) > 0)
    write_bundle(folder, adapter.save(model, folder, features, name="loans"))
    site.deploy_folder(folder, name="loans")
    ensure_gateway(site.home)
    try:
        site.until_live(name="loans")
        yield site
    finally:
        stop_gateway(site.home)


def test_a_scikit_learn_model_answers_as_it_does_at_home(loans: Site) -> None:
    given = [{"x0": 0.1 * n, "x1": -0.2, "x2": 0.3} for n in range(5)]
    at_home = adapter.load(loans.home / loans.revisions[0].bundle).predict(given)

    answer = loans.ask(given, name="loans")

    assert answer.body["predictions"] == at_home


def test_a_twin_answers_behind_the_fence_and_is_told_of(loans: Site) -> None:
    rows = np.random.default_rng(3).normal(size=(200, 3))
    model = RandomForestClassifier(20, random_state=1).fit(rows, rows[:, 0] > rows[:, 1])
    bundle = write_bundle(
        loans.home / "forest", adapter.save(model, loans.home / "forest", rows, name="forest"), lock=""
    )
    given = [{"x0": 0.1 * n, "x1": 0.7, "x2": -0.31} for n in range(40)]
    at_home = adapter.load(bundle.folder, bundle.digest, may_run_code=True).predict(given)

    loans.deploy_folder(bundle.folder, name="forest")
    loans.until_live(name="forest")

    assert loans.ask(given, name="forest").body["predictions"] == at_home
    alone = [loans.ask(row, name="forest").body["predictions"][0] for row in given[:5]]
    assert alone == at_home[:5]
    status = next(each for each in loans.status().revisions if each.endpoint == "forest")
    assert status.runs.startswith(
        "its ONNX twin; its file is the model's own, byte for byte, and equal to the last bit"
    )
    assert status.is_batching


def test_a_twin_that_is_not_the_models_own_does_not_answer(loans: Site) -> None:
    """Whoever logs a model can put another twin beside it; no row that anybody kept would tell."""
    rows = np.random.default_rng(3).normal(size=(200, 3))
    model = RandomForestClassifier(5, random_state=1).fit(rows, rows[:, 0] > rows[:, 1])
    other = RandomForestClassifier(5, random_state=2).fit(rows, rows[:, 0] < rows[:, 1])
    folder = loans.home / "forged"
    draft = adapter.save(model, folder, rows, name="forged")
    theirs = adapter.save(other, loans.home / "other", rows, name="forged")
    for path in ("model.onnx", "rows.npy", "answers.npy"):
        (folder / "twin" / path).write_bytes((loans.home / "other" / "twin" / path).read_bytes())
    bundle = write_bundle(folder, msgspec.structs.replace(draft, twin=theirs.twin), lock="")
    given = [{"x0": 0.1 * n, "x1": 0.7, "x2": -0.31} for n in range(20)]
    at_home = adapter.load(bundle.folder, bundle.digest).predict(given)

    loans.deploy_folder(bundle.folder, name="forged")
    loans.until_live(name="forged")

    assert loans.ask(given, name="forged").body["predictions"] == at_home
    status = next(each for each in loans.status().revisions if each.endpoint == "forged")
    assert status.runs.startswith("its own library, though it has a twin: its file is not the one that Taxiway writes")


def test_callers_get_the_same_answers_alone_and_at_once(loans: Site) -> None:
    given = [{"x0": 0.1 * n, "x1": 0.7, "x2": -0.31} for n in range(40)]
    alone = [loans.ask(row, name="loans").body["predictions"][0] for row in given]
    at_once: dict[int, object] = {}

    def ask(n: int) -> None:
        at_once[n] = loans.ask(given[n], name="loans").body["predictions"][0]

    callers = [threading.Thread(target=ask, args=(n,)) for n in range(40)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(20)

    assert [at_once[n] for n in range(40)] == alone


def test_an_infinite_number_is_refused_by_row_and_field(loans: Site) -> None:
    refused = loans.ask([{"x0": 1, "x1": 1, "x2": 1}, {"x0": 1, "x1": "Infinity", "x2": 1}], name="loans")

    assert refused.status == 422
    assert (refused.body["facts"]["row"], refused.body["facts"]["field"]) == (1, "x1")


def test_a_flavour_that_nothing_loads_is_named(loans: Site) -> None:
    loans.deploy("1", name="strange")
    loans.until_state("refused", name="strange")

    assert "of flavour 'trial', only of" in loans.revision(name="strange").reason


def test_the_gateway_needs_nobody_to_go_on(tmp_path: Path) -> None:
    """The process that started it is killed with -9; the next one adopts what it finds."""
    site = Site(tmp_path / "home")
    text = (
        "import os, signal, sys; from pathlib import Path\n"
        "from taxiway.endpoints.steering.supervision import ensure_gateway\n"
        "ensure_gateway(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    parent = subprocess.run([sys.executable, "-c", text, str(site.home)], timeout=20, check=False)
    found = site.address
    time.sleep(0.3)

    assert parent.returncode == -9
    assert ensure_gateway(site.home) == found
    assert site.request("GET", "/health").body["pid"] == found.pid
    assert stop_gateway(site.home)
    until(lambda: not found.is_alive())
    assert not stop_gateway(site.home)
