"""Files are scored whole, in bounded pieces, and go on after any end; bad rows are told by field and row."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression

from taxiway.adapters import sklearn as adapter
from taxiway.endpoints.scoring import blocks, files, running
from taxiway.endpoints.scoring.contract import ScoringLeave
from taxiway.endpoints.scoring.crew import Loaded, Scorer
from taxiway.endpoints.scoring.process import Answering
from taxiway.endpoints.scoring.progress import framed, read_frames
from taxiway.endpoints.scoring.refusals import InputChanged, InputUnfit, ScoringHeld, ScoringStopped
from taxiway.endpoints.scoring.result import Scored
from taxiway.endpoints.scoring.running import Wish, score_file
from taxiway.endpoints.scoring.wire import to_scorer
from taxiway.endpoints.worker.process import said
from taxiway.endpoints.worker.wire import frame
from taxiway.models.bundles.bundle import Bundle, write_bundle
from taxiway.models.predicting.predictor import Prediction
from taxiway.models.predicting.signature import Column, Signature, check_columns

ROWS = 5000
PARTS = 1024  # rows of a chunk in these tests: the fewest there are


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    frame = rows_of(400)[["a", "b"]]
    model = LogisticRegression().fit(frame, frame["a"] + frame["b"] > 0)
    folder = tmp_path_factory.mktemp("bundle") / "model"
    draft = adapter.save(model, folder, frame, name="sums")
    return write_bundle(folder, draft, lock="")


class Inline(Scorer):
    """A scorer that answers in this process, by the code of its own."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded, self.ready = loaded, []
        self.memory = os.memfd_create("inline")
        self.answering = Answering(adapter.load(loaded.folder, loaded.digest))
        self.socket = self  # type: ignore[assignment]
        self.ready.append(frame(self.answering.prepared())[4:])

    def sendall(self, data: bytes) -> None:
        self.ready.append(frame(self.answering.answer(to_scorer.decode(data[4:]), self.memory))[4:])

    def close(self) -> None:
        os.close(self.memory)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "chunk_rows", lambda _: PARTS)


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "Scorer", Inline)


def rows_of(count: int) -> pd.DataFrame:
    random = np.random.default_rng(3)
    return pd.DataFrame(
        {"id": [f"r{n}" for n in range(count)], "a": random.normal(size=count), "b": random.normal(size=count)}
    )


def scored(bundle: Bundle, source: Path, target: Path, **more: object) -> Scored:
    leave = ScoringLeave("0" * 32, "sums", 1, bundle.digest, "production", is_trial=False)
    wish = Wish(source=source, target=target, **more)  # type: ignore[arg-type]
    return score_file(wish, leave, bundle.folder, bundle.manifest.signature)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.parquet"
    rows_of(ROWS).to_parquet(path, row_group_size=1700)
    return path


def test_a_block_is_answered_as_each_of_its_rows_is_alone(bundle: Bundle, source: Path, tmp_path: Path) -> None:
    done = scored(bundle, source, tmp_path / "out.parquet", jobs=2)

    found = pq.read_table(tmp_path / "out.parquet")
    frame, predictor = rows_of(ROWS).iloc[::25], adapter.load(bundle.folder, bundle.digest)
    alone = [predictor.predict([row])[0] for row in frame[["a", "b"]].to_dict("records")]
    assert found.column_names == ["id", "a", "b", "prediction", "score", "error"]
    assert found["prediction"].to_pylist()[::25] == [each["prediction"] for each in alone]
    assert found["score"].to_pylist()[::25] == pytest.approx([each["score"] for each in alone], abs=1e-14, rel=0)
    assert (done.rows, done.failed) == (ROWS, 0)
    assert done.difference is not None
    assert done.difference < 1e-14
    said = msgspec.json.decode(pq.read_metadata(tmp_path / "out.parquet").metadata[b"taxiway.scoring"])
    assert (said["bundle"], said["is_trial"], said["rows"]) == (bundle.digest, False, ROWS)


@pytest.mark.usefixtures("inline")
def test_asked_alone_each_row_has_every_bit_of_its_single_answer(bundle: Bundle, tmp_path: Path) -> None:
    frame = rows_of(200)
    frame.to_parquet(tmp_path / "in.parquet")

    done = scored(bundle, tmp_path / "in.parquet", tmp_path / "out.parquet", keep=[], is_exact=True)

    predictor = adapter.load(bundle.folder, bundle.digest)
    alone = [predictor.predict([row])[0] for row in frame[["a", "b"]].to_dict("records")]
    assert pq.read_table(tmp_path / "out.parquet")["score"].to_pylist() == [each["score"] for each in alone]
    assert done.difference == 0.0


@pytest.mark.usefixtures("inline")
def test_a_csv_gives_the_answers_that_its_numbers_give(bundle: Bundle, source: Path, tmp_path: Path) -> None:
    rows_of(ROWS).to_csv(tmp_path / "in.csv", index=False)

    scored(bundle, tmp_path / "in.csv", tmp_path / "out.csv", keep=["id"])
    scored(bundle, source, tmp_path / "out.parquet", keep=["id"])

    texts = pcsv.read_csv(tmp_path / "out.csv").to_pydict()
    table = pq.read_table(tmp_path / "out.parquet").to_pydict()
    assert texts["score"] == table["score"]
    assert texts["id"] == table["id"]
    assert msgspec.json.decode((tmp_path / "out.csv.scoring.json").read_bytes())["rows"] == ROWS


def test_killed_anywhere_it_goes_on_and_gives_what_it_would_have_given(
    bundle: Bundle, source: Path, tmp_path: Path
) -> None:
    scored(bundle, source, tmp_path / "whole.parquet")
    slow = (
        "import sys, time; from pathlib import Path; from tests.endpoints.scoring import test_running as t\n"
        "from taxiway.models.bundles.bundle import verify_bundle\n"
        "t.running.chunk_rows = lambda _: t.PARTS; b = verify_bundle(Path(sys.argv[1]))\n"
        "tell = lambda far: (print(far.rows, flush=True), time.sleep(1))\n"
        "t.scored(b, Path(sys.argv[2]), Path(sys.argv[3]), tell=tell)"
    )
    target = tmp_path / "out.parquet"
    command = [sys.executable, "-c", slow, str(bundle.folder), str(source), str(target)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3])
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    beside = tmp_path / "out.parquet.progress"
    beside.write_bytes(beside.read_bytes() + b"torn")
    assert not target.exists()

    done = scored(bundle, source, target)

    assert done.resumed in (PARTS, 2 * PARTS)
    assert pq.read_table(target).equals(pq.read_table(tmp_path / "whole.parquet"))
    assert not beside.exists()


@pytest.mark.usefixtures("inline")
def test_what_goes_on_refuses_another_input_and_another_choice(bundle: Bundle, source: Path, tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def stop(_: object) -> None:
        raise Enough

    target = tmp_path / "out.parquet"
    with pytest.raises(Enough):
        scored(bundle, source, target, tell=stop)
    with pytest.raises(InputChanged, match="choice of columns"):
        scored(bundle, source, target, keep=["id"])
    rows_of(ROWS).to_parquet(source)
    with pytest.raises(InputChanged, match="another input"):
        scored(bundle, source, target)

    assert scored(bundle, source, target, is_anew=True).resumed == 0


@pytest.mark.usefixtures("inline")
def test_a_bad_row_stops_or_stands_with_its_error(bundle: Bundle, tmp_path: Path) -> None:
    frame = rows_of(3000)
    frame.loc[[5, 2500], "b"] = np.nan
    frame.loc[2999, "a"] = np.inf
    source = tmp_path / "in.parquet"
    frame.to_parquet(source)

    with pytest.raises(ScoringStopped) as stopped:
        scored(bundle, source, tmp_path / "one.parquet")
    done = scored(bundle, source, tmp_path / "two.parquet", on_error="keep", keep=[])

    assert (stopped.value.row, stopped.value.field) == (5, "b")
    table = pq.read_table(tmp_path / "two.parquet").to_pydict()
    errors = {row: text for row, text in enumerate(table["error"]) if text is not None}
    assert errors == {
        5: "field 'b': nan is not accepted; give a finite number",
        2500: "field 'b': nan is not accepted; give a finite number",
        2999: "field 'a': inf is not accepted; give a finite number",
    }
    assert [row for row, score in enumerate(table["score"]) if score is None] == [5, 2500, 2999]
    assert done.failed == 3


class Moody:
    """Doubles; raises for a block in which a 7 stands."""

    signature = Signature(
        inputs=(Column(name="x", type="number"),), outputs=(Column(name="prediction", type="number"),)
    )

    def predict(self, data: object) -> list[Prediction]:
        values = check_columns(self.signature.inputs, data)["x"]  # type: ignore[arg-type]
        if 7.0 in values:
            raise ValueError("seven")
        return [{"prediction": 2 * value} for value in values]


def test_rows_that_the_model_raises_on_cost_themselves_alone() -> None:
    block = {"x": np.array([1.0, 7.0, np.nan, 3.0, 7.0, 4.0])}

    answers, failed = blocks.answer_block(Moody(), block, keeps_on=True, say=said)

    assert answers["prediction"].tolist() == [2.0, 6.0, 8.0]
    assert failed == {
        1: "ValueError: seven",
        2: "field 'x': nan is not accepted; give a finite number",
        4: "ValueError: seven",
    }
    with pytest.raises(ValueError, match="seven"):
        blocks.answer_block(Moody(), {"x": np.array([7.0])}, keeps_on=False, say=said)


@pytest.mark.usefixtures("inline")
def test_a_csv_tells_the_text_that_is_no_number(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("a,b\n1,2\n3,four\n")

    with pytest.raises(ScoringStopped, match="Row 1, field 'b': 'four' is not accepted"):
        scored(bundle, tmp_path / "in.csv", tmp_path / "out.csv")


def test_files_that_do_not_fit_are_refused_before_anything_is_loaded(bundle: Bundle, tmp_path: Path) -> None:
    rows_of(3).drop(columns="b").to_parquet(tmp_path / "less.parquet")
    (tmp_path / "no.parquet").write_text("no parquet")

    for name, why in (("less.parquet", "no column 'b'"), ("no.parquet", "cannot be read"), ("x.xls", "ends neither")):
        with pytest.raises(InputUnfit, match=why):
            scored(bundle, tmp_path / name, tmp_path / "out.parquet")


@pytest.mark.usefixtures("inline")
def test_two_do_not_score_into_one_output(bundle: Bundle, source: Path, tmp_path: Path) -> None:
    def again(_: object) -> None:
        scored(bundle, source, tmp_path / "out.parquet")

    with pytest.raises(ScoringHeld):
        scored(bundle, source, tmp_path / "out.parquet", tell=again)


def test_chunks_are_the_same_however_a_file_was_laid_out(tmp_path: Path) -> None:
    table = pa.table({"x": range(2500)})
    for name, groups in (("one", 2500), ("many", 7)):
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=groups)

    one, many = (
        [batch.to_pydict() for batch in files.RowsFile(tmp_path / f"{name}.parquet").chunks(["x"], 1000)]
        for name in ("one", "many")
    )

    assert one == many
    assert [len(each["x"]) for each in one] == [1000, 1000, 500]


def test_a_frame_that_was_not_written_whole_is_cut_off(tmp_path: Path) -> None:
    whole = framed(0, b"begun") + framed(1, b"answers")
    for cut in range(len(framed(1, b"answers"))):
        path = tmp_path / f"{cut}"
        path.write_bytes(whole[: len(framed(0, b"begun")) + cut])
        with path.open("a+b") as file:
            assert list(read_frames(file)) == [0]
        assert path.stat().st_size == len(framed(0, b"begun"))
