"""The CLI of endpoints."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, Namespace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from taxiway.endpoints.canary.commands import COMMANDS as CANARY
from taxiway.endpoints.contract import (
    Answer,
    EndpointDetail,
    EndpointRecord,
    Label,
    LabelsTaken,
    OnTrial,
    PredictionTrace,
    Revision,
)
from taxiway.endpoints.external.commands import COMMANDS as EXTERNAL
from taxiway.endpoints.external.commands import show_external
from taxiway.endpoints.inferences.logs.commands import COMMANDS as LOG
from taxiway.endpoints.inferences.logs.commands import POLICY, policy_given
from taxiway.endpoints.rollout.commands import COMMANDS as TRAFFIC
from taxiway.endpoints.rollout.commands import parse_share
from taxiway.endpoints.rows import is_json, number_of, parse
from taxiway.endpoints.scoring.commands import SCORE
from taxiway.endpoints.setup import PLAIN, Packages, Sandbox, Setup
from taxiway.endpoints.showing.told import tell
from taxiway.gates.contract import GateStage
from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.errors import BadField
from taxiway.kernel.show import as_table, cell
from taxiway.runs.search.moments import DURATIONS, read_duration

if TYPE_CHECKING:
    from taxiway.client import Client

NAME = Argument("name", "the endpoint's name")
SHOWN = ("name", "state", "answering", "model", "version", "requests_per_s", "errors", "p99_ms", "project")
REVISIONS = (
    "number",
    "state",
    "percent",
    "model",
    "version",
    "requests",
    "errors",
    "refused",
    "abandoned",
    "cpu_s",
    "created_by",
    "created_at",
    "reason",
)


def deploy(client: Client, given: Namespace) -> Revision:
    if given.revision is not None:
        return client.endpoints.roll_back(given.name, given.revision, note=given.note, wait=not given.no_wait)
    if given.version is None:
        raise BadField(field="version", value="nothing", expected="a version such as mortgage@2, or --revision NUMBER")
    return client.endpoints.deploy(
        given.name,
        given.version,
        project=given.project,
        serves=given.serves,
        workers=given.workers,
        may_run_code=given.may_run_code,
        note=given.note,
        percent=None if given.share is None else 100 * parse_share(given.share),
        setup=Setup(
            network=given.network,
            sandbox=given.sandbox,
            environment=given.environment,
            idle_after_s=given.idle_after,
            min_workers=given.min_workers,
            max_batch=given.max_batch,
            max_delay_ms=given.max_delay_ms,
            max_stream_s=given.max_stream,
        ),
        log=policy_given(client, given),
        wait=not given.no_wait,
        progress=lambda revision: print(f"revision {revision.number}: {revision.state}", file=sys.stderr),
    )


def parse_wait(text: str) -> float:
    """A time such as ``10m`` in seconds; argparse shows the complaint."""
    found = read_duration(f"{text}s" if text.isdigit() else text)
    if not found:
        raise ArgumentTypeError(f"{text!r} is not {DURATIONS}")
    return found


def invoke(client: Client, given: Namespace) -> Answer | None:
    text, name = read(given.file)
    inputs = () if is_json(text, name) else client.endpoints.show(given.name).signature.inputs
    rows = parse(text, name, inputs)
    if given.stream:
        stream(client, given, rows)
        return None
    return client.endpoints.invoke(given.name, rows, event_at=given.at)


def stream(client: Client, given: Namespace, rows: list[dict[str, Any]]) -> None:
    """Prints each piece as it comes: texts side by side, others a line each."""
    if len(rows) != 1:
        raise BadField(field="file", value=f"{len(rows)} rows", expected="one row, which is answered in pieces")
    for piece in client.endpoints.stream(given.name, rows[0], event_at=given.at):
        said = piece.get("prediction")
        print(said if isinstance(said, str) else msgspec.json.encode(piece).decode() + "\n", end="", flush=True)


def labels(client: Client, given: Namespace) -> LabelsTaken:
    text, name = read(given.file)
    return client.endpoints.label(given.name, parse_labels(text, name))


def trace(client: Client, given: Namespace) -> PredictionTrace:
    return client.endpoints.trace(given.prediction)


def list_(client: Client, given: Namespace) -> list[EndpointRecord]:
    return client.endpoints.list(project=given.project)


def show(client: Client, given: Namespace) -> EndpointDetail:
    return client.endpoints.show(given.name)


def revisions(client: Client, given: Namespace) -> list[Revision]:
    return client.endpoints.show(given.name).revisions


def stop(client: Client, given: Namespace) -> EndpointRecord:
    return client.endpoints.stop(given.name, reason=given.reason)


def start(client: Client, given: Namespace) -> EndpointRecord:
    return client.endpoints.start(given.name, reason=given.reason)


def fallback(client: Client, given: Namespace) -> EndpointRecord:
    if (given.answer is None) == (not given.none):
        raise BadField(
            field="answer", value="nothing or both", expected="""JSON such as '{"prediction": 0}', or --none"""
        )
    return client.endpoints.declare_fallback(given.name, parse_answer(given.answer), reason=given.reason)


def parse_answer(text: str | None) -> dict[str, Any] | None:
    """A JSON object; None for nothing. Raises BadField."""
    try:
        return None if text is None else msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as e:
        expected = """a JSON object such as '{"prediction": 0}'"""
        raise BadField(field="answer", value=repr(text), expected=expected) from e


def read(file: str) -> tuple[str, str]:
    """A file's text and name; ``-`` is what comes in. Raises BadField where it is empty or no text, OSError."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError as e:
        raise BadField(field="file", value=repr(file), expected="text in UTF-8: JSON, JSON lines or CSV") from e
    if not text.strip():
        raise BadField(field="file", value=f"{file!r}, which is empty,", expected="a file with rows")
    return text, file


def parse_labels(text: str, name: str) -> list[Label]:
    """Labels in JSON, JSON lines or CSV: prediction_id, label, and perhaps row and at. Raises BadField."""
    rows = parse(text, name)
    if not is_json(text, name):
        rows = [
            {field: value if field in ("prediction_id", "at") else number_of(value) for field, value in row.items()}
            for row in rows
        ]
    try:
        return msgspec.convert([{k: v for k, v in row.items() if v != ""} for row in rows], list[Label])
    except msgspec.ValidationError as e:
        expected = f"objects with prediction_id, label, and perhaps row and at ({e})"
        raise BadField(field="labels", value=name, expected=expected) from e


def show_revision(revision: Revision) -> str:
    """What became of a deployment, in a sentence."""
    what = f"{revision.model} v{revision.version}"
    if revision.state == "live":
        return f"{revision.endpoint} answers with {what}: revision {revision.number} is live."
    why = f" ({revision.reason})" if revision.reason else ""
    hint = " Start `taxiway server`: it brings the gateway that answers." if revision.state == "waiting" else ""
    return f"{revision.endpoint}: revision {revision.number} with {what} is {revision.state}{why}.{hint}"


def show_answer(answer: Answer | None) -> str:
    """The predictions as a table, and the id to trace them by; of a stream nothing more."""
    if answer is None:
        return ""
    head = f"{answer.model}, revision {answer.revision}"
    return f"{as_table(answer.predictions)}\n\n{head}. Trace it: taxiway endpoints trace {answer.prediction_id}"


def show_record(record: EndpointRecord) -> str:
    """How an endpoint is after it was stopped or started, and what its callers get."""
    said = f"{record.name} is {record.state}" + (f": {record.reason}" if record.reason else "")
    answer = msgspec.json.encode(record.fallback).decode() if record.fallback is not None else "503"
    by = f" Stopped by {record.stopped_by}, {cell(record.stopped_at)}." if record.stopped_by else ""
    if record.is_external:
        there = f" at {record.url}" if record.url else ""
        return f"{said}.{by} It is served by others{there}, and stops only there; its log is not taken meanwhile."
    return f"{said}.{by} While it is stopped, callers get {answer}."


def trial_of(trial: OnTrial) -> str:
    """A running canary in a line."""
    return f"{trial.model} v{trial.version}, revision {trial.revision}, {trial.percent:g} % of requests. {trial.said}"


def show_detail(detail: EndpointDetail) -> str:
    """How an endpoint is, where it answers, and its revisions."""
    e = detail.endpoint
    state = f"{e.name} is {e.state}" + (f": {e.reason}" if e.reason else "")
    if e.is_external:
        return show_external(detail)
    facts = [
        ("answers with", f"{e.model} v{e.version}, revision {e.answering}" if e.answering else "nothing"),
        *(
            [("traffic", ", ".join(f"{s.percent:g} % to revision {s.revision}" for s in e.split))]
            if len(e.split) > 1
            else []
        ),
        *([("canary", trial_of(e.canary))] if e.canary else []),
        ("serves", f"versions in {e.serves}"),
        ("project", e.project),
        ("at", detail.path),
        ("gateway", detail.gateway or "none runs; start `taxiway server`"),
        ("takes", ", ".join(f"{column.name} ({column.type})" for column in detail.signature.inputs)),
        ("p50, p99 ms", f"{cell(e.p50_ms)}, {cell(e.p99_ms)}" if e.p99_ms is not None else "-"),
        *by_revision("runs", {each.number: each.runs for each in detail.revisions if each.runs}),
        *by_revision("workers", {each.number: each.confinement for each in detail.revisions if each.confinement}),
        ("changed", f"{cell(e.changed_at)} by {e.changed_by}"),
    ]
    width = max(len(name) for name, _ in facts)
    lines = [state, *(f"{name.ljust(width)}  {text}" for name, text in facts), ""]
    rows: list[Any] = msgspec.to_builtins(detail.revisions, builtin_types=(datetime,))
    tail = [f"  {line}" for line in detail.revisions[0].log_tail] if detail.revisions[0].reason else []
    return "\n".join([*lines, as_table(rows, REVISIONS), *(["", "Its last lines:", *tail] if tail else [])])


def by_revision(name: str, said: dict[int, str]) -> list[tuple[str, str]]:
    """A fact of revisions, once where all of them share it."""
    if len(set(said.values())) == 1:
        return [(name, next(iter(said.values())))]
    return [(f"{name} of {number}", text) for number, text in said.items()]


DEPLOY = Command(
    "deploy",
    "have a version answer, or an earlier revision again",
    deploy,
    (
        NAME,
        Argument("version", "MODEL@VERSION_OR_ALIAS", is_optional=True),
        Argument("--revision", "go back to this revision instead", int),
        Argument("--project", "the model's project (default: looked up)", default=""),
        Argument("--serves", "the stage a new endpoint serves", default="production", choices=get_args(GateStage)),
        Argument("--workers", "processes that answer", int, 1),
        Argument("--may-run-code", "serve a pickle, too", is_flag=True),
        Argument("--network", "its workers may reach others", is_flag=True),
        Argument("--environment", "own installs the bundle's lock", default="shared", choices=get_args(Packages)),
        Argument("--sandbox", "require refuses where it does not hold", default="reachable", choices=get_args(Sandbox)),
        Argument("--idle-after", "without requests for so long, such as 10m, workers are let go", parse_wait),
        Argument("--min-workers", "how many of them stay all the same", int, 0),
        Argument("--max-batch", "rows of waiting requests that are predicted together at most", int, PLAIN.max_batch),
        Argument("--max-delay-ms", "how long a free worker waits for more of them", float, PLAIN.max_delay_ms),
        Argument("--max-stream", "how long an answer in pieces may take, such as 10m", parse_wait, PLAIN.max_stream_s),
        *POLICY,
        Argument("--share", "of the requests, such as 10%%; 0%% answers those with its header (default: all)"),
        Argument("--note", "why", default=""),
        Argument("--no-wait", "do not wait until it answers", is_flag=True),
    ),
    show=show_revision,
)
COMMANDS = (
    DEPLOY,
    Command(
        "invoke",
        "predict the rows of a file",
        invoke,
        (
            NAME,
            Argument("file", "JSON, JSON lines or CSV; - reads what comes in", is_file=True),
            Argument("--at", "when it happened, in RFC 3339"),
            Argument("--stream", "print the pieces of one row's answer as they are made", is_flag=True),
        ),
        show=show_answer,
    ),
    Command(
        "trace",
        "where a prediction came from: revision, version, run, data, gates, approvals",
        trace,
        (Argument("prediction", "the prediction id, or ID/ROW"),),
        show=tell,
    ),
    Command(
        "list", "the endpoints you may see", list_, (Argument("--project", "only this project's", default=""),), SHOWN
    ),
    Command("show", "an endpoint as it is now", show, (NAME,), show=show_detail),
    Command("revisions", "an endpoint's revisions, newest first", revisions, (NAME,), REVISIONS),
    Command("stop", "stop answering at once", stop, (NAME, Argument("--reason", "why", default="")), show=show_record),
    Command("start", "answer again", start, (NAME, Argument("--reason", "why", default="")), show=show_record),
    Command(
        "fallback",
        "say what is answered while it is stopped",
        fallback,
        (
            NAME,
            Argument("answer", """for each row, such as '{"prediction": 0}'""", is_optional=True),
            Argument("--none", "answer nothing: callers get 503", is_flag=True),
            Argument("--reason", "why", default=""),
        ),
        show=show_record,
    ),
    Command(
        "labels",
        "say what turned out to be true",
        labels,
        (NAME, Argument("file", "JSON, JSON lines or CSV with prediction_id, label, row, at", is_file=True)),
    ),
    SCORE,
    *TRAFFIC,
    *CANARY,
    *LOG,
    *EXTERNAL,
)
