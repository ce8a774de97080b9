"""The CLI of an endpoint's traffic."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

import msgspec

from taxiway.endpoints.contract import Revision
from taxiway.endpoints.rollout.contract import ShadowComparison, TrafficDetail
from taxiway.endpoints.rollout.guard import Guard
from taxiway.endpoints.rollout.split import HeaderRule, told
from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.errors import BadField
from taxiway.kernel.show import as_table, cell

if TYPE_CHECKING:
    from taxiway.client import Client

NAME = Argument("name", "the endpoint's name")
REASON = Argument("--reason", "why", default="")
COHORTS = ("column", "value", "rows", "differing", "share", "low", "high", "rest")


def traffic(client: Client, given: Namespace) -> TrafficDetail:
    """Shows, divides anew, or goes back."""
    found = client.endpoints.traffic(given.name)
    is_back = given.undo or given.back_to is not None
    if is_back and given.shares:
        raise BadField(field="shares", value=" ".join(given.shares), expected="shares, or --undo, not both")
    if is_back:
        return found.undo(to=given.back_to or 0, reason=given.reason)
    if not given.shares and not given.header and given.sticky is None:
        return found.show()
    shares = parse_shares(given.shares) if given.shares else {s.revision: s.percent for s in found.show().wanted.shares}
    rules = [parse_rule(text) for text in given.header if text] if given.header else None
    return found.split(shares, sticky=given.sticky, rules=rules, reason=given.reason)


def shadow(client: Client, given: Namespace) -> Revision | TrafficDetail | ShadowComparison:
    """Adds, removes, or compares one."""
    found = client.endpoints.traffic(given.name)
    text = given.version.removeprefix("revision ")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
    if given.remove:
        return found.remove_shadow(require_number(number, given.version), reason=given.reason)
    if given.compare:
        return found.compare(require_number(number, given.version), rows=given.rows)
    return found.shadow(
        "" if number is not None else given.version,
        revision=number,
        share=parse_share(given.share),
        workers=given.workers,
        may_run_code=given.may_run_code,
        reason=given.reason,
    )


def guard(client: Client, given: Namespace) -> TrafficDetail:
    """Shows the conditions, or changes some of them."""
    found = client.endpoints.traffic(given.name)
    if given.default:
        return found.guard(Guard(), reason=given.reason)
    if not given.set:
        return found.show()
    values = msgspec.to_builtins(found.show().guard)
    for text in given.set:
        name, _, value = text.partition("=")
        if name not in values:
            raise BadField(field="--set", value=repr(text), expected=f"NAME=VALUE, of {', '.join(values)}")
        values[name] = None if value == "none" else value
    try:
        wanted = msgspec.convert(values, Guard, strict=False)
    except msgspec.ValidationError as e:
        raise BadField(field="--set", value=" ".join(given.set), expected=f"NAME=VALUE ({e})") from e
    return found.guard(wanted, reason=given.reason)


def parse_shares(texts: list[str]) -> dict[int, float]:
    """
    >>> parse_shares(["3=90", "4=10%"])
    {3: 90.0, 4: 10.0}
    """
    found: dict[int, float] = {}
    for text in texts:
        revision, _, percent = text.partition("=")
        try:
            found[int(revision)] = float(percent.removesuffix("%"))
        except ValueError as e:
            raise BadField(field="shares", value=repr(text), expected="REVISION=PERCENT, such as 3=90") from e
    return found


def parse_rule(text: str) -> HeaderRule:
    """
    >>> parse_rule("x-test=beta:4")
    HeaderRule(header='x-test', value='beta', revision=4)
    """
    header, _, rest = text.partition("=")
    value, _, revision = rest.rpartition(":")
    if not (header and value and revision.isascii() and revision.isdigit()):
        raise BadField(field="--header", value=repr(text), expected="HEADER=VALUE:REVISION, such as x-test=beta:4")
    return HeaderRule(header, value, int(revision))


def parse_share(text: str) -> float:
    """
    >>> parse_share("20%"), parse_share("0.2")
    (0.2, 0.2)
    """
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError as e:
        raise BadField(field="--share", value=repr(text), expected="20% or 0.2") from e


def require_number(number: int | None, text: str) -> int:
    if number is None:
        raise BadField(field="version", value=repr(text), expected="the number of a revision that is a shadow")
    return number


def show_shadow(found: Revision | TrafficDetail | ShadowComparison) -> str:
    if isinstance(found, ShadowComparison):
        return show_comparison(found)
    if isinstance(found, TrafficDetail):
        return show_traffic(found)
    return f"Revision {found.number} with {found.model} v{found.version} gets copies; it is {found.state}."


def show_traffic(detail: TrafficDetail) -> str:
    """Who answers what, who gets copies, who gave its traffic back, and the splits there were."""
    split, lines = detail.wanted, [f"{detail.endpoint.name}: {told(detail.wanted)}"]
    now = {share.revision: share.percent for share in detail.now}
    if detail.now and any(now.get(share.revision, 0) != share.percent for share in split.shares):
        lines.append("Now: " + ", ".join(f"{share.percent:g} % to revision {share.revision}" for share in detail.now))
    if split.sticky:
        lines.append(f"One {split.sticky} always finds the same revision.")
    lines += [f"Requests with {rule.header}: {rule.value} go to revision {rule.revision}." for rule in split.rules]
    if detail.warm:
        lines.append(f"Kept warm: revision {', '.join(map(str, detail.warm))}.")
    for each in detail.shadows:
        alike = (
            f"{each.agreed} of {each.compared} rows alike ({100 * each.low:.1f} to {100 * each.high:.1f} %)"
            if each.compared
            else "nothing compared yet"
        )
        lines.append(
            f"Shadow: revision {each.shadow.revision}, {each.revision.model} v{each.revision.version}, "
            f"{100 * each.shadow.share:g} % of requests, {each.revision.state}: {alike}, "
            f"{each.dropped} dropped, {each.failed} failed."
        )
    if detail.last_fall is not None:
        fall = detail.last_fall
        lines.append(f"Revision {fall.revision} gave its traffic back {cell(fall.at)}: {fall.cause}.")
        lines += [f"  {line}" for line in fall.log_tail]
    rows: list[dict[str, Any]] = [
        {"number": e.number, "split": told(e.split), "at": e.at, "by": e.by, "why": e.cause or e.reason}
        for e in detail.history
    ]
    return "\n".join([*lines, "", as_table(rows, ("number", "split", "at", "by", "why"))])


def show_guard(detail: TrafficDetail) -> str:
    values: dict[str, Any] = msgspec.to_builtins(detail.guard)
    width = max(map(len, values))
    said = [f"{name.ljust(width)}  {'none' if value is None else value}" for name, value in values.items()]
    return "\n".join([f"A revision of {detail.endpoint.name} gives its traffic back by these conditions:", *said])


def show_comparison(found: ShadowComparison) -> str:
    """How much a shadow agrees, where it does not, and the latest rows it answered differently."""
    if not found.compared:
        return f"Nothing was compared with revision {found.shadow} of {found.endpoint} yet."
    share = f"{100 * found.agreed / found.compared:.1f} % [{100 * found.low:.1f}, {100 * found.high:.1f}]"
    lines = [f"Revision {found.shadow} answers {share} of {found.compared} rows of {found.endpoint} alike."]
    if found.cohorts:
        lines += ["", "Where it differs most:", as_table(msgspec.to_builtins(found.cohorts), COHORTS)]
    rows = [
        {
            "prediction": f"{d.prediction_id}/{d.row}",
            "caller got": said(d.outputs),
            "shadow said": said(d.shadow_outputs),
        }
        for d in found.differences
    ]
    return "\n".join([*lines, *(["", as_table(rows)] if rows else [])])


def said(outputs: dict[str, Any] | None) -> str:
    return "nothing" if outputs is None else msgspec.json.encode(outputs).decode()


COMMANDS = (
    Command(
        "traffic",
        "show or change which revision answers what part of the requests",
        traffic,
        (
            NAME,
            Argument("shares", "REVISION=PERCENT …, summing to 100, such as 3=90 4=10", is_optional=True, is_many=True),
            Argument("--sticky", "the field, or header:NAME, whose value always finds the same revision"),
            Argument("--header", "HEADER=VALUE:REVISION, such as x-test=beta:4; '' takes all away", is_many=True),
            Argument("--undo", "go back to the split before", is_flag=True),
            Argument("--back-to", "go back to the split of this number", int),
            REASON,
        ),
        show=show_traffic,
    ),
    Command(
        "shadow",
        "copy requests to a version that no caller hears of, and see where it differs",
        shadow,
        (
            NAME,
            Argument("version", "MODEL@VERSION, or the number of a revision"),
            Argument("--share", "of the requests", default="100%"),
            Argument("--workers", "processes that answer", int, 1),
            Argument("--may-run-code", "serve a pickle, too", is_flag=True),
            Argument("--remove", "copy nothing to this revision any more", is_flag=True),
            Argument("--compare", "show where this revision answers differently", is_flag=True),
            Argument("--rows", "how many rows that differ are shown", int, 20),
            REASON,
        ),
        show=show_shadow,
    ),
    Command(
        "guard",
        "show or change when a revision gives its traffic back by itself",
        guard,
        (
            NAME,
            Argument("--set", "NAME=VALUE, such as latency_ms=200 or is_on=false", is_many=True),
            Argument("--default", "all conditions as by default", is_flag=True),
            REASON,
        ),
        show=show_guard,
    ),
)
