"""Real scripts, run, and run again from what was kept of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
import pytest

from taxiway.cli import main
from taxiway.client import Client
from taxiway.kernel.errors import BadField, Unexpected
from taxiway.runs.again import seeds
from taxiway.runs.again.restore import put_back
from taxiway.runs.again.sameness import InputGap, Reproduction
from taxiway.runs.again.verdicts import sentence, show_reproduction
from taxiway.runs.capturing.capture import git
from taxiway.runs.contract import CaptureRun, Code, RecordReproduction, Run, capture_run, record_reproduction
from taxiway.runs.launch import launch
from tests.support.live import Live, running

STEADY = """
import random, sys
import taxiway as tw
with tw.run("steady") as run:
    tw.seed(7)
    run.params(alpha=float(sys.argv[1]))
    for step in range(5):
        run.log(step=step, loss=random.random() / (step + 1))
    run.log_artifact(repr(random.random()).encode(), "model.txt")
"""
NOISY = """
import os
import taxiway as tw
with tw.run("noisy") as run:
    for step in range(5):
        run.log(step=step, loss=0.5 + int.from_bytes(os.urandom(2)) * 1e-13, fit_s=int.from_bytes(os.urandom(4)))
"""
UNSEEDED = """
import os
import taxiway as tw
with tw.run("unseeded") as run:
    run.log(loss=int.from_bytes(os.urandom(4)))
"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("home") / "home", login=False) as live:
        yield live


@pytest.fixture(autouse=True)
def unseeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test seeds is not said of the runs of the next."""
    monkeypatch.setattr(seeds.process, "facts", {})


@pytest.fixture
def client(platform: Live) -> Client:
    return platform.client


def run_script(client: Client, *words: str) -> Run:
    """The script as `taxiway run` runs it."""
    done = launch(client.transport, client.settings, [sys.executable, *words], name="", home=client.settings.home)
    return client.runs.show(done.run)


def again(client: Client, run: Run, **given: Any) -> Reproduction:
    return client.runs.reproduce(run.id, environment="current", **given)


def commit(folder: Path) -> None:
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)


def test_a_seeded_script_is_bit_equal_and_linked_to_the_first(client: Client, folder: Path) -> None:
    (folder / "train.py").write_text(STEADY)
    first = run_script(client, "train.py", "0.5")
    (folder / "train.py").unlink()  # what is here now does not matter

    found = again(client, first)

    second = client.runs.show(found.again)
    edges = client.lineage.walk(first.ref).edges
    assert (found.verdict, found.inputs, found.equal_files) == ("bit-equal", [], 1)
    assert (second.params, second.metrics) == ({"alpha": 0.5}, first.metrics)
    assert second.tags["taxiway.seed"] == "7"
    assert second.code is not None
    assert first.code is not None
    assert second.code.sources == first.code.sources
    assert (first.ref, "reproduced_by", second.ref) in {(edge.source, edge.verb, edge.target) for edge in edges}
    assert client.runs.reproductions(first.id) == [found]
    assert sentence(found) == "Bit-equal: 1 metric and 1 file are the same."


def test_what_git_has_comes_back_with_the_changes_that_were_not_committed(client: Client, folder: Path) -> None:
    (folder / "part").mkdir()
    (folder / "rows.csv").write_text("1\n2\n")  # no source: only the commit has it
    (folder / "gone.py").write_text("")
    (folder / "part" / "share.py").write_text("SHARE = 1.0\n")
    (folder / "part" / "train.py").write_text(
        "import new, pathlib, share\n"
        "import taxiway as tw\n"
        "with tw.run() as run:\n"
        "    rows = pathlib.Path('../rows.csv').read_text().split()\n"
        "    run.log(loss=share.SHARE + len(rows), new=new.NEW, gone=pathlib.Path('../gone.py').exists())\n"
    )
    commit(folder)
    (folder / "part" / "share.py").write_text("SHARE = 2.0\n")
    (folder / "part" / "new.py").write_text("NEW = 3\n")
    (folder / "gone.py").unlink()
    with pytest.MonkeyPatch.context() as moving:
        moving.chdir(folder / "part")
        first = run_script(client, "train.py")
    commit(folder)

    found = again(client, first)

    assert first.metrics == {"loss": 4.0, "new": 3.0, "gone": 0.0}
    assert (found.verdict, found.inputs) == ("bit-equal", [])
    assert git(folder, "status", "--porcelain") == ""


def test_noise_is_within_tolerance_and_times_may_be_left_out(client: Client, folder: Path) -> None:
    (folder / "train.py").write_text(NOISY)
    first = run_script(client, "train.py")

    strict = again(client, first)
    found = again(client, first, ignored=["*_s"], keep=True)

    assert strict.verdict == "differs"
    assert found.verdict == "within tolerance"
    assert "in loss" in sentence(found)


def test_a_script_without_a_seed_differs(client: Client, folder: Path) -> None:
    (folder / "train.py").write_text(UNSEEDED)
    first = run_script(client, "train.py")

    found = again(client, first)

    assert found.verdict == "differs"
    assert found.inputs == []
    assert "the largest difference is" in sentence(found)
    assert "loss" in show_reproduction(found)


def test_a_program_that_fails_now_says_so(client: Client, folder: Path) -> None:
    (folder / "rows.csv").write_text("1\n")
    (folder / "train.py").write_text("open('rows.csv').read()\n")
    first = run_script(client, "train.py")

    found = again(client, first)

    assert found.verdict == "differs"
    assert found.because == [
        "it failed where the first run finished: FileNotFoundError: [Errno 2] No such file or directory: 'rows.csv'"
    ]


def test_other_data_is_pinned_to_the_version_that_was_read(client: Client, folder: Path) -> None:
    (folder / "train.py").write_text(
        "import taxiway as tw\n"
        "client = tw.connect()\n"
        "rows = client.datasets.read('loans', project='default', backend='pyarrow')\n"
        "with tw.run() as run:\n"
        "    run.log(rows=len(rows))\n"
    )
    (folder / "loans.csv").write_text("a\n1\n2\n")
    before = client.datasets.register("loans", folder / "loans.csv", project="default")
    first = run_script(client, "train.py")
    (folder / "loans.csv").write_text("a\n1\n2\n3\n")
    client.datasets.register("loans", folder / "loans.csv", project="default")

    found = again(client, first)

    assert first.inputs == [before.ref]
    assert client.runs.show(found.again).inputs == [before.ref]
    assert found.verdict == "bit-equal"


def test_the_second_run_of_a_script_is_done_again_as_the_second(client: Client, folder: Path) -> None:
    (folder / "train.py").write_text(
        "import taxiway as tw\n"
        "for alpha in (1, 2):\n"
        "    with tw.run(f'alpha-{alpha}') as run:\n"
        "        run.params(alpha=alpha)\n"
        "        print(run.id)\n"
    )
    plain = subprocess.run(
        [sys.executable, "train.py"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TAXIWAY_HOME": str(client.settings.home)},
    )
    second = client.runs.show(plain.stdout.split()[1])

    found = again(client, second)

    assert second.code is not None
    assert second.code.nth == 2
    assert (found.verdict, client.runs.show(found.again).params) == ("bit-equal", {"alpha": 2})


@pytest.mark.parametrize(
    ("script", "words", "because"),
    [
        ("PASSWORD = 'hunter22'\n", ["train.py"], "train.py held secrets, which were not kept"),
        ("pass\n", ["train.py", "--token", "hush"], "its command held secrets, which were not kept"),
    ],
)
def test_secrets_that_were_not_kept_make_it_impossible(
    client: Client, folder: Path, script: str, words: list[str], because: str
) -> None:
    (folder / "train.py").write_text(script)
    first = run_script(client, *words)
    (folder / "train.py").unlink()

    found = again(client, first)

    assert (found.verdict, found.again, found.because) == ("impossible", "", [because])
    assert sentence(found) == f"It cannot be done again: {because}."


def test_a_secret_that_still_stands_where_it_stood_is_taken_from_there(client: Client, folder: Path) -> None:
    (folder / "train.py").write_text("PASSWORD = 'hunter22'\nassert len(PASSWORD) == 8\n")
    first = run_script(client, "train.py")

    assert again(client, first).verdict == "bit-equal"


def test_a_script_that_was_not_kept_makes_it_impossible(client: Client, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text("pass\n")
    (folder / "notes.md").write_text("nothing to run\n")
    first = run_script(client, str(tmp_path / "elsewhere.py"))
    (tmp_path / "elsewhere.py").unlink()

    assert again(client, first).because == [f"{tmp_path}/elsewhere.py was not kept"]


def test_another_seed_interpreter_or_machine_is_named(client: Client, folder: Path) -> None:
    (folder / "train.py").write_text(STEADY)
    first = run_script(client, "train.py", "1")
    (folder / "train.py").write_text(UNSEEDED)

    (folder / "fish.csv").write_text("a\n1\n")
    data = client.datasets.register("fish", folder / "fish.csv", project="default")
    assert first.environment is not None
    elsewhere = msgspec.structs.replace(first.environment, cpus=64, python="3.99.0")
    other = client.runs.start("by hand", tags={"taxiway.reproduces": first.id})
    other.seed(8)
    other.use(data)
    other._capture.thread.join()
    assert other.flush()
    client.transport.call(capture_run, CaptureRun(environment=elsewhere, packages={"numpy": "0.1"}), run=other.id)
    other.finish()
    gaps = [InputGap("environment", "torch could not be installed: no such version")]
    by_hand = client.transport.call(record_reproduction, RecordReproduction(again=other.id, gaps=gaps), run=first.id)

    assert by_hand.verdict == "differs"
    assert gaps[0] in by_hand.inputs
    assert InputGap("seed", "7 then, 8 now") in by_hand.inputs
    assert InputGap("code", "train.py is another") in by_hand.inputs
    assert InputGap("data", f"it read {data.ref}") in by_hand.inputs
    assert InputGap("hardware", f"cpus: {first.environment.cpus} then, 64 now") in by_hand.inputs
    assert InputGap("environment", f"python: {first.environment.python} then, 3.99.0 now") in by_hand.inputs
    assert {gap.kind for gap in by_hand.inputs} == {"code", "data", "environment", "seed", "hardware"}


def test_a_run_that_goes_on_or_was_not_made_for_it_is_refused(client: Client) -> None:
    with client.runs.start("open") as run:
        with pytest.raises(BadField, match="a run that has ended"):
            client.runs.reproduce(run.id)
        first = run.id
    with client.runs.start("another") as other:
        pass

    for body in (RecordReproduction(), RecordReproduction(again=other.id), RecordReproduction(again=first)):
        with pytest.raises(BadField):
            client.transport.call(record_reproduction, body, run=first)
    assert client.runs.reproductions(first) == []


@pytest.mark.parametrize(("script", "code", "word"), [(STEADY, 0, "bit-equal"), (UNSEEDED, 1, "differs")])
def test_the_command_says_its_verdict_by_its_exit_code(
    platform: Live, folder: Path, capfd: pytest.CaptureFixture[str], script: str, code: int, word: str
) -> None:
    (folder / "train.py").write_text(script)
    first = run_script(platform.client, "train.py", "1")
    with pytest.MonkeyPatch.context() as typing:
        typing.setenv("TAXIWAY_HOME", str(platform.house.home))
        capfd.readouterr()

        exit_code = main(["runs", "reproduce", first.id, "--env", "current", "--json"])

        said = capfd.readouterr()
        kept = main(["runs", "reproductions", first.id])
    with urlopen(f"{platform.url}/runs/{first.id}") as page:
        html = page.read().decode()
    assert (exit_code, kept) == (code, 0)
    assert json.loads(said.out)["verdict"] == word
    assert "taxiway: comparing" in said.err
    assert word in capfd.readouterr().out
    assert "Done again" in html


def test_a_command_for_a_run_that_cannot_be_done_again_exits_with_three(platform: Live, folder: Path) -> None:
    (folder / "train.py").write_text("pass\n")
    first = run_script(platform.client, "train.py", "--token", "hush")
    with pytest.MonkeyPatch.context() as typing:
        typing.setenv("TAXIWAY_HOME", str(platform.house.home))

        assert main(["runs", "reproduce", first.id]) == 3


@pytest.mark.parametrize("path", ["../out.py", "/tmp/out.py", "a/../../out.py"])
def test_kept_sources_cannot_lead_out_of_their_folder(folder: Path, path: str) -> None:
    with pytest.raises(Unexpected, match="leads out of their folder"):
        put_back(Code(kind="folder"), {path: "pass"}, folder)


def test_predictions_are_compared_by_column(client: Client) -> None:
    import pyarrow as pa

    runs: list[str] = []
    for shift in (0.0, 1e-9, 0.25):
        tags = {"taxiway.reproduces": runs[0]} if runs else {}
        with client.runs.start(tags=tags) as run:
            rows = pa.table({"truth": [0, 1], "said": [0, 1], "score": [0.1, 0.9 + shift]})
            run.log_predictions(rows, label="truth", prediction="said", score="score")
        runs.append(run.id)

    near, far = (
        client.transport.call(record_reproduction, RecordReproduction(again=each), run=runs[0]) for each in runs[1:]
    )

    assert (near.verdict, far.verdict) == ("within tolerance", "differs")
    assert [gap.name for gap in far.predictions if not gap.is_equal] == ["predictions.parquet score"]
    assert msgspec.json.decode(msgspec.json.encode(far), type=Reproduction) == far
