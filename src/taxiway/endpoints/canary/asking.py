"""What a canary asks: what its beginner said, and for the rest what its path's gate says."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from taxiway.endpoints.canary.contract import BeginCanary
from taxiway.endpoints.canary.laws.blocks import SPANS
from taxiway.endpoints.canary.laws.verdict import MIN_CLUSTERS
from taxiway.gates.checks.canary import CanaryAsk
from taxiway.kernel.errors import BadField

SHARE = 0.1


def settled(body: BeginCanary, gates: Sequence[CanaryAsk]) -> BeginCanary:
    """The body with everything said. Raises BadField for more than a gate allows, and where no margin is known."""
    if body.is_better and body.non_inferiority is not None:
        raise BadField(field="is_better", value="true", expected="either is_better or non_inferiority")
    gate = gates[0] if gates else None
    if body.non_inferiority is None and not body.is_better and gate is None:
        expected = "how much worse its loss may be, such as 0.01, or is_better: no path of its says so"
        raise BadField(field="non_inferiority", value="nothing", expected=expected)
    is_silent = body.non_inferiority is None and not body.is_better
    made = replace(
        body,
        share=body.share if body.share is not None else gate.share if gate else SHARE,
        metric=body.metric or (gate.metric if gate else "log_loss"),
        non_inferiority=gate.non_inferiority if gate and is_silent else body.non_inferiority,
        cluster=body.cluster or (gate.cluster if gate else "day"),
        min_clusters=body.min_clusters or (gate.min_clusters if gate else MIN_CLUSTERS),
        paired=body.paired if body.paired is not None else gate.paired if gate else True,
    )
    if not made.paired and made.cluster not in SPANS:
        raise BadField(field="cluster", value=repr(made.cluster), expected="hour, day or week where it is unpaired")
    for each in gates:
        require_within(made, each)
    return made


def require_within(body: BeginCanary, gate: CanaryAsk) -> None:
    """Raises BadField for a canary that the path's gate would not take for its answer."""
    if (body.share or 0) > gate.share:
        raise BadField(field="share", value=f"{body.share:g}", expected=f"at most {gate.share:g}, as the path says")
    if (body.metric, body.cluster) != (gate.metric, gate.cluster):
        expected = f"{gate.metric} by {gate.cluster}, as the path says"
        raise BadField(field="metric", value=f"{body.metric} by {body.cluster}", expected=expected)
    if (body.min_clusters or 0) < gate.min_clusters:
        expected = f"at least {gate.min_clusters}, as the path says"
        raise BadField(field="min_clusters", value=str(body.min_clusters), expected=expected)
    if gate.paired and not body.paired:
        raise BadField(field="paired", value="false", expected="both versions to score every request, as the path says")
    wanted, given = gate.non_inferiority, body.non_inferiority
    if given is not None and (wanted is None or given > wanted):
        expected = "a better one, as the path says" if wanted is None else f"at most {wanted:g}, as the path says"
        raise BadField(field="non_inferiority", value=f"{given:g}", expected=expected)
