"""The port between models and what decides over them: models ask, gates answer."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import Connection

from taxiway.audit.service import Record
from taxiway.models.contract import CardField, ModelStage, ModelVersion


class Guard(Protocol):
    """Says whether a version may enter a stage. Without a guard nothing moves."""

    def require_open(self, record: Record, version: ModelVersion, stage: ModelStage) -> None:
        """Nothing, or a refusal, judged inside the very change that would move the version."""
        ...

    def guarded_aliases(self, connection: Connection, version: ModelVersion) -> dict[ModelStage, str]:
        """The aliases that the version's path names: for each stage the one that moves with it."""
        ...

    def card_fields(self, connection: Connection, version: ModelVersion) -> list[CardField]:
        """What the evidence adds to a version's card."""
        ...
