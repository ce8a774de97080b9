"""What models ask of endpoints before a version leaves its stage, and when a model's name changes."""

from __future__ import annotations

from msgspec.structs import replace

from taxiway.audit.service import Record
from taxiway.endpoints import store
from taxiway.models.contract import ModelVersion
from taxiway.models.moving.movements import Going
from taxiway.models.refusals import StillAnswers


def refuse_answering(record: Record, version: ModelVersion, going: Going) -> None:
    """Nothing, or StillAnswers where a version would leave what an endpoint serves while it answers there."""
    is_ending = going in ("archived", "deleted", "renamed")
    answers: list[str] = []
    for kept in store.all_of(record.connection, [version.project]):
        its = store.numbers_of(record.connection, kept.name, version.model, version.version)
        rollout = kept.rollout
        shadows = {each.revision for each in rollout.shadows}
        if kept.is_stopped:
            continue
        is_answering = its & set(rollout.split.revisions) and (is_ending or kept.serves == version.stage)
        if is_answering or (its & shadows and is_ending):
            answers.append(kept.name)
        elif rollout.before is not None and its & set(rollout.before.revisions):
            # What left its stage is no place to fall back to.
            store.change(record.connection, replace(kept, rollout=replace(rollout, before=None)))
    if answers:
        raise StillAnswers(model=version.model, version=version.version, stage=going, endpoints=answers)


def follow_name(record: Record, before: str, to: str) -> None:
    """Past revisions take a model's new name; what answers now keeps a model from being renamed at all."""
    store.rename_model(record.connection, before, to)
