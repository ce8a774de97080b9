"""The CLI of findings."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from taxiway.gates.findings.contract import SEVERITIES, Finding
from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.show import as_table

if TYPE_CHECKING:
    from taxiway.client import Client

FINDING = Argument("finding", "the finding's id")


def day(text: str) -> datetime:
    """The end of a day, in UTC; argparse shows the complaint."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(hour=23, minute=59, second=59, tzinfo=UTC)
    except ValueError as e:
        raise ArgumentTypeError(f"{text!r} is no day such as 2027-01-31") from e


def findings(client: Client, given: Namespace) -> list[Finding]:
    return client.gates.findings.list(
        project=given.project, thing=given.thing, severity=given.severity, state=given.state
    )


def finding(client: Client, given: Namespace) -> Finding:
    return client.gates.findings.show(given.finding)


def find(client: Client, given: Namespace) -> Finding:
    return client.gates.findings.open(
        given.title,
        project=given.project,
        severity=given.severity,
        things=given.about,
        detail=given.detail,
        owner=given.owner,
        due_at=given.due,
        remediation=given.remediation,
    )


def change(client: Client, given: Namespace) -> Finding:
    return client.gates.findings.change(
        given.finding,
        reason=given.reason,
        severity=given.severity,
        owner=given.owner,
        due_at=given.due,
        remediation=given.remediation,
    )


def move(client: Client, given: Namespace) -> Finding:
    return client.gates.findings.move(given.finding, given.state, comment=given.comment)


def show_finding(found: Finding) -> str:
    """A finding with its story."""
    due = f"due {found.due_at:%Y-%m-%d}" + (", overdue" if found.is_overdue else "")
    head = f"{found.severity}: {found.title} ({found.state}; {due}; {found.owner} mends it)"
    about = f"about {', '.join(found.things)}, in {found.project}. {found.id}"
    more = [text for text in (found.detail, found.remediation and f"Remediation: {found.remediation}") if text]
    steps = [{"when": s.at, "who": s.by, "did": s.did, "said": s.comment} for s in found.steps]
    return "\n".join([head, about, *more, "", as_table(steps)])


COMMANDS = (
    Command(
        "findings",
        "what is wrong with what, the worst first",
        findings,
        (
            Argument("--project", "only this project's", default=""),
            Argument("--thing", "only those about it, such as model:mortgage@3", default=""),
            Argument("--severity", "only these", default="", choices=SEVERITIES),
            Argument(
                "--state",
                "by default all but the closed",
                default="unclosed",
                choices=("unclosed", "open", "in_progress", "resolved", "closed", "all"),
            ),
        ),
        columns=("id", "severity", "state", "title", "owner", "due_at", "is_overdue", "things"),
    ),
    Command("finding", "a finding and its story", finding, (FINDING,), show=show_finding),
    Command(
        "find",
        "say what is wrong with a thing",
        find,
        (
            Argument("title", "what is wrong, in a line"),
            Argument("--about", "what it is about, such as model:mortgage@3", is_many=True),
            Argument("--project", "the project"),
            Argument("--severity", "how bad it is", default="medium", choices=SEVERITIES),
            Argument("--detail", "what was seen", default=""),
            Argument("--owner", "who mends it (default: you)", default=""),
            Argument("--due", "until which day, such as 2027-01-31 (default: by severity)", day),
            Argument("--remediation", "how it is mended", default=""),
        ),
        show=show_finding,
    ),
    Command(
        "change-finding",
        "change who mends it, how bad it is, until when",
        change,
        (
            FINDING,
            Argument("--reason", "why", default=""),
            Argument("--severity", "how bad it is", choices=SEVERITIES),
            Argument("--owner", "who mends it"),
            Argument("--due", "until which day", day),
            Argument("--remediation", "how it is mended"),
        ),
        show=show_finding,
    ),
    Command(
        "move-finding",
        "take a finding up, resolve it, or close it as a second person",
        move,
        (
            FINDING,
            Argument("state", "what it becomes", choices=("in_progress", "resolved", "closed")),
            Argument("--comment", "what was done or seen", default=""),
        ),
        show=show_finding,
    ),
)
