"""The whole dialect, bound to the services that it translates to."""

from __future__ import annotations

from typing import NamedTuple

from taxiway.access.service import Access
from taxiway.compat.mlflow import facts
from taxiway.compat.mlflow.artifacts import Artifacts
from taxiway.compat.mlflow.correlation import CorrelationCalls
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.experiments import ExperimentCalls
from taxiway.compat.mlflow.files import Files
from taxiway.compat.mlflow.history import HistoryCalls
from taxiway.compat.mlflow.inputs import InputCalls
from taxiway.compat.mlflow.logged import LogCalls
from taxiway.compat.mlflow.logged_models import LoggedModelCalls
from taxiway.compat.mlflow.logged_search import LoggedSearchCalls
from taxiway.compat.mlflow.model_versions import ModelVersionCalls
from taxiway.compat.mlflow.multipart import Multipart
from taxiway.compat.mlflow.old_traces import OldTraceCalls
from taxiway.compat.mlflow.packing import Packing
from taxiway.compat.mlflow.registered_models import RegisteredModelCalls
from taxiway.compat.mlflow.runs import RunCalls
from taxiway.compat.mlflow.search import SearchCalls
from taxiway.compat.mlflow.shown import Showing
from taxiway.compat.mlflow.ties import ModelTies
from taxiway.compat.mlflow.trace_metrics import TraceMetricCalls
from taxiway.compat.mlflow.traces import TraceCalls
from taxiway.compat.mlflow.webhooks import WebhookCalls
from taxiway.hooks.service import Hooks
from taxiway.models.service import Models
from taxiway.projects.service import Projects
from taxiway.runs.experiments import Experiments
from taxiway.runs.foreign.foreign import ForeignRuns
from taxiway.runs.points.log import Log
from taxiway.runs.search.searching import Searching
from taxiway.runs.trash.trash import Trash
from taxiway.storage.parts import Parts
from taxiway.stores.service import Stores
from taxiway.traces.service import Traces


class Below(NamedTuple):
    """The services that the dialect translates to."""

    access: Access
    projects: Projects
    stores: Stores
    experiments: Experiments
    foreign: ForeignRuns
    log: Log
    packing: Packing
    searching: Searching
    files: Files
    parts: Parts
    traces: Traces
    trash: Trash
    models: Models
    hooks: Hooks


def bind(dialect: Dialect, below: Below) -> None:
    facts.bind(dialect)
    ties = ModelTies(below.access, below.models.logged)
    showing = Showing(below.foreign, ties)
    ExperimentCalls(below.access, below.projects, below.stores, below.experiments, below.trash).bind(dialect)
    RunCalls(below.foreign, below.trash, showing).bind(dialect)
    LogCalls(below.log, below.foreign, ties, below.packing.read).bind(dialect)
    HistoryCalls(below.log).bind(dialect)
    SearchCalls(below.access, below.experiments, below.searching, showing).bind(dialect)
    InputCalls(below.access, below.experiments, below.foreign, ties).bind(dialect)
    Artifacts(below.files).bind(dialect)
    Multipart(below.files, below.parts).bind(dialect)
    traces = TraceCalls(below.traces, below.experiments, below.files, below.access)
    traces.bind(dialect)
    OldTraceCalls(traces).bind(dialect)
    CorrelationCalls(below.traces, below.access).bind(dialect)
    TraceMetricCalls(below.traces, below.access).bind(dialect)
    RegisteredModelCalls(below.models).bind(dialect)
    ModelVersionCalls(below.models, below.foreign, below.files).bind(dialect)
    LoggedModelCalls(below.models.logged, below.models.sourced, below.experiments, below.foreign).bind(dialect)
    WebhookCalls(below.hooks).bind(dialect)
    LoggedSearchCalls(below.access, below.experiments, below.models.logged).bind(dialect)
