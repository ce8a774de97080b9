"""Batch scoring held against the library called directly on chunks: ``python -m tools.serving.scoring [--rows N]``.

Both read the same Parquet file, answer it by the same logistic regression, and write the id, the label and the score.
What the library costs is a loop that anybody would write: pandas chunks of 65,536 rows, `predict_proba`, a writer.
They take turns. Ours starts a confined process, checks the bundle and every value, and keeps its progress.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression

from taxiway.adapters import sklearn as adapter
from taxiway.endpoints.scoring.contract import ScoringLeave
from taxiway.endpoints.scoring.running import Wish, score_file
from taxiway.models.bundles.bundle import Bundle, write_bundle
from tools.tracking.rows import verdict

COLUMNS = [f"x{number}" for number in range(20)]
CHUNK = 65_536
MUST = 0.7


def made(folder: Path, rows: int) -> tuple[Path, LogisticRegression, Bundle]:
    """A file, a model, and its bundle."""
    random = np.random.default_rng(1)
    path = folder / "in.parquet"
    schema = pa.schema([("id", pa.int64()), *((name, pa.float64()) for name in COLUMNS)])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, 500_000):
            height = min(500_000, rows - start)
            values = [pa.array(random.normal(size=height)) for _ in COLUMNS]
            writer.write_table(pa.table([pa.array(range(start, start + height)), *values], schema=schema))
    frame = pd.DataFrame(random.normal(size=(2000, 20)), columns=COLUMNS)
    model = LogisticRegression().fit(frame, frame.sum(axis=1) > 0)
    draft = adapter.save(model, folder / "bundle", frame, name="sums")
    return path, model, write_bundle(folder / "bundle", draft, lock="")


def directly(source: Path, target: Path, model: LogisticRegression) -> float:
    """Seconds of the loop."""
    began = time.perf_counter()
    schema = pa.schema([("id", pa.int64()), ("prediction", pa.bool_()), ("score", pa.float64())])
    with pq.ParquetWriter(target, schema) as writer:
        for batch in pq.ParquetFile(source).iter_batches(batch_size=CHUNK):
            frame = batch.to_pandas()
            score = model.predict_proba(frame[COLUMNS])[:, 1]
            writer.write_table(pa.table([batch["id"], pa.array(score >= 0.5), pa.array(score)], schema=schema))
    return time.perf_counter() - began


def ours(source: Path, target: Path, bundle: Bundle) -> float:
    """Seconds of a scoring, with its process's start."""
    leave = ScoringLeave("0" * 32, "sums", 1, bundle.digest, "production", is_trial=False)
    wish = Wish(source=source, target=target, keep=["id"])
    return score_file(wish, leave, bundle.folder, bundle.manifest.signature).seconds


def check_equal(one: Path, other: Path) -> None:
    """Whether both answered the same rows alike."""
    first, second = pq.read_table(one), pq.read_table(other)
    assert first["id"].equals(second["id"])
    assert np.abs(first["score"].to_numpy() - second["score"].to_numpy()).max() < 1e-12


def scoring_line(folder: Path, rows: int, rounds: int) -> tuple[str, ...]:
    """The table's line: rows a second of the loop and of ours, and the ratio within each round."""
    source, model, bundle = made(folder, rows)
    one, other = folder / "a.parquet", folder / "b.parquet"
    pairs = [(directly(source, one, model), ours(source, other, bundle)) for _ in range(rounds)]
    check_equal(one, other)
    ratio = statistics.median(loop / mine for loop, mine in pairs)
    loop, mine = (rows / statistics.median(column) for column in zip(*pairs, strict=True))
    work = f"batch scoring, {rows:,} rows × 20, Parquet to Parquet"
    must = verdict(f"≥ {MUST:g}×", is_kept=ratio >= MUST)
    return (work, f"the library on chunks: {loop:,.0f} rows/s", f"{mine:,.0f} rows/s", f"**{ratio:.2f}×**", must)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        print(" | ".join(scoring_line(Path(name), given.rows, given.rounds)))


if __name__ == "__main__":
    main()
