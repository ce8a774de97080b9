"""Putting a log's policy in force, within whichever change says it: its own, or a deployment."""

from __future__ import annotations

from taxiway.audit.service import Record
from taxiway.endpoints.inferences.logs import store
from taxiway.endpoints.inferences.policy import LogPolicy, problem_of
from taxiway.endpoints.inferences.refusals import DurabilityAsked
from taxiway.kernel.errors import BadField


def check_policy(policy: LogPolicy) -> None:
    """Raises BadField for a policy that contradicts itself."""
    problem = problem_of(policy)
    if problem is not None:
        raise BadField(field=problem[0], value=problem[1], expected=problem[2])


def keep_policy(
    record: Record, endpoint: str, policy: LogPolicy, *, project: str, path_asks: str, reason: str = ""
) -> LogPolicy:
    """Has the log of an endpoint kept like this from the commit on, and gives how it was. Raises DurabilityAsked."""
    if path_asks == "acknowledged" and policy.durability == "buffered":
        raise DurabilityAsked(endpoint=endpoint, project=project)
    before = store.find(record.connection, endpoint)
    store.keep(record.connection, store.KeptPolicy(endpoint, policy, reason, record.caller.name, record.at))
    return before.policy if before else LogPolicy()
