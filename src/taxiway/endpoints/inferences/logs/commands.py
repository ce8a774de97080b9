"""The commands of inference logs."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any, get_args

import msgspec
from msgspec.structs import asdict

from taxiway.endpoints.inferences.logs.contract import EndpointLog, Erased, LogAnswer, LogChecked, LogRecord
from taxiway.endpoints.inferences.policy import Durability, InputsKept, LogPolicy, WhenFull
from taxiway.kernel.commands import Argument, Command, count
from taxiway.kernel.errors import NotFound
from taxiway.kernel.show import as_table, cell

if TYPE_CHECKING:
    from taxiway.client import Client

NAME = Argument("name", "the endpoint's name")
WIDEST = 60
# How a log is kept, for whichever command says it.
POLICY = (
    Argument("--log", "on the disk before the answer, or 0.2 s after", choices=get_args(Durability)),
    Argument("--when-log-full", "what becomes of requests meanwhile", choices=get_args(WhenFull)),
    Argument("--inputs", "what is kept of a row's inputs", choices=get_args(InputsKept)),
    Argument("--drop", "a field that is not kept", is_many=True),
    Argument("--hash", "a field of which a keyed hash is kept", is_many=True),
    Argument("--personal", "a field that is encrypted for its subject", is_many=True),
    Argument("--subject", "the field that says whose data a row holds"),
    Argument("--keep-days", "remove records after so many days", count),
)


def log(client: Client, given: Namespace) -> LogAnswer | None:
    asked = client.endpoints.inferences(given.name)
    if not given.follow:
        said = {"where": given.where, "since": given.since, "until": given.until}
        return asked.records(**said, limit=given.limit, shadows=given.shadows)
    try:
        for record in asked.follow(where=given.where, since=given.since or "1 min", shadows=given.shadows):
            print(msgspec.json.encode(record).decode() if given.json else line(record), flush=True)
    except KeyboardInterrupt:
        return None
    return None


def keep_log(client: Client, given: Namespace) -> EndpointLog:
    """What is not given stays as it is; without any option it is only shown."""
    asked = client.endpoints.inferences(given.name)
    kept = asked.show()
    changes = changes_of(given)
    if given.hold or given.no_hold:
        changes["hold"] = "" if given.no_hold else given.hold
    if given.plain:
        changes = {"inputs": "full", "drop": (), "hash": (), "personal": (), "subject": ""} | changes
    if given.keep_all:
        changes["keep_days"] = None
    if not changes:
        return kept
    return asked.keep(LogPolicy(**{**asdict(kept.policy), **changes}), reason=given.reason)


def changes_of(given: Namespace) -> dict[str, Any]:
    """What `POLICY` was given, as fields of a policy."""
    said = {
        "durability": given.log,
        "when_full": given.when_log_full,
        "inputs": given.inputs,
        "drop": tuple(given.drop) if given.drop else None,
        "hash": tuple(given.hash) if given.hash else None,
        "personal": tuple(given.personal) if given.personal else None,
        "subject": given.subject,
        "keep_days": given.keep_days,
    }
    return {name: value for name, value in said.items() if value is not None}


def policy_given(client: Client, given: Namespace) -> LogPolicy | None:
    """The policy that a deployment asks for: what is not said stays as it is; None where nothing is said."""
    changes = changes_of(given)
    if not changes:
        return None
    try:
        before = client.endpoints.inferences(given.name).show().policy
    except NotFound:  # this deployment makes it
        before = LogPolicy()
    return LogPolicy(**{**asdict(before), **changes})


def erase(client: Client, given: Namespace) -> Erased:
    return client.endpoints.inferences(given.name).erase(given.subject, reason=given.reason)


def verify_log(client: Client, given: Namespace) -> LogChecked:
    return client.endpoints.inferences(given.name).check()


def line(record: LogRecord) -> str:
    """A record on one line."""
    said = msgspec.json.encode(record.outputs).decode() if record.outputs is not None else f"no answer: {record.error}"
    when = f"{record.at:%H:%M:%S.%f}"[:-3]
    return f"{when}  {record.prediction_id}/{record.row}  r{record.revision}  {record.latency_ms:.3g} ms  {said}"


def show_answer(answer: LogAnswer | None) -> str:
    """The records as a table, newest first, and how far back it was looked."""
    if answer is None:
        return ""
    rows = [
        {
            "at": each.at,
            "prediction": f"{each.prediction_id}/{each.row}",
            "revision": each.revision,
            "ms": round(each.latency_ms, 2),
            "caller": each.caller or "",
            "inputs": shortened(msgspec.json.encode(each.inputs).decode()),
            "outputs": shortened(
                msgspec.json.encode(each.outputs).decode() if each.outputs is not None else each.error or ""
            ),
        }
        for each in answer.records
    ]
    said = f"{len(rows)} of {answer.looked_at:,} records that were looked at"
    if answer.is_cut:
        said += f"; time ran out, and what is older than {cell(answer.back_to)} was not looked at"
    unread = "".join(f"\n■ {each}" for each in answer.left_out)
    return f"{as_table(rows)}\n\n{said}.{unread}" if rows else f"{said}.{unread}"


def shortened(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def show_log(kept: EndpointLog) -> str:
    """How a log is kept, in a few lines."""
    policy = kept.policy
    window = "" if kept.durability == "acknowledged" else f"; a power cut may take the last {kept.loss_window_s:g} s"
    fields = [
        f"{what} {', '.join(names)}"
        for what, names in (("dropped", policy.drop), ("hashed", policy.hash), ("encrypted", policy.personal))
        if names
    ]
    of = f" for each {policy.subject}" if policy.subject else ""
    facts = [
        ("log", f"{kept.durability} ({kept.because}){window}"),
        ("when it is full", "requests are refused" if policy.when_full == "refuse" else "answers go on, unrecorded"),
        ("inputs", "; ".join([policy.inputs, *fields]) + of),
        ("kept", f"{policy.keep_days} days" if policy.keep_days else "for ever"),
        ("on the disk", on_disk(kept)),
        ("not taken", f"{kept.refused} requests refused, {kept.unrecorded} answered without a record"),
    ]
    facts += [("held", policy.hold)] if policy.hold else []
    facts += [("failing", kept.problem)] if kept.problem else []
    facts += [("chain", kept.broken or kept.chain)] if kept.broken or kept.chain else []
    facts += [("left out", each) for each in kept.left_out]
    facts += [("changed", f"{cell(kept.changed_at)} by {kept.changed_by}")] if kept.changed_by else []
    width = max(len(name) for name, _ in facts)
    return "\n".join([f"The log of {kept.endpoint}", *(f"{name.ljust(width)}  {text}" for name, text in facts)])


def on_disk(kept: EndpointLog) -> str:
    """How much of a log there is, and since when, as far as sealed files say it."""
    files = "1 file" if kept.files == 1 else f"{kept.files} files"
    return f"{files}, {kept.bytes:,} bytes" + (f", from {cell(kept.first_at)}" if kept.first_at else "")


def show_erased(erased: Erased) -> str:
    if not erased.was_there:
        print("No record of the subject could be read before, either.", file=sys.stderr)
    return f"The personal fields of that subject in the log of {erased.endpoint} can be read by nobody any more."


def show_checked(checked: LogChecked) -> str:
    if not checked.problems:
        return f"{checked.files} sealed files of {checked.endpoint} are as they were. Chain: {checked.chain or '-'}"
    return "\n".join([f"The log of {checked.endpoint} was changed:", *(f"■ {each}" for each in checked.problems)])


COMMANDS = (
    Command(
        "log",
        "what it answered, newest first",
        log,
        (
            NAME,
            Argument("--where", """such as 'latency_ms > 50 and inputs.district = "north"'""", default=""),
            Argument("--since", "a span such as 1h, or a date", default=""),
            Argument("--until", "a span such as 1h, or a date", default=""),
            Argument("--limit", "at most so many records", count, 100),
            Argument("--shadows", "what shadows said, in place of what callers were answered", is_flag=True),
            Argument("--follow", "go on with those that come", is_flag=True),
        ),
        show=show_answer,
    ),
    Command(
        "keep-log",
        "how its log is kept; options change it",
        keep_log,
        (
            NAME,
            *POLICY,
            Argument("--plain", "keep the fields that are not named as they come", is_flag=True),
            Argument("--keep-all", "remove none", is_flag=True),
            Argument("--hold", "why nothing may be removed or erased now"),
            Argument("--no-hold", "take the hold off", is_flag=True),
            Argument("--reason", "why", default=""),
        ),
        show=show_log,
    ),
    Command(
        "erase",
        "make a subject's personal fields unreadable for ever",
        erase,
        (
            NAME,
            Argument("--subject", "whose, as the rows say it", default=""),
            Argument("--reason", "why", default=""),
        ),
        show=show_erased,
    ),
    Command(
        "verify-log",
        "whether its sealed files are as they were sealed",
        verify_log,
        (NAME,),
        show=show_checked,
        exit_code=lambda checked: 1 if checked.problems else 0,
    ),
)
