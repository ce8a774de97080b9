"""The CLI of gates."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.gates.checks.contract import CheckOffer
from taxiway.gates.contract import (
    GATE_STAGES,
    Approval,
    InboxItem,
    PathVersion,
    Request,
    Standing,
)
from taxiway.gates.eligible.commands import COMMANDS as ELIGIBLE
from taxiway.gates.exceptions.commands import COMMANDS as EXCEPTIONS
from taxiway.gates.findings.commands import COMMANDS as FINDINGS
from taxiway.gates.laws.rules import interval_words, rows_words
from taxiway.gates.observing.contract import Observed
from taxiway.gates.planning.commands import COMMANDS as PLANNING
from taxiway.gates.proposing.commands import COMMANDS as PROPOSING
from taxiway.gates.questionnaires.commands import COMMANDS as QUESTIONNAIRES
from taxiway.gates.reviews.commands import COMMANDS as REVIEWS
from taxiway.gates.standing.checking import MARKS, Checked, check, verdict_of, watched_of
from taxiway.gates.standing.closing import told
from taxiway.gates.standing.needs import Assumed, Power, as_rows
from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.errors import BadField, NotFound
from taxiway.kernel.show import as_table
from taxiway.kernel.thing import numbered

if TYPE_CHECKING:
    from taxiway.client import Client

MODEL = Argument("model", "MODEL@VERSION, MODEL@ALIAS, or MODEL for the newest version")
VERSION = Argument("version", "the version, where MODEL does not say it", is_optional=True)
ANYWAY = Argument("--anyway", "you could approve it, and mean to give that up", is_flag=True)
STAGE = Argument("--stage", "the stage that is approved", default="production", choices=GATE_STAGES)


def named(given: Namespace) -> str:
    """MODEL VERSION and MODEL@VERSION mean the same."""
    return f"{given.model}@{given.version}" if given.version else str(given.model)


def checks(client: Client, given: Namespace) -> list[CheckOffer]:
    return client.gates.checks()


def show_checks(found: list[CheckOffer]) -> str:
    """A line for each, and why those that cannot be used cannot."""
    rows = [{"check": each.name, "of": each.package, "about": each.problem or each.about} for each in found]
    return as_table(rows)


def paths(client: Client, given: Namespace) -> list[PathVersion]:
    return client.gates.paths()


def path(client: Client, given: Namespace) -> PathVersion:
    return client.gates.path(*numbered(given.path, "path", "careful@1"))


def publish(client: Client, given: Namespace) -> PathVersion:
    return client.gates.publish(Path(given.file))


def schema(client: Client, given: Namespace) -> dict[str, Any]:
    return client.gates.schema()


def show(client: Client, given: Namespace) -> Standing:
    return client.gates.show(named(given))


def evaluate(client: Client, given: Namespace) -> Standing:
    return client.gates.evaluate(named(given), anyway=given.anyway)


def check_versions(client: Client, given: Namespace) -> Checked:
    """Asks what has no evidence yet, and tells which gates would refuse. Raises NotFound, BadField."""
    if (given.model is None) == (given.run is None):
        expected = "either a version, MODEL@VERSION, or --run and a run's id"
        raise BadField(field="model", value="both" if given.model else "neither", expected=expected)
    names = [named(given)] if given.model else versions_of_run(client, given.run)
    return check(
        [client.gates.evaluate(name, anyway=True) for name in names], given.stage, is_comment=given.format == "markdown"
    )


def versions_of_run(client: Client, run: str) -> list[str]:
    """The model versions that a run produced. Raises NotFound where there is none."""
    client.runs.show(run)
    edges = client.lineage.walk(f"run:{run}", steps=1).edges
    found = [e.target.removeprefix("model:") for e in edges if e.source == f"run:{run}" and e.verb == "produced"]
    if not found:
        raise NotFound(kind="model version of the run", name=run, hint="`run.log_model(…)` registers one.")
    return found


def show_checked(checked: Checked) -> str:
    if checked.comment:
        return checked.comment
    return "\n\n".join([*map(show_standing, checked.standings), verdict_of(checked)])


def power(client: Client, given: Namespace) -> Power:
    """Raises BadField for a number that is none, or no share."""
    assumed = Assumed(
        expect=None if given.expect is None else as_number("expect", given.expect),
        selected=as_share("selected", given.selected),
        smallest=as_share("smallest", given.smallest),
    )
    return client.gates.power(named(given) if given.model else "", path=given.path or "", assumed=assumed)


def as_number(field: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as e:
        raise BadField(field=field, value=repr(text), expected="a number such as 0.85") from e


def as_share(field: str, text: str) -> float:
    share = as_number(field, text)
    if not 0 < share < 1:
        raise BadField(field=field, value=repr(text), expected="a share between 0 and 1, such as 0.1")
    return share


def show_power(found: Power) -> str:
    head = f"Rows that each gate of {found.of} needs before it can decide, of the same mix."
    if not found.gates:
        return f"No gate of {found.of} counts rows, or none was evaluated yet."
    return f"{head}\n\n{as_table(as_rows(found))}"


def request(client: Client, given: Namespace) -> Request:
    return client.gates.request(named(given), stage=given.stage, note=given.note, anyway=given.anyway)


def approve(client: Client, given: Namespace) -> Approval:
    asked = {"role": given.role, "on_behalf_of": given.for_person}
    return client.gates.approve(named(given), comment=given.comment, stage=given.stage, **asked)


def withdraw(client: Client, given: Namespace) -> Approval:
    return client.gates.withdraw(given.model, given.approval, reason=given.reason)


def inbox(client: Client, given: Namespace) -> list[InboxItem]:
    return client.gates.inbox()


def show_standing(standing: Standing) -> str:
    """The verdict table, and for each gate that is not open what it says."""
    rows, notes = [], []
    for gate in (gate for stage in standing.stages for gate in stage.gates):
        outcome = gate.outcome
        rows.append(
            {
                "before": gate.stage,
                "gate": gate.gate,
                "verdict": f"{MARKS[gate.verdict]} {gate.verdict}",
                "mode": gate.mode,
                "found": interval_words(outcome.estimate) if outcome.estimate else "",
                "asks": gate.title,
                "rows_needed": rows_words(outcome.rows_needed) if outcome.rows_needed else "",
            }
        )
        if gate.stops:
            notes.append(f"{MARKS[outcome.verdict]} {gate.gate}: {outcome.reason} {outcome.advice}".rstrip())
    head = f"{standing.model} v{standing.version} on {standing.path.removeprefix('path:')}, now in: {standing.stage}"
    opened = [f"{stage.stage}: {'open' if stage.is_open else 'closed'}" for stage in standing.stages]
    if standing.demands:
        head += f"; the platform demands {', '.join(each.removeprefix('path:') for each in standing.demands)}"
    return "\n".join([head, "", as_table(rows), "", *told(standing), *notes, *watched_of(standing), ", ".join(opened)])


def show_published(path: PathVersion) -> str:
    """A published path, gate by gate."""
    gates = [
        {"before": stage.stage, "gate": gate.name, "mode": gate.mode, "asks": gate.title}
        for stage in path.stages
        for gate in stage.gates
    ]
    tiers = " or ".join(path.risk)
    head = f"{path.name} version {path.version} is published, for risk {tiers}. {path.digest}"
    if path.platform:
        head += f"\nThe platform demands it of every project of {' and '.join(path.platform)} risk."
    return "\n".join([head, "", as_table(gates), *dial(path)])


def dial(path: PathVersion) -> list[str]:
    """What its modes mean, and how to turn them."""
    modes = {gate.mode for stage in path.stages for gate in stage.gates}
    if not modes:
        return []
    if modes == {"block"}:
        return ["", "Every gate blocks. To watch first what they would stop, say `mode: observe` in the text."]
    which = "Some gates stop nothing yet" if "block" in modes else "No gate stops anything yet"
    return [
        "",
        f"{which}: `taxiway gates observed {path.name}` tells what they would have stopped; `mode: block` counts.",
    ]


def observed(client: Client, given: Namespace) -> Observed:
    return client.gates.observed(given.path)


def show_observed(seen: Observed) -> str:
    """What watching gates would have stopped: the sum, by gate, and the newest."""
    head = (
        f"{seen.path}: {seen.stopped} of {seen.movements} movements past gates that only watch would have been stopped."
    )
    tallies = [{"before": each.stage, "gate": each.gate, "times": each.times} for each in seen.gates]
    rows = [
        {
            "at": item.at,
            "version": f"{item.model}@{item.version}",
            "into": item.stage,
            "gate": missed.gate,
            "mode": missed.mode,
            "verdict": f"{MARKS[missed.verdict]} {missed.verdict}",
            "because": missed.sentence,
        }
        for item in seen.items
        for missed in item.missed
    ]
    return "\n".join([head, *(["", as_table(tallies), "", as_table(rows)] if rows else [])])


def is_shown_closed(standing: Standing) -> int:
    """0 where every gate is open, 1 where one is not: for scripts."""
    return 0 if all(stage.is_open for stage in standing.stages) else 1


COMMANDS = (
    Command(
        "paths",
        "the paths there are",
        paths,
        columns=("name", "version", "risk", "published_by", "published_at", "digest"),
    ),
    Command("checks", "the checks that a path can ask", checks, show=show_checks),
    Command(
        "path",
        "a path as it was published",
        path,
        (Argument("path", "PATH, or PATH@VERSION"),),
        show=lambda path: path.text.rstrip(),
    ),
    *PLANNING,
    *PROPOSING,
    Command(
        "schema",
        "the JSON Schema of a path's text, for editors",
        schema,
        show=lambda schema: json.dumps(schema, indent=2, ensure_ascii=False),
    ),
    Command(
        "observed",
        "what a path's gates that observe or warn would have stopped",
        observed,
        (Argument("path", "PATH"),),
        show=show_observed,
    ),
    Command(
        "publish",
        "publish a path from YAML",
        publish,
        (Argument("file", "the YAML file", is_file=True),),
        show=show_published,
    ),
    Command("show", "how a version stands before its gates", show, (MODEL, VERSION), show=show_standing),
    Command(
        "evaluate",
        "ask the checks that have no evidence yet; exit code 1 if a gate stays closed",
        evaluate,
        (MODEL, VERSION, ANYWAY),
        show=show_standing,
        exit_code=is_shown_closed,
    ),
    Command(
        "check",
        "ask every check, and exit 1 where a gate would refuse: for continuous integration",
        check_versions,
        (
            Argument("model", "MODEL@VERSION, MODEL@ALIAS, or MODEL for the newest version", is_optional=True),
            VERSION,
            Argument("--run", "the versions that this run produced"),
            Argument(
                "--stage", "all gates up to this stage count (default: every gate but approvals)", choices=GATE_STAGES
            ),
            Argument("--format", "markdown is for pull requests", default="text", choices=("text", "markdown")),
        ),
        show=show_checked,
        exit_code=lambda checked: 1 if checked.closed else 0,
    ),
    Command(
        "power",
        "how many rows each gate needs before it can decide",
        power,
        (
            Argument("model", "MODEL@VERSION that was evaluated", is_optional=True),
            VERSION,
            Argument("--path", "a path instead: PATH, or PATH@VERSION"),
            Argument("--expect", "the value that is taken as the true one (default: what was measured)"),
            Argument("--selected", "of a path's ratio: the rate of the group with the highest", default="0.5"),
            Argument("--smallest", "of a path's ratio: the smallest group's share of the rows", default="0.1"),
        ),
        show=show_power,
    ),
    Command(
        "request",
        "ask for approval of a version",
        request,
        (MODEL, VERSION, STAGE, Argument("--note", "what to look at", default=""), ANYWAY),
    ),
    Command(
        "approve",
        "approve exactly what stands now",
        approve,
        (
            MODEL,
            VERSION,
            STAGE,
            Argument("--comment", "what you looked at and why it is good", default=""),
            Argument("--role", "in which of your roles (default: one that is still lacking)", default=""),
            Argument("--for-person", "who delegated the role to you, where you hold it yourself as well", default=""),
        ),
    ),
    Command(
        "withdraw",
        "take your approval back",
        withdraw,
        (MODEL, Argument("approval", "the approval's id"), Argument("--reason", "why", default="")),
    ),
    Command(
        "inbox",
        "what waits for whom",
        inbox,
        columns=("request.model", "request.version", "request.stage", "lacks", "waits_for", "is_yours", "unmet"),
    ),
    *EXCEPTIONS,
    *FINDINGS,
    *QUESTIONNAIRES,
    *REVIEWS,
    *ELIGIBLE,
)
