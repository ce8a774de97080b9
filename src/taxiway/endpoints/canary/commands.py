"""The CLI of canaries."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, get_args

from taxiway.endpoints.canary.contract import CanaryDetail
from taxiway.endpoints.rollout.commands import NAME, REASON, parse_share
from taxiway.gates.canaries.contract import CanaryMetric
from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.errors import BadField
from taxiway.kernel.show import as_table

if TYPE_CHECKING:
    from taxiway.client import Client

MOST_LOOKS = 10


def canary(client: Client, given: Namespace) -> CanaryDetail:
    """Begins one, ends it, or shows the latest."""
    found = client.endpoints.canary(given.name)
    if given.end:
        return found.end(reason=given.reason)
    if not given.version:
        return found.show()
    return found.begin(
        given.version,
        share=parse_share(given.share) if given.share else None,
        metric=given.metric,
        non_inferiority=given.non_inferiority,
        is_better=given.better,
        cluster=given.cluster,
        min_clusters=given.min_clusters,
        labelled=parse_share(given.labelled),
        paired=pairing(given),
        reason=given.reason,
    )


def pairing(given: Namespace) -> bool | None:
    """What was said of it; None is as the path says. Raises BadField for both at once."""
    if given.paired and given.unpaired:
        raise BadField(field="paired", value="--paired and --unpaired", expected="one of the two")
    return given.paired or (False if given.unpaired else None)


def show_canary(detail: CanaryDetail) -> str:
    """What is on trial beside what, the verdict in words, what is gathered, and the latest looks."""
    c, verdict, p = detail.canary, detail.verdict, detail.canary.progress
    asked = "must be better" if c.non_inferiority is None else f"may be worse by {c.non_inferiority:g}"
    champion = c.champion_ref.removeprefix("model:")
    both = f"{c.model} v{c.version} (revision {c.candidate}) beside {champion} (revision {c.champion})"
    scored = "both score all" if c.paired else "each is scored by the one that answers it"
    how = f"It answers {100 * c.share:g} % of requests; {scored}. Its {c.metric} {asked}, by {c.cluster}"
    lines = [f"{both} at {c.endpoint}: {c.state}", f"{how}, from {c.min_clusters} whole clusters on."]
    if c.state != "running":
        lines.append(c.why)
    if c.state == "running":
        lines.append(verdict.sentence)
        lines.append(
            f"{verdict.clusters} clusters counted, {p.open} more gathered; {p.labelled} of {p.waiting} waiting rows "
            f"have labels; {p.pairs} rows scored{' by both' if c.paired else ''}, {p.failed} failed, {p.late} late."
        )
        if c.proxy is not None and not detail.looks:
            lines.append(f"Until labels decide: {c.proxy.sentence}")
        if c.blocked:
            lines.append(f"It may take over, and cannot yet: {c.blocked}")
    rows = [
        {
            "clusters": each.clusters,
            "rows": each.rows,
            "difference": f"{each.estimate:+.4f}",
            "low": f"{each.low:+.4f}",
            "high": f"{each.high:+.4f}",
            "decision": each.decision,
        }
        for each in detail.looks[-MOST_LOOKS:]
    ]
    return "\n".join([*lines, *(["", as_table(rows)] if rows else [])])


COMMANDS = (
    Command(
        "canary",
        "let a version answer a share until it is shown to be no worse, or worse",
        canary,
        (
            NAME,
            Argument("version", "MODEL@VERSION_OR_ALIAS; without it the latest canary is shown", is_optional=True),
            Argument("--share", "of the requests that it answers, such as 10%%"),
            Argument("--metric", "whose loss is compared", choices=get_args(CanaryMetric)),
            Argument("--non-inferiority", "by how much its loss may be worse", float),
            Argument("--better", "it must be better", is_flag=True),
            Argument("--cluster", "hour, day, week, or the field of a row that is its key"),
            Argument("--min-clusters", "whole clusters before which nothing is decided", int),
            Argument("--labelled", "share of a cluster's rows with labels before it counts", default="90%"),
            Argument("--paired", "both versions score every request", is_flag=True),
            Argument("--unpaired", "each is scored by the version alone that answers it", is_flag=True),
            Argument("--end", "end it without a verdict", is_flag=True),
            REASON,
        ),
        show=show_canary,
    ),
)
