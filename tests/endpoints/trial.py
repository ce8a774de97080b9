"""A model that misbehaves when asked to, and a gateway whose workers serve it.

``python trial.py gateway ...`` and ``python trial.py worker ...`` are the real programs with this model loaded.
"""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from taxiway.endpoints.gateway import process as gateway
from taxiway.endpoints.gateway.configuration import ServedRevision
from taxiway.endpoints.worker import process as worker
from taxiway.endpoints.worker.held import options
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.bundles.bundle import Bundle, Manifest, NativeModel, verify_bundle, write_bundle
from taxiway.models.bundles.mlmodel import example_file
from taxiway.models.predicting.predictor import ColumnsIn, Prediction, Rows
from taxiway.models.predicting.signature import Column, Signature, check_rows

SIGNATURE = Signature(
    inputs=(Column(name="x", type="number"), Column(name="mood", type="string", nullable=True)),
    outputs=(Column(name="prediction", type="number"), Column(name="score", type="number")),
)


class Refusing(TaxiwayError):
    """A bundle whose loader says no."""

    status = 422
    reason: str

    def __str__(self) -> str:
        return f"It is not loaded: {self.reason}."


HABITS = ("raises", "lags", "nan", "text", "leaks")
FROM = 100.0  # the x from which on a model shows its habit: its example, which it must answer to be served, is below


class Trial:
    """Answers x + its own number, or does what the row's mood says, or what its habit is."""

    def __init__(self, number: float, habit: str = "") -> None:
        self.number, self.habit = number, habit
        self.kept: list[bytes] = []

    @property
    def signature(self) -> Signature:
        return SIGNATURE

    def predict(self, data: Rows | ColumnsIn) -> list[Prediction]:
        assert not isinstance(data, dict)
        columns = check_rows(SIGNATURE.inputs, data)  # type: ignore[arg-type]
        return [self.one(x, mood) for x, mood in zip(columns["x"], columns["mood"], strict=True)]

    def one(self, x: float, mood: str | None) -> Prediction:
        if self.habit and x >= FROM:
            return self.as_usual(x)
        match mood:
            case "raise":
                raise ZeroDivisionError("x is nothing to divide by")
            case "die":
                os._exit(7)
            case "sleep":
                time.sleep(x)
            case "nan":
                return {"prediction": x, "score": float("nan")}
            case "environment":
                return {"prediction": " ".join(sorted(os.environ))}
            case "print":
                print("the model says", x, flush=True)
            case "write":
                Path("/tmp/written-by-a-worker").write_text("x" * 10)
        return {"prediction": x + self.number, "score": 0.5}

    def stream(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """As many pieces as x says, 20 ms from one to the next; what the mood says happens at the third."""
        pieces, mood = int(row["x"]), row.get("mood")
        size, number = 16_000 if mood == "large" else 1, 0
        try:
            for number in range(pieces):
                if number == 2 and mood == "raise":
                    raise ZeroDivisionError("x is nothing to divide by")
                if number == 2 and mood == "die":
                    os._exit(7)
                if number == 2 and mood == "sleep":
                    time.sleep(60.0)
                yield {"prediction": f"{number}," * size}
                time.sleep(0.0 if mood == "large" else 0.02)
        except GeneratorExit:
            print("the stream was closed", number, flush=True)
            raise

    def as_usual(self, x: float) -> Prediction:
        """What a model of this habit does with every row that is like its callers'."""
        match self.habit:
            case "raises":
                raise ZeroDivisionError("it does so with all of them")
            case "lags":
                time.sleep(0.4)
            case "nan":
                return {"prediction": x, "score": float("nan")}
            case "text":
                return {"prediction": "much", "score": 0.5}
            case "leaks":
                self.kept.append(os.urandom(1 << 20) * 8)
        return {"prediction": x + self.number, "score": 0.5}


def load(folder: Path, digest: str, *, may_run_code: bool) -> Trial:
    text = (folder / "model.txt").read_text()
    if text == "refuse":
        raise Refusing(reason="it asked for that")
    if text == "crash":
        print("about to crash")
        os._exit(11)
    if text == "missing":
        raise ModuleNotFoundError("No module named 'boosting'")
    if text == "slow":
        time.sleep(1.0)
    if text == "deaf":
        print("still thinking")
        time.sleep(60.0)
    return Trial(float(text) if text.isdigit() else 0.0, text if text in HABITS else "")


def trial_bundle(folder: Path, says: str) -> Bundle:
    """A bundle of the trial model: a number to add, or how to behave at load."""
    folder.mkdir(parents=True)
    (folder / "model.txt").write_text(says)
    (folder / "input_example.json").write_bytes(example_file({"x": [1.0, 2.0], "mood": [None, None]}))
    native = NativeModel(file="model.txt", serialization="text")
    draft = Manifest(name="trial", flavour="trial", signature=SIGNATURE, native=native, example="input_example.json")
    write_bundle(folder, draft)
    return verify_bundle(folder)


def command(revision: ServedRevision, bundle: Path, descriptor: int) -> list[str]:
    what = ["--bundle", str(bundle), "--digest", revision.bundle_digest, "--endpoint", revision.endpoint]
    here = [sys.executable, "-I", "-B", "-u", __file__, "worker"]
    return [*here, *what, *options(revision), "--descriptor", str(descriptor)]


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        worker.main(sys.argv[2:], load=load)
    else:
        gateway.main(sys.argv[2:], command=command)
