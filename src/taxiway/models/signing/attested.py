"""What models have signed: where a version came from, and every stage that it entered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from taxiway.audit.service import Record
from taxiway.datasets.contract import DatasetVersion
from taxiway.evidence.attesting import attest, attest_also
from taxiway.evidence.statement import PROMOTION, PROVENANCE, Resource, Subject, hashed
from taxiway.kernel.version import VERSION
from taxiway.models.bundles.bundle import LOCK
from taxiway.models.contract import ModelStage, ModelVersion
from taxiway.runs.contract import CHANGES, SOURCES, Run

BUILD_TYPE = "https://taxiway.dev/run/v1"
BUILDER = "https://taxiway.dev/recorded-run/v1"  # a program of its author's, on their machine, recorded by the platform


def attest_provenance(
    record: Record, version: ModelVersion, run: Run | None, datasets: Sequence[DatasetVersion]
) -> None:
    """Says what a version was made from, as SLSA's provenance. Without a bundle there is nothing to say it of."""
    if version.bundle:
        attest(record, [Subject(version.ref, version.bundle)], PROVENANCE, provenance(version, run, datasets))


def provenance(version: ModelVersion, run: Run | None, datasets: Sequence[DatasetVersion]) -> dict[str, Any]:
    asked = {"command": run.command, "params": run.params} if run else {"source": version.source}
    recorded = {"project": version.project, "experiment": run.experiment, "run": run.id} if run else {}
    evaluation = version.evaluation
    judged = [Resource(name="predictions", digest=hashed(evaluation.digest))] if evaluation else []
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": asked,
            "internalParameters": recorded,
            "resolvedDependencies": msgspec.to_builtins(dependencies(version, run, datasets)),
        },
        "runDetails": {
            "builder": {"id": BUILDER, "version": {"taxiway": VERSION}},
            "metadata": metadata(run) if run else {},
            "byproducts": msgspec.to_builtins(judged),
        },
    }


def metadata(run: Run) -> dict[str, Any]:
    """The run and its times; the end is known where it ended before the model was registered."""
    known: dict[str, Any] = {"invocationId": run.id, "startedOn": run.started_at, "finishedOn": run.ended_at}
    return {name: value for name, value in known.items() if value is not None}


def dependencies(version: ModelVersion, run: Run | None, datasets: Sequence[DatasetVersion]) -> list[Resource]:
    """Code, data and environment, each by its digest."""
    found = [Resource(name=each.ref, digest=hashed(each.digest)) for each in datasets]
    if run and run.code:
        code = run.code
        if code.commit:
            found.append(Resource(name="commit", digest={"gitCommit": code.commit}))
        kept: dict[str, str] = {SOURCES: code.sources, CHANGES: code.changes, "code/notebook.ipynb": code.notebook}
        found += [Resource(name=name, digest=hashed(digest)) for name, digest in kept.items() if digest]
    if version.environment:
        found.append(Resource(name=LOCK, digest=hashed(version.environment)))
    if run and run.environment and run.environment.digest:
        found.append(Resource(name="environment", digest=hashed(run.environment.digest)))
    return found


def attest_promotion(record: Record, version: ModelVersion, stage: ModelStage, reason: str) -> None:
    """Says that a version entered a stage, and on which evidence and approvals."""
    if version.bundle:
        rests_on: dict[str, Any] = {
            name: record.facts[name] for name in ("path", "evidence", "approvals") if name in record.facts
        }
        said = {**moved(record, version, stage, reason), **rests_on}
        attest(record, [Subject(version.ref, version.bundle)], PROMOTION, said)


def attest_making_room(record: Record, version: ModelVersion, reason: str) -> dict[str, list[str]]:
    """Says that a version was archived for another one: what its own audit entry names."""
    if not version.bundle:
        return {}
    said = moved(record, version, "archived", reason)
    return attest_also(record, version.ref, [Subject(version.ref, version.bundle)], PROMOTION, said)


def moved(record: Record, version: ModelVersion, stage: ModelStage, reason: str) -> dict[str, Any]:
    return {
        "model": version.model,
        "version": version.version,
        "stage": stage,
        "before": version.stage,
        "reason": reason,
        "by": record.caller.name,
        "at": record.at,
    }
