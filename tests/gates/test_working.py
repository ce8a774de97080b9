"""Workers: what they are given, what they refuse, and what becomes of those that go wrong."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from taxiway.doctor import examine_checks
from taxiway.gates.checks.register import CHECKS, Register
from taxiway.gates.working import wire
from taxiway.gates.working.opening import open_case
from taxiway.gates.working.pool import Limits, Workers
from taxiway.kernel.confining.fence import fence_version
from tests.gates import worked
from tests.gates.story import FAIR, PATH, Story
from tests.support.kept import Kept
from tests.support.live import Live

ODD = """
import os, socket, tempfile, time
import msgspec
from taxiway.gates.contract import Outcome

class Asks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    how: str

class Odd:
    name = "odd"
    parameters = Asks
    inputs = ("bundle",)
    is_live = False

    def title(self, parameters):
        return f"odd: {parameters.how}"

    def ask(self, parameters, case):
        if parameters.how == "crash":
            print("last words", flush=True)
            os.abort()
        if parameters.how == "sleep":
            time.sleep(60)
        if parameters.how == "fill":
            return Outcome("pass", str(len(bytearray(8 << 30))))
        if parameters.how == "raise":
            raise RuntimeError("no luck")
        if parameters.how == "write":
            with tempfile.TemporaryFile() as file:
                file.write(b"x")
                file.flush()
        if parameters.how.startswith("read "):
            return Outcome("pass", open(parameters.how[5:]).read())
        if parameters.how.startswith("run "):
            exec(parameters.how[4:])
        if parameters.how == "call":
            socket.create_connection(("192.0.2.1", 80), timeout=5)
        if parameters.how == "lie":
            return "pass"
        if parameters.how == "peek":
            case.card()
        return Outcome("pass", str("sklearn" in __import__("sys").modules))
"""
BROKEN = "raise ImportError('no such library')\n"
METADATA = "Metadata-Version: 2.1\nName: odd-checks\nVersion: 1.0\n"
ENTRIES = (
    "[taxiway.checks]\nodd = odd_checks:Odd\nbroken = odd_broken:Check\ncard = odd_checks:Odd\nnone = odd_checks:Asks\n"
)


def a_package(folder: Path) -> Path:
    """A package with checks as somebody else would write them, one of them good."""
    (folder / "odd_checks.py").write_text(ODD)
    (folder / "odd_broken.py").write_text(BROKEN)
    info = folder / "odd_checks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRIES)
    return folder


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_package(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def workers(package: Path) -> Iterator[Workers]:
    found = Workers(Limits(time_s=20.0, memory_bytes=4 << 30), path=[str(package)])
    yield found
    found.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return worked.bundle(tmp_path_factory.mktemp("bundle") / "linear", worked.linear())


def test_a_worker_answers_with_the_tools_that_it_took(workers: Workers, made: Any) -> None:
    answer = workers.ask(worked.job("explanations", {"stability": {"at_least": 0.5}}, made))

    assert isinstance(answer, wire.Answered)
    assert answer.outcome.verdict == "pass"
    assert {"taxiway", "python", "numpy", "scikit-learn", "skops", "network"} <= answer.tools.keys()
    assert "lightgbm" not in answer.tools


FAILURES = [
    ("crash", "signal 6; the last it printed: last words"),
    ("fill", "more memory"),
    ("raise", "RuntimeError: no luck"),
    ("write", "No usable temporary directory"),
    ("lie", "it answered with str"),
    ("peek", "Name it in the check's `inputs`"),
]


@pytest.mark.parametrize(("how", "said"), FAILURES)
def test_a_check_that_goes_wrong_gives_no_answer_and_says_why(workers: Workers, made: Any, how: str, said: str) -> None:
    answer = workers.ask(worked.job("odd", {"how": how}, made))

    assert isinstance(answer, wire.Failed)
    assert said in answer.reason


def test_a_check_that_takes_too_long_is_ended(workers: Workers, package: Path, made: Any) -> None:
    hasty = Workers(Limits(time_s=0.5), path=[str(package)])
    try:
        answer = hasty.ask(worked.job("odd", {"how": "sleep"}, made))
    finally:
        hasty.close()

    assert answer == wire.Failed("it took longer than 0.5 s")


def test_a_worker_reaches_no_network_where_the_host_cuts_it(workers: Workers, made: Any) -> None:
    here = workers.ask(worked.job("odd", {"how": "fine"}, made))
    assert isinstance(here, wire.Answered)
    if here.tools["network"] != "cut":
        pytest.skip("this host lets no process give its network up")

    answer = workers.ask(worked.job("odd", {"how": "call"}, made))

    assert isinstance(answer, wire.Failed)
    assert "Network is unreachable" in answer.reason


def test_a_worker_reads_no_file_of_the_home(workers: Workers, made: Any, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("hidden")
    here = workers.ask(worked.job("odd", {"how": "fine"}, made))
    assert isinstance(here, wire.Answered)
    if here.tools["files"] != "fenced":
        pytest.skip("this host has no Landlock")

    for file in (secret, Path(f"/proc/{os.getpid()}/environ")):
        answer = workers.ask(worked.job("odd", {"how": f"read {file}"}, made))
        assert isinstance(answer, wire.Failed)
        assert "Permission" in answer.reason


# What a model's file may do, since it is code while it is read; the worker's socket is its descriptor 3.
CHANGES = ["os.truncate({file!r}, 0)", "os.chmod({file!r}, 0o777)", "os.utime({file!r})"]
STRANGERS = ["os.kill({pid}, 0)", "os.kill(os.getppid(), 9)"]
FLOOD = "while True: os.write(3, b'-' * 65536)"
NO_TEXT = "os.write(3, b'\\x0a\\0\\0\\0\\x81\\xa6reason\\xa1\\xff'); os._exit(0)"
FORGED = """from taxiway.gates.working import wire
os.write(3, wire.frame(wire.Answered(Outcome("pass", "forged"), {}, ["numpy.f2py.__main__", "antigravity", "this"])))
os._exit(0)"""
LINGER = """if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)"""


@pytest.mark.parametrize("code", CHANGES)
def test_a_model_changes_no_file_of_the_servers_user(workers: Workers, made: Any, tmp_path: Path, code: str) -> None:
    file = tmp_path / "taxiway.db"
    file.write_text("kept")
    file.chmod(0o600)
    here = workers.ask(worked.job("odd", {"how": "fine"}, made))
    assert isinstance(here, wire.Answered)
    if here.tools["disk"] != "read-only":
        pytest.skip("this host lets no process have mounts of its own")

    answer = workers.ask(worked.job("odd", {"how": "run " + code.format(file=str(file))}, made))

    assert isinstance(answer, wire.Failed)
    assert "Read-only" in answer.reason
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("kept", 0o600)


@pytest.mark.parametrize("code", STRANGERS)
def test_a_model_ends_no_process_but_its_own(workers: Workers, made: Any, code: str) -> None:
    if fence_version() < 6:
        pytest.skip("this host's Landlock knows no signals")
    assert isinstance(workers.ask(worked.job("odd", {"how": "fine"}, made)), wire.Answered)

    answer = workers.ask(worked.job("odd", {"how": "run " + code.format(pid=os.getpid())}, made))

    assert isinstance(answer, wire.Failed)
    assert "Operation not permitted" in answer.reason


@pytest.mark.parametrize("code", [FLOOD, NO_TEXT])
def test_what_a_model_writes_in_place_of_an_answer_is_none(workers: Workers, made: Any, code: str) -> None:
    answer = workers.ask(worked.job("odd", {"how": "run " + code}, made))

    assert isinstance(answer, wire.Failed)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 3 << 20


def test_a_model_has_nothing_loaded_where_no_fence_is(workers: Workers, made: Any) -> None:
    workers.ask(worked.job("odd", {"how": "run " + FORGED}, made))
    warm = workers.process

    answer = workers.ask(worked.job("odd", {"how": "run raise LookupError('this' in __import__('sys').modules)"}, made))

    assert isinstance(answer, wire.Failed)
    assert "LookupError: False" in answer.reason
    assert workers.process is warm


def test_nothing_that_a_model_starts_outlives_its_worker(workers: Workers, made: Any) -> None:
    workers.ask(worked.job("odd", {"how": "run " + LINGER}, made))

    assert workers.process is not None
    assert not Path(f"/proc/{workers.process.pid}/task/{workers.process.pid}/children").read_text().split()


def test_what_one_job_loads_is_not_in_the_next(workers: Workers, made: Any) -> None:
    answers = [workers.ask(worked.job("odd", {"how": "fine"}, made)) for _ in range(2)]

    assert [each.tools.get("scikit-learn") for each in answers if isinstance(each, wire.Answered)] == [None, None]


def test_the_warm_process_is_started_again_when_it_was_killed(workers: Workers, made: Any) -> None:
    workers.ask(worked.job("odd", {"how": "fine"}, made))
    assert workers.process is not None
    workers.process.kill()
    workers.process.wait()

    assert isinstance(workers.ask(worked.job("odd", {"how": "fine"}, made)), wire.Answered)


@pytest.mark.parametrize("what", ["bundle", "predictions"])
def test_files_that_were_changed_are_refused_by_name(workers: Workers, tmp_path: Path, made: Any, what: str) -> None:
    other = worked.bundle(tmp_path / "other", worked.neighbours())
    asked = worked.job("explanations", {"stability": {"at_least": 0.5}}, made)
    pinned = getattr(asked.subject, what)
    file = str(other.folder) if what == "bundle" else str(other.folder / "MLmodel")
    subject = msgspec.structs.replace(asked.subject, **{what: wire.Pinned(file, pinned.digest)})

    answer = workers.ask(msgspec.structs.replace(asked, subject=subject))

    assert isinstance(answer, wire.Failed)
    assert answer.error == {"bundle": "BundleTampered", "predictions": "DigestMismatch"}[what]


def test_the_server_loads_no_library_of_models() -> None:
    script = "import sys, taxiway.gates.service; from taxiway.gates.checks.register import CHECKS; CHECKS.load_all()"
    script += "; print([m for m in ('sklearn', 'pandas', 'lightgbm', 'skops', 'scipy') if m in sys.modules])"

    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_broken_check_of_a_package_is_told_and_costs_no_other(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(package))
    register = Register()

    assert register["odd"].title(msgspec.convert({"how": "x"}, register["odd"].parameters)) == "odd: x"
    assert "broken" not in register
    assert set(register) == set(CHECKS) | {"odd"}
    assert register.package("odd") == "odd-checks"
    told = {problem.name: problem.why for problem in register.problems}
    assert told["broken"] == "ImportError: no such library"
    assert told["card"] == "taxiway has a check of that name already"
    assert told["none"].startswith(("TypeError", "its `"))


def test_doctor_tells_of_checks_that_cannot_be_used(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(package))
    CHECKS.forget()
    try:
        found = {each.what: each for each in examine_checks()}
    finally:
        monkeypatch.undo()
        CHECKS.forget()

    assert found["check broken"].state == "problem"
    assert found["check broken"].found == "ImportError: no such library"
    assert "odd-checks" in found["check broken"].advice


def with_latency(live: Live, folder: Path) -> Story:
    asked = PATH.replace("performance: {metric: accuracy, at_least: 0.85}", "latency: {p50_ms: 10}")
    return Story(live, folder, asked)


def test_what_could_not_be_asked_is_said_and_asked_again(kept: Kept, tmp_path: Path) -> None:
    with kept.again(with_latency, tmp_path) as story:
        story.version(FAIR)

        standing = story.ana.gates.evaluate("mortgage")
        story.ana.gates.evaluate("mortgage")

        [tried] = [gate for gate in standing.stages[0].gates if gate.gate == "latency"]
        assert (tried.verdict, tried.evidence, tried.outcome.is_broken) == ("missing", "", True)
        assert "flavour 'none'" in tried.outcome.reason
        assert [each.gate for each in story.ana.gates.evidence("mortgage")].count("latency") == 2
        offers = {each.name: each for each in story.ana.gates.checks() if not each.problem}
        assert set(offers) == set(CHECKS)
        assert "p99_ms" in str(offers["latency"].parameters)
        assert offers["approvals"].is_live


def test_rows_are_the_pinned_ones_where_features_were_pinned(made: Any) -> None:
    rows = open_case(worked.job("robustness", {}, made)).rows()

    assert (rows.kind, rows.is_aligned, len(rows)) == ("evaluation", True, worked.ROWS)
    assert {"approve", "said", *worked.COLUMNS} == set(rows.table.column_names)


def test_a_dataset_stands_in_row_by_row_where_its_labels_are_the_same(made: Any) -> None:
    inputs, labels = worked.applicants()
    table = pa.Table.from_pandas(inputs.assign(approve=labels), preserve_index=False)
    ref = "dataset:p/loans@1"

    same = open_case(worked.job("robustness", {}, made, features=(), tables={ref: table})).rows()
    other = table.set_column(4, "approve", pa.array(1 - labels))
    unlike = open_case(worked.job("robustness", {}, made, features=(), tables={ref: other})).rows()

    assert (same.kind, same.is_aligned) == ("dataset", True)
    assert same.table["said"].to_pylist() == labels.tolist()
    assert (unlike.kind, unlike.is_aligned) == ("dataset", False)


def test_without_any_rows_they_are_drawn_from_the_example(made: Any) -> None:
    rows = open_case(worked.without_evaluation(worked.job("robustness", {}, made))).rows()

    assert rows.kind == "drawn"
    example = worked.applicants()[0]["income"][:5]
    drawn = rows.inputs()["income"]
    assert example.min() <= min(drawn) < max(drawn) <= example.max()
