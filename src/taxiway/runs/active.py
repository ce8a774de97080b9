"""A run while it runs: what `taxiway.run(...)` gives."""

from __future__ import annotations

import atexit
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

import msgspec

from taxiway.kernel.clock import now
from taxiway.kernel.errors import BadField, TaxiwayError
from taxiway.kernel.transport import Transport
from taxiway.runs.again.seeds import process
from taxiway.runs.capturing.capturing import Capturing
from taxiway.runs.capturing.redact import scrub, values_of_secrets
from taxiway.runs.compare import Scalar, is_same
from taxiway.runs.contract import AddArtifact, Artifact, ChangeRun, Ending, FinishRun, Predictions, Run, UseDataset
from taxiway.runs.paths import check_path
from taxiway.runs.refusals import ParamFixed
from taxiway.runs.sending.parcel import Parcel
from taxiway.runs.sending.recorder import Recorder, digest_of
from taxiway.runs.sending.records import Change, Request, Use
from taxiway.runs.sending.sender import Outcome
from taxiway.runs.sending.stream import Bytes
from taxiway.runs.system import Watching
from taxiway.runs.values import ENDINGS, as_figure, as_measured, as_name, as_param, as_step, as_text

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
        recorder: Recorder,
        run: Run,
        *,
        is_attached: bool = False,
        log_model: LogModel | None = None,
        source: Path | None = None,
        nth: int = 1,
        system_s: float = 0.0,
    ) -> None:
        self.transport = transport
        self.run = run
        self.id = run.id
        self.is_attached = is_attached
        self.ending: Ending | None = None
        self.outcome: Outcome | None = None  # of the delivery, once the run has ended
        self._log_model = log_model
        self._has_told_late = False
        self._secrets = values_of_secrets(os.environ)
        self._steps: dict[str, int] = {}
        self._params: dict[str, Scalar] = {}
        self._used: set[str] = set()
        self._cpu_s = cpu_s()
        self._recorder = recorder
        self._capture = Capturing(
            run.id, self._upload, recorder.say_capture, is_attached=is_attached, source=source, nth=nth
        )
        self._watching = Watching(recorder.points, 0.0 if is_attached else system_s)
        process.begin(self)
        _open.append(self)
        atexit.register(self._at_exit)

    # --- logging ---

    def log(self, /, step: int | None = None, **metrics: SupportsFloat | SupportsIndex) -> None:
        """Logs one value of each metric. Costs microseconds: it is written to the spool, and sent by another thread.

        step: a whole number; left out, each metric counts its own from 0. Values are numbers, NaN and the infinities
        included. A server that is away raises nothing here, nor does a full disk. Raises BadField for what is no
        number, or no name of a metric.

        >>> run.log(step=3, loss=0.21, accuracy=0.93)  # doctest: +SKIP
        """
        if step is not None and type(step) is not int:
            step = as_step(step)
        elif step is not None and not -(2**63) <= step < 2**63:
            as_step(step)
        at = time.time_ns() // 1000
        steps = self._steps
        rows = []
        for key, value in metrics.items():
            if key not in steps:
                as_name("metrics", key)
            number = value if type(value) is float else as_measured(key, value)
            here = steps.get(key, 0) if step is None else step
            rows.append((key, here, number))
        if self.ending is not None:
            self._tell_late()
        for key, here, _ in rows:
            steps[key] = here + 1
        self._recorder.points(at, rows)

    def _tell_late(self) -> None:
        """Says once that the run has ended; a training that logs on all the same is not stopped for it."""
        if not self._has_told_late:
            log.warning("run %s (%s): it has ended: what is logged now is not kept.", self.run.name, self.id)
        self._has_told_late = True

    def param(self, name: str, value: Any) -> None:
        """Logs one parameter. Raises ParamFixed when it has another value already, BadField."""
        as_name("params", name)
        plain = as_param(name, value)
        if isinstance(plain, str):
            plain = scrub(plain, self._secrets)
        kept = self._params.setdefault(name, plain)
        if not is_same(kept, plain):
            raise ParamFixed(run=self.id, param=name, value=repr(kept), given=repr(plain))
        self._recorder.pair("params", name, plain)

    def params(self, /, **params: Any) -> None:
        """Logs parameters: texts, numbers, truths; anything else as Python prints it. Raises ParamFixed, BadField.

        >>> run.params(model="logistic", C=0.5)  # doctest: +SKIP
        """
        for name, value in params.items():
            self.param(name, value)

    def tag(self, /, **tags: str) -> None:
        """Sets tags; one that is there gets the new text."""
        for name, value in tags.items():
            as_name("tags", name)
            self._recorder.pair("tags", name, as_text(name, str(value)))

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
            self._recorder.say(Use(UseDataset(ref)))
            self._used.add(ref)

    # --- files ---

    def log_artifact(self, source: str | Path | bytes, name: str = "", *, media_type: str = "") -> Artifact:
        """Keeps a file, or bytes under a name. Raises BadField.

        name: a relative path such as ``reports/card.md``; a file's own name by default. Up to 64 MiB are copied and
        sent from there; a larger file is sent from where it lies, so leave it as it is until `flush` or the end.

        >>> run.log_artifact("model.onnx")  # doctest: +SKIP
        """
        path = Path() if isinstance(source, bytes) else Path(source)
        name = name or path.name
        if not name:
            raise BadField(field="name", value="''", expected="a name for the bytes, such as 'report.txt'")
        if not isinstance(source, bytes) and not path.is_file():
            raise BadField(field="source", value=repr(str(path)), expected="a file that exists, or bytes")
        kind = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        return self._keep(source if isinstance(source, bytes) else path, AddArtifact(name, "", kind))

    def log_figure(self, figure: Any, name: str) -> Artifact:
        """Keeps a figure that pages show: a matplotlib Figure, SVG text, or the bytes of an SVG, PNG or JPEG.

        >>> run.log_figure(figure, "figures/roc")  # doctest: +SKIP
        """
        data, kind = as_figure(figure)
        path = name if name.lower().endswith((ENDINGS[kind], ".jpeg")) else name + ENDINGS[kind]
        return self._keep(data, AddArtifact(path, "", kind))

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
        features: Sequence[str] = (),
        others: Sequence[str] = (),
        name: str = "predictions.parquet",
    ) -> Predictions:
        """Pins a table of predictions: what the path's gates and the comparison of runs look at.

        frame: a row per case, in any frame narwhals knows; only the named columns are kept. label: the truth.
        score: the probability of the positive class, positive from `threshold` on. groups: columns that fairness is
        looked at by. time: the moment of each case. split: in words, such as "out of fold, 10 folds, seed 7".
        features: what the model read, for checks that ask the model anew, such as `robustness` and `explanations`.
        others: further columns that checks may need, such as the customer that rows are clustered by.
        Raises BadField for a column that is not there, ArrowMissing without pyarrow.
        """
        from taxiway.runs.predictions import to_parquet

        columns = [label, prediction, *filter(None, (score, time)), *groups, *features, *others]
        data, rows = to_parquet(frame, columns)
        pinned = Predictions(
            digest=digest_of(data),
            rows=rows,
            label=label,
            prediction=prediction,
            score=score or "",
            groups=list(groups),
            time=time or "",
            threshold=threshold,
            dataset=reference(dataset) if dataset is not None else "",
            split=split,
            features=list(features),
            others=list(others),
        )
        self._keep(data, AddArtifact(name, pinned.digest, "application/vnd.apache.parquet", pinned))
        return pinned

    def log_model(self, model: Any, name: str, **facts: Any) -> Any:
        """Registers a model that this run made as the next version of `name`: see `client.models.log`.

        Where no server answers, the model waits with all else that the run says, and what is given has no number yet.
        """
        if self._log_model is None:
            raise BadField(field="model", value=name, expected="a run that a client started: `client.runs.start(...)`")
        return self._log_model(self, model, name, **facts)

    def send(self, files: Sequence[Bytes], request: Request, wait_s: float) -> Parcel | None:
        """Takes files over and has them delivered, then a request: as `Recorder.send`."""
        return self._recorder.send(files, request, wait_s)

    def lose(self, what: str) -> None:
        self._recorder.lose(what)

    def _upload(self, data: bytes) -> str:
        return self._recorder.upload(data)

    def _keep(self, source: bytes | Path, artifact: AddArtifact) -> Artifact:
        check_path(artifact.path)
        return self._recorder.keep(source, artifact)

    # --- the end ---

    def flush(self, wait_s: float = DELIVER_S) -> bool:
        """Waits until everything logged so far is on the server's disk; False where that takes longer."""
        return self._recorder.sender.flush(wait_s)

    def finish(self, status: Ending = "finished", *, failure: str = "", wait_s: float = DELIVER_S) -> Run:
        """Ends the run and waits until the server has all of it. A run of `taxiway run` is ended by that instead.

        Where the server stays away, what is left waits in the spool for `taxiway runs sync`, the end with it.
        `outcome` says what waits and what is lost. Raises what the server refused of the things logged before.
        """
        if self.ending is not None:
            return self.run
        self.ending = status
        process.end(self)
        _open.remove(self)
        atexit.unregister(self._at_exit)
        self._watching.stop()
        self._capture.finish()
        self.run, self.outcome = self._recorder.finish(self.run, self._ended(status, failure), wait_s)
        tell(self.outcome, f"run {self.run.name or self.id} ({self.id})", self._recorder.stream.folder)
        if self.outcome.refusal is not None:
            raise self.outcome.refusal
        return self.run

    def _ended(self, status: Ending, failure: str) -> FinishRun | None:
        if self.is_attached:
            return None
        said = scrub(failure, self._secrets)[:2000]
        return FinishRun(status, cpu_s=max(cpu_s() - self._cpu_s, 0.0), failure=said, ended_at=now())

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

    def __repr__(self) -> str:
        return f"run {self.run.name or 'without a name'} ({self.id}), {self.ending or 'running'}"

    def _repr_html_(self) -> str:
        from taxiway.runs.showing.displays import run_html

        return run_html(self.run)

    def rename(self, name: str) -> None:
        self._recorder.say(Change(ChangeRun(name=name)))
        self.run = msgspec.structs.replace(self.run, name=name)

    def move(self, experiment: str) -> None:
        """Moves the run to another experiment of its project. Raises BadField, ExperimentTrashed."""
        self._recorder.say(Change(ChangeRun(experiment=experiment)))
        self.run = msgspec.structs.replace(self.run, experiment=experiment)


_open: list[ActiveRun] = []  # in the order in which they were opened


def deliver_open(run: str) -> None:
    """Waits until what an open run of this process logged is on the server, for what is about to be said of it."""
    for one in _open:
        if one.id == run:
            one.flush()


def newest_open() -> ActiveRun | None:
    """The run of this process that was opened last and has not ended."""
    return _open[-1] if _open else None


def tell(outcome: Outcome, about: str, folder: Path) -> None:
    """Says what is lost, if anything; what waits on disk was said when the server went away."""
    if outcome.lost:
        log.warning(
            "%s: %d points, parameters, tags and files are lost, %d of them for want of room: %s",
            about,
            outcome.lost,
            outcome.dropped,
            outcome.cause,
        )
    if not outcome.is_delivered:
        log.info("%s: what is left waits in %s; `taxiway runs sync` delivers it", about, folder)


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
