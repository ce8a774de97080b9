"""The CLI of reviews, which stands among that of gates."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from taxiway.gates.reviews.contract import OUTCOMES, Review
from taxiway.kernel.commands import Argument, Command, count

if TYPE_CHECKING:
    from taxiway.client import Client

MODEL = Argument("model", "MODEL@VERSION, MODEL@ALIAS, or MODEL for the newest version")


def review(client: Client, given: Namespace) -> Review:
    return client.gates.reviews.record(
        given.model,
        given.outcome,
        comment=given.comment,
        findings=given.findings,
        again_in_days=given.again_in_days,
    )


def reviews(client: Client, given: Namespace) -> list[Review]:
    return client.gates.reviews.list(given.model)


COMMANDS = (
    Command(
        "review",
        "record that you looked at a version in use again",
        review,
        (
            MODEL,
            Argument("outcome", "whether it goes on, within limits, or has to leave", choices=OUTCOMES),
            Argument("--comment", "what you looked at", default=""),
            Argument("--findings", "what you found, unless it goes on as it is", default=""),
            Argument("--again-in-days", "sooner than its tier asks for", count),
        ),
    ),
    Command(
        "reviews",
        "a version's reviews, newest first",
        reviews,
        (MODEL,),
        ("at", "by", "role", "outcome", "findings", "due_at"),
    ),
)
