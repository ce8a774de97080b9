"""What the form to deploy offers, and what it has chosen already."""

from __future__ import annotations

from datetime import UTC, datetime

from taxiway.endpoints.pages import own_first
from taxiway.models.contract import ModelVersion
from taxiway.models.predicting.signature import Signature

AT = datetime(2026, 1, 1, tzinfo=UTC)


def version_of(model: str, number: int) -> ModelVersion:
    return ModelVersion(
        model=model,
        version=number,
        project="credit",
        bundle="",
        flavour="sklearn",
        signature=Signature(inputs=(), outputs=()),
        threshold=None,
        run=None,
        datasets=[],
        environment=None,
        risk="high",
        evaluation=None,
        stage="production",
        aliases=[],
        size_bytes=0,
        note="",
        created_by="ana",
        created_at=AT,
        changed_at=AT,
    )


def test_the_newest_version_of_the_endpoints_own_model_is_chosen() -> None:
    stored = [version_of(*each) for each in (("creditlgb", 1), ("credit", 1), ("aaa", 4), ("credit", 3), ("credit", 2))]

    offered = own_first(stored, "credit")

    names = [f"{each.model}@{each.version}" for each in offered]
    assert names == ["credit@3", "credit@2", "credit@1", "creditlgb@1", "aaa@4"]
