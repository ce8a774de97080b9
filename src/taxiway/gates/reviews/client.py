"""The SDK of reviews, which stands among that of gates."""

from __future__ import annotations

from taxiway.gates.reviews import contract
from taxiway.gates.reviews.contract import Inventoried, ListInventory, RecordReview, Review, ReviewOutcome
from taxiway.kernel.transport import Transport
from taxiway.models.client import split


class Reviews:
    """Models in use, and who looked at them again: ``client.gates.reviews``."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def inventory(self, *, project: str = "", tier: str = "", state: str = "") -> list[Inventoried]:
        """The versions in staging and production, with owner, tier, use and when they are due; the longest due first.

        state: ``ok``, ``due soon`` or ``overdue``.

        >>> [entry.ref for entry in client.gates.reviews.inventory(state="overdue")]  # doctest: +SKIP
        ['model:mortgage@2']
        """
        return self.transport.call(contract.list_inventory, ListInventory(project, tier, state)).items

    def record(
        self,
        name: str,
        outcome: ReviewOutcome,
        *,
        comment: str,
        findings: str = "",
        again_in_days: int | None = None,
    ) -> Review:
        """Records that one looked at a version in use again: whether it goes on, within limits, or has to leave.

        Raises BadField, FourEyes, NeedsPerson, NotInUse, RoleMissing, RoleUnfit.
        """
        body = RecordReview(outcome, comment, findings, again_in_days)
        return self.transport.call(contract.record_review, body, **split(name))

    def list(self, name: str) -> list[Review]:
        """A version's reviews, newest first."""
        return self.transport.call(contract.list_reviews, **split(name)).items
