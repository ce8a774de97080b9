"""What the outside sees of runs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Page, Raw
from taxiway.kernel.numbers import Number
from taxiway.runs.again.sameness import TOLERANCE, InputGap, Reproduction
from taxiway.runs.compare import CodeChange, Row, Scalar

RunStatus = Literal["scheduled", "running", "finished", "failed", "stopped", "lost"]
Ending = Literal["finished", "failed", "stopped"]

Key = Annotated[str, Meta(min_length=1, max_length=250)]
Text = Annotated[str, Meta(max_length=8000)]
Writer = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Sequence = Annotated[int, Meta(ge=0, le=2**62)]
Step = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
At = Annotated[datetime, Meta(tz=True)]
Micros = Annotated[int, Meta(ge=0, le=2**63 - 1)]

SOURCES = "code/sources.json"
CHANGES = "code/changes.diff"
NOTEBOOK = "code/notebook.ipynb"
LOCK = "requirements.lock"


class Code(Struct, frozen=True, forbid_unknown_fields=True):
    """The sources that a run started from, secrets redacted.

    sources: the digest of the artifact ``code/sources.json``, which holds every kept file's text by its path; empty
    where no file was kept.
    changes: the digest of ``code/changes.diff``, what differed from the commit; empty where nothing did.
    left_out: files that were not kept, and why; at most 50 are named.
    root, folder: where the sources stood, and the folder in it that the program ran in ("." is the root itself).
    notebook: the digest of ``code/notebook.ipynb``, the executed cells in their order; empty outside a notebook.
    nth: the how-manieth run it is that its process opened. redactions: how many secrets were taken out of what was
    kept; redacted: of which files, each with how many.
    """

    kind: Literal["git", "folder"]
    root: str = ""
    folder: str = "."
    notebook: str = ""
    nth: int = 1
    commit: str = ""
    branch: str = ""
    is_dirty: bool = False
    sources: str = ""
    changes: str = ""
    files: int = 0
    size_bytes: int = 0
    redactions: int = 0
    redacted: list[str] = []
    left_out: list[str] = []


class Environment(Struct, frozen=True, forbid_unknown_fields=True):
    """What a run ran on. digest: the SHA-256 over interpreter, machine and every installed package's version.

    cpu, gpus: the processor's name, and each GPU's with its driver; empty where the machine does not say.
    """

    python: str
    implementation: str
    platform: str
    machine: str
    cpus: int
    cpu: str = ""
    gpus: list[str] = []
    packages: int = 0  # how many; `packages_of_run` lists them
    digest: str = ""


class Run(Struct, frozen=True):
    """One execution that was recorded.

    status: `lost` is a run that is still running by its own account, but was not heard of for five minutes.
    metrics: the newest value of each: of its highest step, at equal steps the latest. inputs: dataset references.
    sealed: once it ended, the digest of its metric batches, which the audit entry holds too. deleted_at: when it went
    to the trash.
    """

    id: str
    project: str
    experiment: str
    name: str
    status: RunStatus
    created_by: str
    started_at: datetime
    heard_at: datetime
    ended_at: datetime | None = None
    cpu_s: float | None = None
    exit_code: int | None = None
    failure: str = ""
    command: list[str] = []
    params: dict[str, Scalar] = {}
    metrics: dict[str, Number] = {}
    tags: dict[str, str] = {}
    inputs: list[str] = []
    code: Code | None = None
    environment: Environment | None = None
    sealed: str = ""
    deleted_at: datetime | None = None

    @property
    def ref(self) -> str:
        return f"run:{self.id}"

    @property
    def has_start(self) -> bool:
        """Whether it was said when the run started: MLflow's clients may leave it out, and 1970 stands for that."""
        return self.started_at.timestamp() > 0

    @property
    def took_s(self) -> float:
        """From its start to its end, or to when it was last heard of."""
        return ((self.ended_at or self.heard_at) - self.started_at).total_seconds()

    def _repr_html_(self) -> str:
        from taxiway.runs.showing.displays import run_html

        return run_html(self)


class Experiment(Struct, frozen=True):
    """A question of a project, and how many runs tried to answer it."""

    project: str
    name: str
    runs: int
    created_by: str
    created_at: datetime


class Point(Struct, frozen=True, forbid_unknown_fields=True):
    """One measured number. Not a number and the infinities are kept as they are."""

    key: Key
    value: Number
    step: Step
    at: At


class Course(Struct, frozen=True, forbid_unknown_fields=True):
    """Points of one metric as columns of one length: how many of them travel at a third of the cost.

    at: microseconds since 1970.
    """

    key: Key
    steps: list[Step]
    at: list[Micros]
    values: list[Number]


class LogBatch(Struct, frozen=True, forbid_unknown_fields=True):
    """Points, parameters and tags that a writer sends together; all of them are stored, or none.

    writer: 32 hexadecimal digits that the sending process drew. seq: how many items this writer sent before this
    batch. The same writer and seq again change nothing, so a batch is safe to send again, in any order.
    A batch with nothing in it says that the run is alive.
    """

    writer: Writer
    seq: Sequence
    points: list[Point] = []
    courses: list[Course] = []
    params: dict[Key, Annotated[str, Meta(max_length=8000)] | bool | int | float] = {}
    tags: dict[Key, Text] = {}


class Logged(Struct, frozen=True):
    """A batch that is on the disk. is_new: False where it had been stored before."""

    items: int
    is_new: bool


class StartRun(Struct, frozen=True, forbid_unknown_fields=True):
    """Opens a run, now or, for one that began while the server was away, later.

    id: drawn by the client (`kernel.ids.new_id`); the same id again gives the run that there is. started_at: when it
    began by the client's clock, at most the server's now.
    """

    project: str
    experiment: str = "default"
    name: Annotated[str, Meta(max_length=200)] = ""
    tags: dict[Key, Text] = {}
    id: Writer | None = None
    started_at: At | None = None


class CaptureRun(Struct, frozen=True, forbid_unknown_fields=True):
    """What a run was, found out after it started; what is None stays as it is.

    packages: version by name. lock: the digest of ``requirements.lock``, which installs exactly these.
    """

    command: list[str] | None = None
    code: Code | None = None
    environment: Environment | None = None
    packages: dict[str, str] = {}
    lock: str = ""


class ChangeRun(Struct, frozen=True, forbid_unknown_fields=True):
    """What is None stays as it is; tags are added to those there are.

    experiment: where a run that goes on is moved to, within its project; it is made at its first use.
    """

    name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    tags: dict[Key, Text] = {}
    experiment: str | None = None


class FinishRun(Struct, frozen=True, forbid_unknown_fields=True):
    """cpu_s: processor seconds of the run with its children. failure: why it failed, in a line.

    ended_at: when it ended, where that is told later; kept between the run's start and the server's now.
    """

    status: Ending = "finished"
    cpu_s: Annotated[float, Meta(ge=0)] | None = None
    exit_code: Annotated[int, Meta(ge=-1024, le=1024)] | None = None
    failure: Annotated[str, Meta(max_length=2000)] = ""
    ended_at: At | None = None


class Predictions(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of predictions pinned by digest, and what its columns say.

    score: of the positive class, which `threshold` cuts; may be empty. groups: what fairness is looked at by. features:
    what the model read. dataset: the data they are about. split: in words, such as "out of fold, 10 folds, seed 7".
    """

    digest: str
    rows: int
    label: str
    prediction: str
    score: str = ""
    groups: list[str] = []
    time: str = ""
    threshold: float = 0.5
    dataset: str = ""
    split: str = ""
    features: list[str] = []
    others: list[str] = []


class Artifact(Struct, frozen=True):
    """A file that a run left behind. predictions: what its columns say, where it is a table of predictions."""

    run: str
    path: str
    digest: str
    size_bytes: int
    media_type: str
    added_at: datetime
    predictions: Predictions | None = None


class AddArtifact(Struct, frozen=True, forbid_unknown_fields=True):
    """Names bytes that were stored before under their digest."""

    path: str
    digest: str
    media_type: str = "application/octet-stream"
    predictions: Predictions | None = None


class FetchArtifact(Struct, frozen=True, forbid_unknown_fields=True):
    path: str


class UseDataset(Struct, frozen=True, forbid_unknown_fields=True):
    dataset: str  # dataset:PROJECT/NAME@VERSION


class ListRuns(Struct, frozen=True, forbid_unknown_fields=True):
    """filter: such as ``metrics.auc > 0.9 and params.model = "logistic"``. order: such as ``metrics.auc desc, name``.

    deleted: the runs in the trash instead of the others.
    """

    project: str = ""
    experiment: str = ""
    filter: str = ""
    order: str = "started_at desc"
    limit: int = 50
    after: str = ""
    deleted: bool = False


class ListExperiments(Struct, frozen=True, forbid_unknown_fields=True):
    project: str = ""


class ReadMetric(Struct, frozen=True, forbid_unknown_fields=True):
    key: str
    limit: int = 10_000
    after: str = ""


class CompareRuns(Struct, frozen=True, forbid_unknown_fields=True):
    run: list[str]  # two to a hundred


class Comparison(Struct, frozen=True):
    """Runs side by side. code: each later run's changes to the first one's sources; of up to twenty runs."""

    runs: list[Run]
    params: list[Row]
    metrics: list[Row]
    tags: list[Row]
    inputs: list[Row]
    environment: list[Row]
    code: list[CodeChange]

    def _repr_html_(self) -> str:
        from taxiway.runs.showing.displays import comparison_html

        return comparison_html(self)


class RecordReproduction(Struct, frozen=True, forbid_unknown_fields=True):
    """Says that a run was done again, or why it cannot be; how alike the two are, the server finds out.

    again: the id of the run that was made, once it has ended; empty where none could be, with `because`. gaps: what
    the one who ran it knows to be different, such as a package that could not be installed. ignored: patterns of
    metrics that do not count, such as ``*_s`` for times.
    """

    again: str = ""
    tolerance: Annotated[float, Meta(ge=0, le=1)] = TOLERANCE
    ignored: Annotated[list[Key], Meta(max_length=50)] = []
    because: Annotated[list[Text], Meta(max_length=100)] = []
    gaps: Annotated[list[InputGap], Meta(max_length=500)] = []


class Packages(Struct, frozen=True):
    """The installed packages of a run's interpreter: version by name."""

    digest: str
    packages: dict[str, str]


start_run = Endpoint("POST", "/api/runs", StartRun, Run, "runs.write", "Open a run")
list_runs = Endpoint("GET", "/api/runs", ListRuns, Page[Run], "runs.read", "Find runs", "platform")
list_experiments = Endpoint(
    "GET", "/api/runs/experiments", ListExperiments, Page[Experiment], "runs.read", "The experiments", "platform"
)
compare_runs = Endpoint(
    "GET", "/api/runs/compare", CompareRuns, Comparison, "runs.read", "Runs side by side", "platform"
)
show_run = Endpoint("GET", "/api/runs/{run}", Nothing, Run, "runs.read", "A run")
log_batch = Endpoint(
    "POST", "/api/runs/{run}/batches", LogBatch, Logged, "runs.write", "Store points, parameters and tags"
)
capture_run = Endpoint(
    "PUT", "/api/runs/{run}/capture", CaptureRun, Run, "runs.write", "Say what a run was: command, code, environment"
)
change_run = Endpoint("PATCH", "/api/runs/{run}", ChangeRun, Run, "runs.write", "Rename or tag a run")
use_dataset = Endpoint("POST", "/api/runs/{run}/inputs", UseDataset, Run, "runs.write", "Say what data a run read")
finish_run = Endpoint("POST", "/api/runs/{run}/finish", FinishRun, Run, "runs.write", "End a run and seal its metrics")
read_metric = Endpoint(
    "GET", "/api/runs/{run}/metrics", ReadMetric, Page[Point], "runs.read", "A metric's points, by step"
)
packages_of_run = Endpoint(
    "GET", "/api/runs/{run}/packages", Nothing, Packages, "runs.read", "The packages a run had installed"
)
add_artifact = Endpoint(
    "PUT", "/api/runs/{run}/artifacts", AddArtifact, Artifact, "runs.write", "Keep a file with a run"
)
list_artifacts = Endpoint(
    "GET", "/api/runs/{run}/artifacts", Nothing, Page[Artifact], "runs.read", "The files a run left behind"
)
fetch_artifact = Endpoint(
    "GET", "/api/runs/{run}/artifacts/content", FetchArtifact, Raw, "runs.read", "A file that a run left behind"
)
frame_artifact = Endpoint(
    "GET", "/api/runs/{run}/artifacts/frame", FetchArtifact, Raw, "runs.read", "An HTML file, to be shown in a frame"
)
record_reproduction = Endpoint(
    "POST",
    "/api/runs/{run}/reproductions",
    RecordReproduction,
    Reproduction,
    "runs.write",
    "Hold a run that was done again against the first",
)
list_reproductions = Endpoint(
    "GET", "/api/runs/{run}/reproductions", Nothing, Page[Reproduction], "runs.read", "How a run was done again"
)
