"""The CLI of external endpoints."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from taxiway.endpoints.contract import EndpointDetail, Revision
from taxiway.endpoints.external.contract import CaptureForm, Fed
from taxiway.gates.contract import GateStage
from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.errors import BadField
from taxiway.kernel.show import as_table

if TYPE_CHECKING:
    from taxiway.client import Client

REVISIONS = ("number", "state", "model", "version", "requests", "errors", "created_by", "created_at")
FORMS = ("any", *get_args(CaptureForm))
NAME = Argument("name", "the endpoint's name")


def register(client: Client, given: Namespace) -> Revision:
    if given.model is None:
        raise BadField(field="--model", value="nothing", expected="the version that is served, such as mortgage@2")
    return client.endpoints.register_external(
        given.name, given.model, project=given.project, url=given.url, serves=given.serves, note=given.note
    )


def feed(client: Client, given: Namespace) -> Fed:
    return client.endpoints.feed(
        given.name,
        [Path(given.file), *map(Path, given.also or ())],
        revision=given.revision,
        check_first=not given.no_check,
        form=None if given.form == "any" else given.form,
        outputs=[name.strip() for name in given.outputs.split(",") if name.strip()],
    )


def show_revision(revision: Revision) -> str:
    what = f"{revision.model} v{revision.version}"
    return (
        f"{revision.endpoint} answers elsewhere with {what}: revision {revision.number}. "
        f"Bring its log: taxiway endpoints feed {revision.endpoint} FILE.jsonl"
    )


def show_external(detail: EndpointDetail) -> str:
    """What is known of an endpoint that answers elsewhere."""
    e = detail.endpoint
    state = f"is stopped: {e.reason}" if e.state == "stopped" else "answers elsewhere"
    takes = ", ".join(f"{column.name} ({column.type})" for column in detail.signature.inputs)
    facts = [
        f"{e.name} {state}",
        f"with     {e.model} v{e.version}, revision {e.active}",
        f"at       {e.url or 'nobody said where'}",
        f"project  {e.project}",
        f"takes    {takes}",
    ]
    rows: list[Any] = msgspec.to_builtins(detail.revisions, builtin_types=(datetime,))
    return "\n".join([*facts, "", as_table(rows, REVISIONS)])


def show_fed(fed: Fed) -> str:
    told = f"{fed.new:,} new, {fed.known:,} known already."
    if fed.unpaired:
        told += f" {fed.unpaired:,} left out: a request without its answer, or the other way."
    if not fed.conflict_count:
        return told
    named = ", ".join(fed.conflicts[:5]) + (" …" if fed.conflict_count > 5 else "")
    return f"{told} {fed.conflict_count:,} are there with another answer, which stays: {named}"


COMMANDS = (
    Command(
        "register-external",
        "say which version is served elsewhere, through the gates",
        register,
        (
            NAME,
            Argument("--model", "MODEL@VERSION_OR_ALIAS"),
            Argument("--project", "the model's project (default: looked up)", default=""),
            Argument("--url", "where it answers, for people to read", default=""),
            Argument("--serves", "the stage a new endpoint serves", default="production", choices=get_args(GateStage)),
            Argument("--note", "why", default=""),
        ),
        show=show_revision,
    ),
    Command(
        "feed",
        "bring what an external endpoint answered into its log",
        feed,
        (
            NAME,
            Argument("file", "JSON lines or Parquet: prediction_id, at, inputs, outputs, …", is_file=True),
            Argument("--also", "another file, such as that of the answers to requests", is_many=True, is_file=True),
            Argument("--form", "whose lines (default: told by the first)", default="any", choices=FORMS),
            Argument("--outputs", "names of an answer's values that come without, such as score", default=""),
            Argument("--revision", "that answered (default: the active one)", int),
            Argument("--no-check", "do not read the file once before anything is stored", is_flag=True),
        ),
        show=show_fed,
    ),
)
