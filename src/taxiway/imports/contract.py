"""What the outside sees of imports. Whoever reads the other system sends what it found in parts, as often as it likes:
what is there already is not taken twice."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Page
from taxiway.kernel.numbers import Number
from taxiway.runs.contract import RunStatus
from taxiway.traces.contract import Remark, Span, TraceState

MOST_RUNS = 500
MOST_POINTS = 100_000
MOST_FILES = 2_000
MOST_TRACES = 500
MOST_MEASURES = 100_000

Kind = Literal["experiment", "run", "files", "logged", "model", "version", "alias", "trace"]
Theirs = Annotated[str, Meta(min_length=1, max_length=300)]  # a name or id in the other system
Micros = Annotated[int, Meta(ge=0, le=253_402_214_400_000_000)]  # since 1970, up to the year 9999
Name = Annotated[str, Meta(min_length=1, max_length=500)]


class OpenImport(Struct, frozen=True, forbid_unknown_fields=True):
    """origin: where it comes from, without secrets. project: takes everything; empty: as the names say."""

    origin: Annotated[str, Meta(min_length=1, max_length=1000)]
    project: str = ""


class Counts(Struct, frozen=True):
    """How much there is of everything.

    inputs: data sets that runs read. logged: models that runs made. measures: the newest value of each metric of
    those, by run and data set. uses: runs that took such models in or brought them forth. remarks: on traces.
    """

    experiments: int = 0
    runs: int = 0
    params: int = 0
    tags: int = 0
    points: int = 0
    inputs: int = 0
    files: int = 0
    file_bytes: int = 0
    logged: int = 0
    measures: int = 0
    uses: int = 0
    models: int = 0
    versions: int = 0
    aliases: int = 0
    traces: int = 0
    spans: int = 0
    remarks: int = 0


class Import(Struct, frozen=True):
    """A source that things came from, and how much of them is here now."""

    source: str
    origin: str
    project: str
    opened_by: str
    opened_at: datetime
    here: Counts = Counts()


class Skipped(Struct, frozen=True):
    """Something that was not taken as it was, and why. is_lost: whether something of it is missing here."""

    kind: str
    name: str
    problem: str
    is_lost: bool = True


class IncomingExperiment(Struct, frozen=True, forbid_unknown_fields=True):
    id: Theirs
    name: Name
    tags: dict[str, str] = {}
    created_at: Micros | None = None
    is_deleted: bool = False


class IncomingSeries(Struct, frozen=True, forbid_unknown_fields=True):
    """Points of a metric: three columns of 8 bytes a point, little-endian: steps and microseconds as integers,
    values as floating-point numbers, NaN and infinities as they are. before: how many came in earlier parts."""

    key: str
    steps: bytes
    at: bytes
    values: bytes
    before: int = 0


class IncomingInput(Struct, frozen=True, forbid_unknown_fields=True):
    """Data that a run read, as it was described; the tag `mlflow.data.context` says what for."""

    name: Name
    digest: Annotated[str, Meta(max_length=36)]
    source_type: Annotated[str, Meta(max_length=500)] = ""
    source: str = ""
    schema: str = ""
    profile: str = ""
    tags: dict[str, str] = {}


class IncomingRun(Struct, frozen=True, forbid_unknown_fields=True):
    """A run, or a part of one. stamp: tells one state of the whole run from another; given with its last part."""

    id: Theirs
    experiment: Theirs
    name: str
    status: RunStatus
    user: str
    started_at: Micros
    ended_at: Micros | None = None
    is_deleted: bool = False
    params: dict[str, str] = {}
    tags: dict[str, str] = {}
    series: list[IncomingSeries] = []
    inputs: list[IncomingInput] = []
    stamp: Annotated[str, Meta(max_length=100)] = ""


class IncomingFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a run: bytes stored before under their digest, or a place within a registered store."""

    path: str
    size_bytes: Annotated[int, Meta(ge=0)]
    media_type: str = "application/octet-stream"
    digest: str = ""
    store: str = ""
    place: str = ""


class IncomingMeasure(Struct, frozen=True, forbid_unknown_fields=True):
    """A number that was measured of a logged model, in a run and maybe on a data set."""

    key: Annotated[str, Meta(min_length=1, max_length=250)]
    value: Number
    step: int
    at: Micros
    run: str
    dataset: Annotated[str, Meta(max_length=500)] = ""
    dataset_digest: Annotated[str, Meta(max_length=36)] = ""


class IncomingUse(Struct, frozen=True, forbid_unknown_fields=True):
    """A run that took a logged model in, or brought it forth."""

    run: Theirs
    role: Literal["input", "output"]
    step: int = 0


class IncomingLogged(Struct, frozen=True, forbid_unknown_fields=True):
    """A model as a run made it, before it got a name. Its files come as those of a run do.

    stamp: tells one state of it from another.
    """

    id: Theirs
    experiment: Theirs
    name: str = ""
    kind: str = ""
    run: str = ""
    is_ready: bool = True
    created_at: Micros | None = None
    params: dict[str, str] = {}
    tags: dict[str, str] = {}
    measures: Annotated[list[IncomingMeasure], Meta(max_length=MOST_MEASURES)] = []
    uses: list[IncomingUse] = []
    stamp: Annotated[str, Meta(max_length=100)] = ""


class IncomingVersion(Struct, frozen=True, forbid_unknown_fields=True):
    """A model version. version: its number there, which it keeps. stage: where it stood there: a label here."""

    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    created_at: Micros
    run: str = ""
    source: str = ""
    folder: str | None = None  # of the model among the run's files; None where it is none of them
    logged: str = ""  # the logged model that it was made of
    stage: str = ""
    description: str = ""
    tags: dict[str, str] = {}


class IncomingModel(Struct, frozen=True, forbid_unknown_fields=True):
    name: Theirs
    description: str = ""
    tags: dict[str, str] = {}
    aliases: dict[str, int] = {}
    versions: list[IncomingVersion] = []


class IncomingRemark(Struct, frozen=True, forbid_unknown_fields=True):
    """A remark on a trace. value: what it says, to be searched."""

    remark: Remark
    value: Any = None


class IncomingTrace(Struct, frozen=True, forbid_unknown_fields=True):
    """A trace, or a part of one: then the spans of that part. stamp: of the whole of it; given with its last part."""

    id: Theirs
    experiment: Theirs
    state: TraceState
    started_ms: Annotated[int, Meta(ge=0, le=253_402_214_400_000)]
    duration_ms: Annotated[int, Meta(ge=0)] | None = None
    client_id: Annotated[str, Meta(max_length=250)] | None = None
    request: str | None = None
    response: str | None = None
    tags: dict[str, str] = {}
    facts: dict[str, str] = {}
    remarks: list[IncomingRemark] = []
    runs: list[str] = []
    spans: list[Span] = []
    stamp: Annotated[str, Meta(max_length=100)] = ""


class TakeTraces(Struct, frozen=True, forbid_unknown_fields=True):
    traces: Annotated[list[IncomingTrace], Meta(max_length=MOST_TRACES)]


class TakeExperiments(Struct, frozen=True, forbid_unknown_fields=True):
    experiments: Annotated[list[IncomingExperiment], Meta(max_length=MOST_RUNS)]


class TakeRuns(Struct, frozen=True, forbid_unknown_fields=True):
    runs: Annotated[list[IncomingRun], Meta(max_length=MOST_RUNS)]


class IncomingFiles(Struct, frozen=True, forbid_unknown_fields=True):
    """Files of a run or a logged model: its id there. stamp: of the whole listing; given with its last part."""

    owner: Theirs
    files: Annotated[list[IncomingFile], Meta(max_length=MOST_FILES)]
    stamp: Annotated[str, Meta(max_length=100)] = ""


class TakeFiles(Struct, frozen=True, forbid_unknown_fields=True):
    owners: Annotated[list[IncomingFiles], Meta(max_length=MOST_RUNS)]


class AskStamps(Struct, frozen=True, forbid_unknown_fields=True):
    kind: Kind
    ids: Annotated[list[str], Meta(max_length=10_000)]


class Stamps(Struct, frozen=True):
    """The stamps of what was taken whole, by its id there; what is missing was not."""

    stamps: dict[str, str]


class Taken(Struct, frozen=True):
    """What a part brought: how many things were new or changed, how many points were new, and what was skipped.

    left: what waits for somebody to do it here, such as a promotion through the gates.
    """

    new: int = 0
    changed: int = 0
    points: int = 0
    skipped: list[Skipped] = []
    left: list[str] = []


open_import = Endpoint(
    "PUT",
    "/api/imports/{source}",
    OpenImport,
    Import,
    "imports.write",
    "Begin an import, or go on with it",
    "platform",
)
show_import = Endpoint(
    "GET", "/api/imports/{source}", Nothing, Import, "imports.read", "An import and what is here of it", "platform"
)
list_imports = Endpoint("GET", "/api/imports", Nothing, Page[Import], "imports.read", "Every import", "platform")
ask_stamps = Endpoint(
    "POST", "/api/imports/{source}/stamps", AskStamps, Stamps, "imports.read", "What was taken whole", "platform"
)
take_experiments = Endpoint(
    "POST",
    "/api/imports/{source}/experiments",
    TakeExperiments,
    Taken,
    "imports.write",
    "Take experiments",
    "platform",
)
take_runs = Endpoint(
    "POST", "/api/imports/{source}/runs", TakeRuns, Taken, "imports.write", "Take runs or parts of runs", "platform"
)
take_files = Endpoint(
    "POST",
    "/api/imports/{source}/files",
    TakeFiles,
    Taken,
    "imports.write",
    "Take the files of runs, logged models and traces",
    "platform",
)
take_traces = Endpoint(
    "POST",
    "/api/imports/{source}/traces",
    TakeTraces,
    Taken,
    "imports.write",
    "Take traces or parts of them",
    "platform",
)
take_logged = Endpoint(
    "POST",
    "/api/imports/{source}/logged",
    IncomingLogged,
    Taken,
    "imports.write",
    "Take a logged model, before its files; again, with what was said of it since",
    "platform",
)
take_model = Endpoint(
    "POST",
    "/api/imports/{source}/models",
    IncomingModel,
    Taken,
    "imports.write",
    "Take a model with its versions and aliases",
    "platform",
)
