"""A run while it runs: what the SDK's user sees of it."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from taxiway.client import connect
from taxiway.kernel.errors import BadField
from taxiway.kernel.show import as_json
from taxiway.runs.capturing.capture import capture_code
from taxiway.runs.refusals import ParamFixed
from tests.support.live import Live

SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>'


class Figure:
    """As much of a matplotlib Figure as is looked at."""

    def savefig(self, into: object, **options: object) -> None:
        into.write(SVG.encode())  # type: ignore[attr-defined]


def test_everything_logged_is_there_when_the_block_ends(live: Live) -> None:
    live.client.projects.create("fraud")

    with live.client.runs.start("base", project="fraud", experiment="first", tags={"team": "risk"}) as run:
        run.params(model="logistic", C=np.float64(0.5), n=np.int64(3), on=True, layers=[1, 2], nan=math.nan)
        run.tag(seen="yes")
        for step in range(2500):
            run.log(step=step, loss=1 / (step + 1), acc=np.float32(0.5))
        run.log(auc=0.91)
        run.log(auc=0.92)

    shown = live.client.runs.show(run.id)
    assert (shown.status, shown.experiment, shown.name) == ("finished", "first", "base")
    assert shown.params == {"C": 0.5, "layers": "[1, 2]", "model": "logistic", "n": 3, "nan": "NaN", "on": True}
    assert shown.tags == {"seen": "yes", "team": "risk"}
    assert shown.metrics == {"acc": 0.5, "auc": 0.92, "loss": 1 / 2500}
    assert [point.step for point in live.client.runs.metric(run.id, "loss")] == list(range(2500))
    assert [point.step for point in live.client.runs.metric(run.id, "auc")] == [0, 1]
    assert shown.cpu_s is not None
    assert shown.environment is not None
    assert live.client.runs.packages(run.id).packages["msgspec"]


def test_the_folder_is_captured_without_its_secrets(open_live: Live, folder: Path) -> None:
    (folder / "train.py").write_text('API_KEY = "hush-hush"\nprint(1)\n')
    (folder / ".env").write_text("PASSWORD=hush-hush\n")
    (folder / "secrets.toml").write_text("a = 1\n")
    (folder / "big.py").write_text("#" * 600_000)
    (folder / "data.bin").write_bytes(b"\0\1")

    with open_live.client.runs.start() as run:
        pass

    code = open_live.client.runs.show(run.id).code
    sources = open_live.client.runs.download(run.id, "code/sources.json", folder / "kept.json").read_text()
    assert code is not None
    assert (code.kind, code.files, code.redactions) == ("folder", 1, 1)
    assert [line.rpartition(": ")[2] for line in code.redacted] == ["1"]
    assert len(code.left_out) == 3
    assert "hush" not in sources
    assert "[redacted]" in sources


def test_a_git_tree_is_captured_with_what_differs_from_the_commit(open_live: Live, folder: Path) -> None:
    def git(*words: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@b.test"]
        subprocess.run(["git", *who, *words], check=True, capture_output=True, cwd=folder)

    git("init", "-b", "main")
    (folder / "train.py").write_text("x = 1\n")
    (folder / "old.key").write_text("k = 1\n")
    git("add", ".")
    git("commit", "-m", "first")
    (folder / "train.py").write_text("x = 2\n")
    (folder / "new.py").write_text("y = 1\n")
    (folder / "old.key").write_text("hush = 2\n")

    with open_live.client.runs.start() as run:
        pass

    code = open_live.client.runs.show(run.id).code
    diff = open_live.client.runs.download(run.id, "code/changes.diff", folder / "kept.diff").read_text()
    assert code is not None
    assert (code.kind, code.branch, code.is_dirty, code.files, len(code.commit)) == ("git", "main", True, 2, 40)
    assert "-x = 1\n+x = 2" in diff
    assert "hush" not in diff


def test_what_json_cannot_say_comes_back_as_it_was_measured(open_live: Live) -> None:
    with open_live.client.runs.start() as run:
        run.log(loss=math.nan, high=math.inf)
    with open_live.client.runs.start() as other:
        other.log(loss=0.5)

    runs = open_live.client.runs
    points = runs.metric(run.id, "loss")
    seen = [runs.show(run.id).metrics["loss"], run.run.metrics["loss"], runs.list()[-1].metrics["loss"]]
    seen.append(points[0].value)
    row = next(row for row in runs.compare(run.id, other.id).metrics if row.name == "loss")
    assert [isinstance(value, float) and math.isnan(value) for value in [*seen, row.values[0]]] == [True] * 5
    assert runs.show(run.id).metrics["high"] == math.inf
    assert '"loss": "NaN"' in as_json(runs.show(run.id))
    assert '"high": "Infinity"' in as_json(runs.show(run.id))


def test_a_run_keeps_the_source_folder_it_is_told(open_live: Live, folder: Path) -> None:
    (folder / "training").mkdir()
    (folder / "training" / "fit.py").write_text("x = 1\n")
    (folder / "other.py").write_text("y = 1\n")
    subprocess.run(["git", "init"], check=True, capture_output=True, cwd=folder)

    with open_live.client.runs.start(source="training") as run:
        pass

    (folder / "none").mkdir()
    with open_live.client.runs.start(source=folder / "none") as empty:
        pass

    sources = open_live.client.runs.download(run.id, "code/sources.json", folder / "kept.json").read_text()
    assert json.loads(sources) in ({"fit.py": "x = 1\n"}, {"training/fit.py": "x = 1\n"})
    found = open_live.client.runs.show(empty.id).code
    assert found is not None
    assert (found.files, found.sources) == (0, "")
    with pytest.raises(BadField, match="a folder that exists"):
        open_live.client.runs.start(source="nowhere")


def test_part_of_a_git_tree_is_kept_by_itself(folder: Path) -> None:
    (folder / "part").mkdir()
    (folder / "part" / "fit.py").write_text("x = 1\n")
    (folder / "other.py").write_text("y = 1\n")
    for words in (["init"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b.test", "commit", "-m", "first"]):
        subprocess.run(["git", *words], check=True, capture_output=True, cwd=folder)
    (folder / "part" / "fit.py").write_text("x = 2\n")
    (folder / "other.py").write_text("y = 2\n")

    snapshot = capture_code(folder / "part", is_tree=False)

    assert json.loads(snapshot.sources) == {"part/fit.py": "x = 2\n"}
    assert (snapshot.code.kind, snapshot.code.is_dirty, len(snapshot.code.commit)) == ("git", True, 40)
    assert "+x = 2" in snapshot.changes.decode()
    assert "other" not in snapshot.changes.decode()


def test_an_exception_marks_the_run_as_failed_and_goes_on(open_live: Live) -> None:
    with pytest.raises(ValueError, match="no good"), open_live.client.runs.start() as run:  # noqa: PT012
        run.log(loss=1.0)
        raise ValueError("no good")

    shown = open_live.client.runs.show(run.id)
    assert (shown.status, shown.failure) == ("failed", "ValueError: no good")
    assert shown.metrics == {"loss": 1.0}


def test_an_interruption_stops_the_run(open_live: Live) -> None:
    with pytest.raises(KeyboardInterrupt), open_live.client.runs.start() as run:
        raise KeyboardInterrupt

    assert open_live.client.runs.show(run.id).status == "stopped"


def test_what_is_no_number_is_refused_where_it_is_logged(open_live: Live) -> None:
    with open_live.client.runs.start() as run:
        with pytest.raises(BadField, match="loss"):
            run.log(loss="0.5")  # type: ignore[arg-type]
        with pytest.raises(BadField, match="loss"):
            run.log(loss=np.zeros(3))
        with pytest.raises(BadField, match="step"):
            run.log(step=2**63, loss=1.0)
        with pytest.raises(BadField, match="step"):
            run.log(step=1.5, loss=1.0)  # type: ignore[arg-type]
        run.params(C=1)
        with pytest.raises(ParamFixed):
            run.params(C=2)

    assert open_live.client.runs.show(run.id).metrics == {}


@pytest.mark.parametrize("name", ["", "a\nb", " a", "x" * 251, "\u202e"])
def test_a_name_that_no_line_could_show_is_refused_where_it_is_given(open_live: Live, name: str) -> None:
    with open_live.client.runs.start() as run:
        gives: tuple[Any, ...] = (run.log, run.params, run.tag)
        for give in gives:
            with pytest.raises(BadField):
                give(**{name: 1.0})
        odd: Any = {"a/b 'c' \"d\" 🙂": 1.0}
        run.log(**odd)

    assert open_live.client.runs.show(run.id).metrics == {"a/b 'c' \"d\" 🙂": 1.0}


def test_what_is_logged_after_the_end_is_told_and_not_kept(open_live: Live, caplog: pytest.LogCaptureFixture) -> None:
    with open_live.client.runs.start() as run:
        run.log(loss=1.0)

    run.log(loss=2.0)
    run.log(loss=3.0)

    assert open_live.client.runs.show(run.id).metrics == {"loss": 1.0}
    assert [r.message for r in caplog.records] == [
        f"run {run.run.name} ({run.id}): it has ended: what is logged now is not kept."
    ]


def test_figures_are_kept_as_what_they_are(open_live: Live) -> None:
    png = b"\x89PNG\r\n\x1a\nrest"
    with open_live.client.runs.start() as run:
        kept = [
            run.log_figure(Figure(), "figures/drawn"),
            run.log_figure(SVG, "figures/text.svg"),
            run.log_figure(png, "figures/pixels"),
        ]
        with pytest.raises(BadField, match="figure"):
            run.log_figure("<p>no figure</p>", "page")

    assert [(a.path, a.media_type) for a in kept] == [
        ("figures/drawn.svg", "image/svg+xml"),
        ("figures/text.svg", "image/svg+xml"),
        ("figures/pixels.png", "image/png"),
    ]


def test_predictions_are_pinned_with_what_their_columns_say(open_live: Live, folder: Path) -> None:
    frame = pd.DataFrame(
        {"y": [0, 1], "p": [0, 1], "s": [0.2, 0.9], "race": ["a", "b"], "secret": [1, 2]}, index=[5, 9]
    )

    with open_live.client.runs.start() as run:
        pinned = run.log_predictions(frame, label="y", prediction="p", score="s", groups=["race"], split="held out")
        again = run.log_predictions(frame, label="y", prediction="p", score="s", groups=["race"], name="b.parquet")
        with pytest.raises(BadField, match="age"):
            run.log_predictions(frame, label="y", prediction="p", groups=["age"])

    artifact = next(a for a in open_live.client.runs.artifacts(run.id) if a.path == "predictions.parquet")
    table = pq.read_table(open_live.client.runs.download(run.id, artifact.path, folder))
    assert (pinned.rows, pinned.digest) == (2, again.digest)
    assert artifact.predictions == pinned
    assert table.column_names == ["y", "p", "s", "race"]


SCRIPT = """
import sys, time
import taxiway as tw
run = tw.run("doomed", project="fraud")
for step in range(500):
    run.log(step=step, loss=1.0)
assert run.flush()
print(run.id, flush=True)
step = 500
while True:
    run.log(step=step, loss=1.0)
    step += 1
    time.sleep(0.0005)
"""


def test_a_killed_process_leaves_what_was_acknowledged(live: Live, folder: Path) -> None:
    live.client.projects.create("fraud")
    live.as_person("ana", "contributor", project="fraud")
    token = live.client.access.make_token("ana").token
    environment = {**os.environ, "TAXIWAY_URL": live.url, "TAXIWAY_TOKEN": token}
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, cwd=folder, env=environment
    )
    with child:
        assert child.stdout is not None
        run = child.stdout.readline().strip()
        time.sleep(0.7)
        child.send_signal(signal.SIGKILL)

    steps = [point.step for point in live.client.runs.metric(run, "loss")]
    assert live.client.runs.show(run).status == "running"
    assert len(steps) >= 500
    assert steps == list(range(len(steps)))


ENDLESS = """
import taxiway as tw
run = tw.run()
run.log(loss=1.0)
{}
"""


@pytest.mark.parametrize(("end", "status"), [("", "finished"), ("raise KeyError('x')", "failed")])
def test_a_script_that_never_ends_its_run_ends_it_as_itself(tmp_path: Path, end: str, status: str) -> None:
    home = tmp_path / "home"
    environment = {**os.environ, "TAXIWAY_HOME": str(home)}

    subprocess.run([sys.executable, "-c", ENDLESS.format(end)], env=environment, capture_output=True, check=False)

    with connect(home=home) as client:
        (run,) = client.runs.list()
    assert (run.status, run.metrics) == (status, {"loss": 1.0})


FORKING = """
import os
import taxiway as tw
with tw.run() as run:
    for step in range(100):
        run.log(step=step, loss=1.0)
    child = os.fork()
    if child == 0:
        for step in range(100, 150):
            run.log(step=step, loss=1.0)
        assert run.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


def test_a_forked_child_logs_to_the_same_run_once(open_live: Live) -> None:
    environment = {**os.environ, "TAXIWAY_URL": open_live.url}

    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING], env=environment, check=True)

    (run,) = open_live.client.runs.list()
    assert [point.step for point in open_live.client.runs.metric(run.id, "loss")] == list(range(150))
