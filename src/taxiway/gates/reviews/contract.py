"""What the outside sees of reviews: the inventory of models in use, and what people found when they looked again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Page
from taxiway.models.contract import ModelStage
from taxiway.projects.contract import RiskTier

ReviewOutcome = Literal["continue", "restrict", "retire"]
ReviewState = Literal["ok", "due soon", "overdue"]
OUTCOMES: tuple[ReviewOutcome, ...] = ("continue", "restrict", "retire")
STATES: tuple[ReviewState, ...] = ("ok", "due soon", "overdue")

Text = Annotated[str, Meta(max_length=10_000)]


class Review(Struct, frozen=True):
    """That somebody who has no part in a version looked at it again while it was in use.

    outcome: it goes on as it is; it goes on within the limits that `findings` names; or it has to leave.
    due_at: when it is to be looked at again.
    """

    id: str
    model: str
    version: int
    project: str
    by: str
    role: str
    outcome: ReviewOutcome
    findings: str
    comment: str
    at: datetime
    due_at: datetime


class RecordReview(Struct, frozen=True, forbid_unknown_fields=True):
    """comment: what was looked at; required. findings: what was found; required unless it goes on as it is.

    again_in_days: sooner than the tier asks for; None for the whole period.
    """

    outcome: ReviewOutcome
    comment: Text
    findings: Text = ""
    again_in_days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class Inventoried(Struct, frozen=True, kw_only=True):
    """A version in use. use: what its project is for. tier: the higher of the project's and its own.

    since: when it came to its stage. every_days: how often it is reviewed. reviewed_at, reviewed_by, outcome: of the
    last review; None and empty before the first. state, due_at: when the next one is due. reviewers: who could.
    """

    model: str
    version: int
    project: str
    stage: ModelStage
    owner: str
    use: str
    tier: RiskTier
    since: datetime
    every_days: int
    due_at: datetime
    state: ReviewState
    reviewed_at: datetime | None = None
    reviewed_by: str = ""
    outcome: str = ""
    findings: str = ""
    reviewers: list[str] = []

    @property
    def ref(self) -> str:
        return f"model:{self.model}@{self.version}"


class ListInventory(Struct, frozen=True, forbid_unknown_fields=True):
    """What is empty limits nothing."""

    project: str = ""
    tier: str = ""
    state: str = ""


list_inventory = Endpoint(
    "GET",
    "/api/gates/inventory",
    ListInventory,
    Page[Inventoried],
    "gates.read",
    "Models in use: owner, tier, use, and when they are reviewed; the longest due first",
    "platform",
)
record_review = Endpoint(
    "POST",
    "/api/gates/models/{model}/versions/{version}/reviews",
    RecordReview,
    Review,
    "gates.approve",
    "Record that a version in use was looked at again",
)
list_reviews = Endpoint(
    "GET",
    "/api/gates/models/{model}/versions/{version}/reviews",
    Nothing,
    Page[Review],
    "gates.read",
    "A version's reviews, newest first",
)
