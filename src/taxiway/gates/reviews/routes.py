"""The API of reviews."""

from __future__ import annotations

from taxiway.gates.reviews import contract
from taxiway.gates.reviews.service import Reviews
from taxiway.web.serve import Server


def bind(server: Server, reviews: Reviews) -> None:
    server.serve(contract.list_inventory, reviews.inventory)
    server.serve(contract.record_review, reviews.record)
    server.serve(contract.list_reviews, reviews.list)
