"""A run while it runs: what `taxiway.run(...)` gives."""

from __future__ import annotations

import atexit
import hashlib
import logging
import mimetypes
import os
import resource
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, SupportsFloat, SupportsIndex

from taxiway.kernel.errors import BadField, TaxiwayError
from taxiway.kernel.transport import Transport
from taxiway.runs import contract
from taxiway.runs.capturing import Capturing
from taxiway.runs.compare import Scalar, is_same
from taxiway.runs.contract import (
    AddArtifact,
    Artifact,
    ChangeRun,
    Ending,
    FinishRun,
    LogBatch,
    Predictions,
    Run,
    UseDataset,
)
from taxiway.runs.redact import scrub, values_of_secrets
from taxiway.runs.refusals import ParamFixed, Undelivered
from taxiway.runs.seeds import process
from taxiway.runs.sender import Sender
from taxiway.runs.values import ENDINGS, as_figure, as_measured, as_param, as_step, run_in_floats
from taxiway.storage.contract import put_blob

if TYPE_CHECKING:
    from taxiway.runs.client import LogModel

log = logging.getLogger("taxiway")

DELIVER_S = 30.0


class Version(Protocol):
    """A dataset version, as far as a run looks at it."""

    @property
    def project(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...


class ActiveRun:
    """An open run. Use it as a context manager: an exception that leaves the block marks the run as failed.

    >>> with taxiway.run("baseline") as run:  # doctest: +SKIP
    ...     run.params(C=0.5)
    ...     run.log(step=1, loss=0.3)
    """

    def __init__(
        self,
        transport: Transport,
        run: Run,
        *,
        is_attached: bool = False,
        log_model: LogModel | None = None,
        source: Path | None = None,
        nth: int = 1,
    ) -> None:
        self.transport = transport
        self.run = run
        self.id = run.id
        self.is_attached = is_attached
        self.ending: Ending | None = None
        self._log_model = log_model
        self._secrets = values_of_secrets(os.environ)
        self._steps: dict[str, int] = {}
        self._params: dict[str, Scalar] = {}
        self._used: set[str] = set()
        self._cpu_s = cpu_s()
        self._sender = Sender(self._send, transport.close, f"run {run.name} ({run.id})")
        self._capture = Capturing(transport, run.id, self._upload, is_attached=is_attached, source=source, nth=nth)
        process.begin(self)
        atexit.register(self._at_exit)

    def _send(self, batch: LogBatch) -> None:
        self.transport.call(contract.log_batch, batch, run=self.id)

    # --- logging ---

    def log(self, /, step: int | None = None, **metrics: SupportsFloat | SupportsIndex) -> None:
        """Logs one value of each metric. Costs microseconds: it is sent later, from another thread.

        step: a whole number; left out, each metric counts its own from 0. Values are numbers, NaN and the infinities
        included. A server that is away raises nothing here. Raises BadField for what is no number.

        >>> run.log(step=3, loss=0.21, accuracy=0.93)  # doctest: +SKIP
        """
        if step is not None and type(step) is not int:
            step = as_step(step)
        elif step is not None and not -(2**63) <= step < 2**63:
            as_step(step)
        at = time.time_ns() // 1000
        steps, put = self._steps, self._sender.put
        for key, value in metrics.items():
            number = value if type(value) is float else as_measured(key, value)
            here = steps.get(key, 0) if step is None else step
            steps[key] = here + 1
            put((key, here, at, number))

    def param(self, name: str, value: Any) -> None:
        """Logs one parameter. Raises ParamFixed when it has another value already, BadField."""
        plain = as_param(name, value)
        if isinstance(plain, str):
            plain = scrub(plain, self._secrets)
        kept = self._params.setdefault(name, plain)
        if not is_same(kept, plain):
            raise ParamFixed(run=self.id, param=name, value=repr(kept), given=repr(plain))
        self._sender.put_pair("params", name, plain)

    def params(self, /, **params: Any) -> None:
        """Logs parameters: texts, numbers, truths; anything else as Python prints it. Raises ParamFixed, BadField.

        >>> run.params(model="logistic", C=0.5)  # doctest: +SKIP
        """
        for name, value in params.items():
            self.param(name, value)

    def tag(self, /, **tags: str) -> None:
        """Sets tags; one that is there gets the new text."""
        for name, value in tags.items():
            self._sender.put_pair("tags", name, str(value))

    def seed(self, value: int) -> None:
        """Seeds `random`, NumPy and PyTorch, and notes it: the same as `taxiway.seed`. Raises BadField.

        >>> run.seed(7)  # doctest: +SKIP
        """
        process.seed(value)

    def use(self, dataset: Version | str) -> None:
        """Says that the run reads a dataset version, by the version itself or its reference; drawn in the lineage.

        What `client.datasets.read` and `download` give is said by itself.
        """
        ref = reference(dataset)
        if ref not in self._used:
            self.transport.call(contract.use_dataset, UseDataset(ref), run=self.id)
            self._used.add(ref)

    # --- files ---

    def log_artifact(self, source: str | Path | bytes, name: str = "", *, media_type: str = "") -> Artifact:
        """Keeps a file, or bytes under a name, and returns once they are stored. Raises BadField, ServerAway.

        name: a relative path such as ``reports/card.md``; a file's own name by default.

        >>> run.log_artifact("model.onnx")  # doctest: +SKIP
        """
        path = Path() if isinstance(source, bytes) else Path(source)
        name = name or path.name
        if not name:
            raise BadField(field="name", value="''", expected="a name for the bytes, such as 'report.txt'")
        if not isinstance(source, bytes) and not path.is_file():
            raise BadField(field="source", value=repr(str(path)), expected="a file that exists, or bytes")
        digest = self._upload(source if isinstance(source, bytes) else path)
        kind = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        return self._keep(AddArtifact(name, digest, kind))

    def log_figure(self, figure: Any, name: str) -> Artifact:
        """Keeps a figure that pages show: a matplotlib Figure, SVG text, or the bytes of an SVG, PNG or JPEG.

        >>> run.log_figure(figure, "figures/roc")  # doctest: +SKIP
        """
        data, kind = as_figure(figure)
        path = name if name.lower().endswith((ENDINGS[kind], ".jpeg")) else name + ENDINGS[kind]
        return self._keep(AddArtifact(path, self._upload(data), kind))

    def log_predictions(
        self,
        frame: Any,
        *,
        label: str,
        prediction: str,
        score: str | None = None,
        groups: Sequence[str] = (),
        time: str | None = None,
        threshold: float = 0.5,
        dataset: Version | str | None = None,
        split: str = "",
        name: str = "predictions.parquet",
    ) -> Predictions:
        """Pins a table of predictions: what the path's gates and the comparison of runs look at.

        frame: a row per case, in any frame narwhals knows; only the named columns are kept. label: the truth.
        score: the probability of the positive class, positive from `threshold` on. groups: columns that fairness is
        looked at by. time: the moment of each case. split: in words, such as "out of fold, 10 folds, seed 7".
        Raises BadField for a column that is not there, ArrowMissing without pyarrow.
        """
        from taxiway.runs.predictions import to_parquet

        columns = [label, prediction, *filter(None, (score, time)), *groups]
        data, rows = to_parquet(frame, columns)
        pinned = Predictions(
            digest=self._upload(data),
            rows=rows,
            label=label,
            prediction=prediction,
            score=score or "",
            groups=list(groups),
            time=time or "",
            threshold=threshold,
            dataset=reference(dataset) if dataset is not None else "",
            split=split,
        )
        self._keep(AddArtifact(name, pinned.digest, "application/vnd.apache.parquet", pinned))
        return pinned

    def log_model(self, model: Any, name: str, **facts: Any) -> Any:
        """Registers a model that this run made as the next version of `name`: see `taxiway.models.client`."""
        if self._log_model is None:
            raise BadField(field="model", value=name, expected="a run that a client started: `client.runs.start(...)`")
        self.flush()
        return self._log_model(self, model, name, **facts)

    def _upload(self, source: bytes | Path) -> str:
        if isinstance(source, bytes):
            digest = f"sha256:{hashlib.sha256(source).hexdigest()}"
            self.transport.upload(put_blob, source, len(source), digest=digest)
            return digest
        with source.open("rb") as file:
            digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
            self.transport.upload(put_blob, file, source.stat().st_size, digest=digest)
        return digest

    def _keep(self, artifact: AddArtifact) -> Artifact:
        return self.transport.call(contract.add_artifact, artifact, run=self.id)

    # --- the end ---

    def flush(self, wait_s: float = DELIVER_S) -> bool:
        """Waits until everything logged so far is on the server's disk; False where that takes longer."""
        return self._sender.flush(wait_s)

    def finish(self, status: Ending = "finished", *, failure: str = "", wait_s: float = DELIVER_S) -> Run:
        """Delivers what is left and ends the run. A run of `taxiway run` is ended by that when the script ends.

        Raises Undelivered when the server stayed away, and what the server refused of the things logged before.
        """
        if self.ending is not None:
            return self.run
        self.ending = status
        process.end(self)
        atexit.unregister(self._at_exit)
        outcome = self._sender.stop(wait_s)
        if outcome.undelivered:
            raise Undelivered(run=self.id, items=outcome.undelivered, cause=outcome.cause or "the time was too short.")
        self._capture.finish()
        if not self.is_attached:
            ending = FinishRun(
                status, cpu_s=max(cpu_s() - self._cpu_s, 0.0), failure=scrub(failure, self._secrets)[:2000]
            )
            self.run = run_in_floats(self.transport.call(contract.finish_run, ending, run=self.id))
        if outcome.refusal is not None:
            raise outcome.refusal
        return self.run

    def __enter__(self) -> ActiveRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.finish()
            return
        status, failure = ending_of(error)
        self._finish_quietly(status, failure)

    def _finish_quietly(self, status: Ending, failure: str) -> None:
        """Ends the run where another exception is on its way, which must not be hidden."""
        try:
            self.finish(status, failure=failure)
        except TaxiwayError as e:
            log.warning("run %s: %s", self.id, e)

    def _at_exit(self) -> None:
        """The script ended without ending the run: as it ended, so did the run."""
        error = getattr(sys, "last_value", None)  # set when an exception reached the top
        status, failure = ending_of(error) if error is not None else ("finished", "")
        self._finish_quietly(status, failure)

    def rename(self, name: str) -> None:
        self.run = self.transport.call(contract.change_run, ChangeRun(name=name), run=self.id)


def reference(dataset: Version | str) -> str:
    return dataset if isinstance(dataset, str) else f"dataset:{dataset.project}/{dataset.name}@{dataset.version}"


def ending_of(error: BaseException) -> tuple[Ending, str]:
    """How a run ended that this exception left, and its last line."""
    if isinstance(error, KeyboardInterrupt):
        return "stopped", "interrupted"
    if isinstance(error, SystemExit) and error.code in (None, 0):
        return "finished", ""
    return "failed", traceback.format_exception_only(error)[-1].strip()


def cpu_s() -> float:
    """Processor seconds of this process and its finished children so far."""
    both = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)
