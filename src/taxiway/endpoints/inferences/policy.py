"""How an endpoint's inference log is kept: how soon on the disk, what of the inputs, how long. Light and pure."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Durability = Literal[
    "acknowledged",  # on the disk before the answer goes out
    "buffered",  # written before the answer goes out, on the disk within 0.2 s
]
WhenFull = Literal["refuse", "go-on"]
InputsKept = Literal["full", "hash", "none"]

LOSS_WINDOW_S = 0.2  # how much of a buffered log a power cut may take, and an fsync under way
MOST_FIELDS = 200

Fields = Annotated[tuple[str, ...], Meta(max_length=MOST_FIELDS)]


class LogPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """How an endpoint's inference log is kept.

    durability: None is `acknowledged` where the project's risk is high, or its path asks for it, else `buffered`.
    when_full: whether rows are refused, or answered and counted, while the disk takes no records.
    inputs: of each row all fields, a keyed hash of them, or nothing. drop, hash: fields of which nothing, or a keyed
    hash, is kept. personal: fields that are encrypted with a key of the subject that the field `subject` names.
    keep_days: after how many days records are removed; None keeps them. hold: why nothing may be removed or erased
    now; empty is no hold.
    """

    durability: Durability | None = None
    when_full: WhenFull = "refuse"
    inputs: InputsKept = "full"
    drop: Fields = ()
    hash: Fields = ()
    personal: Fields = ()
    subject: Annotated[str, Meta(max_length=200)] = ""
    keep_days: Annotated[int, Meta(ge=1, le=36_500)] | None = None
    hold: Annotated[str, Meta(max_length=2000)] = ""

    @property
    def is_plain(self) -> bool:
        """Whether inputs are kept just as they came."""
        return self.inputs == "full" and not (self.drop or self.hash or self.personal or self.subject)


def problem_of(policy: LogPolicy) -> tuple[str, str, str] | None:
    """The first field that contradicts another, its value, and what would be accepted; None where all is in order.

    >>> problem_of(LogPolicy(personal=("name",)))
    ('personal', "('name',)", 'a subject, the field that names whose data they are: --subject FIELD')
    """
    if policy.personal and not policy.subject:
        return (
            "personal",
            repr(policy.personal),
            "a subject, the field that names whose data they are: --subject FIELD",
        )
    if policy.subject and policy.inputs != "full":
        return (
            "subject",
            repr(policy.subject),
            f"inputs kept in full; of {policy.inputs!r} there is nothing to encrypt",
        )
    twice = {*policy.drop} & {*policy.hash} | ({*policy.drop} | {*policy.hash}) & {*policy.personal, policy.subject}
    if twice:
        return ("fields", repr(sorted(twice)), "each field once: dropped, hashed, or personal")
    return None


def durability_of(policy: LogPolicy, *, is_high_risk: bool, path_asks: str = "") -> Durability:
    """The durability in force: a path's word stands above an endpoint's own.

    >>> durability_of(LogPolicy(), is_high_risk=True)
    'acknowledged'
    >>> durability_of(LogPolicy("buffered"), is_high_risk=False, path_asks="acknowledged")
    'acknowledged'
    """
    if path_asks == "acknowledged":
        return "acknowledged"
    return policy.durability or ("acknowledged" if is_high_risk and path_asks != "buffered" else "buffered")
