"""A gate's question as a job: the files that its worker may read, each with the digest that it must have."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from sqlalchemy import Connection

from taxiway.datasets.contract import DatasetVersion
from taxiway.gates.checks.port import OF_PARAMETER, Check, inputs_asked
from taxiway.gates.contract import GateSpec
from taxiway.gates.paths.policy import parameters_of
from taxiway.gates.questionnaires.service import attested_of
from taxiway.gates.working.wire import Job, Pinned, Subject
from taxiway.kernel.errors import NotFound, TaxiwayError
from taxiway.kernel.thing import parse
from taxiway.models.contract import ModelVersion
from taxiway.models.service import Models
from taxiway.runs.again.reproductions import reproductions_of


def pack(models: Models, connection: Connection, version: ModelVersion, spec: GateSpec, check: Check) -> Job:
    """The job that asks a check of a gate. Raises BytesGone where a file that it names is gone."""
    inputs = inputs_asked(check, parameters_of(spec))
    champion = champion_of(models, connection, version) if "champion" in inputs else None
    return Job(
        check=spec.check,
        parameters=spec.parameters,
        subject=subject(models, connection, version, inputs),
        champion=subject(models, connection, champion, ("bundle", "evaluation")) if champion else None,
        tables={
            field: Pinned(str(models.sources.datasets.table_file(found)), found.table)
            for field in fields_of(check)
            if (found := resolved(models, version, str(spec.parameters.get(field) or "")))
        },
    )


def subject(models: Models, connection: Connection, version: ModelVersion, inputs: Collection[str]) -> Subject:
    evaluation, datasets = version.evaluation, models.sources.versions_of(version.datasets)
    predictions = None
    if "evaluation" in inputs and evaluation is not None:
        predictions = Pinned(str(models.blobs.file(evaluation.digest)), evaluation.digest)
    return Subject(
        version=version,
        bundle=Pinned(str(models.shelf.place(version.bundle)), version.bundle) if "bundle" in inputs else None,
        predictions=predictions,
        card=models.cards.card(connection, version) if "card" in inputs else None,
        datasets=datasets if "datasets" in inputs else None,
        tables=tables(models, datasets, version) if "datasets" in inputs else {},
        reproductions=reproductions_of(connection, version.run or "") if "reproductions" in inputs else None,
        attested=attested_of(connection, version) if "attestations" in inputs else None,
    )


def tables(models: Models, datasets: list[DatasetVersion], version: ModelVersion) -> dict[str, Pinned]:
    """The tables of the datasets that a version was trained and judged on, those that are there."""
    judged_on = version.evaluation.dataset if version.evaluation else ""
    found = {}
    for each in [*datasets, *([named] if (named := resolved(models, version, judged_on)) else [])]:
        try:
            file: Path = models.sources.datasets.table_file(each)
        except TaxiwayError:  # its bytes are gone: a check that needs them says so
            continue
        found[each.ref] = Pinned(str(file), each.table)
    return found


def fields_of(check: Check) -> list[str]:
    """The parameters of a check that name a dataset."""
    return [each.removeprefix(OF_PARAMETER) for each in check.inputs if each.startswith(OF_PARAMETER)]


def digests_of_named(models: Models, version: ModelVersion, spec: GateSpec, check: Check) -> dict[str, str]:
    """The digests of the datasets that a gate's parameters name, as inputs of its answer; empty for one not there."""
    found = {}
    for field in fields_of(check):
        dataset = resolved(models, version, str(spec.parameters.get(field) or ""))
        found[f"{OF_PARAMETER}{field}"] = dataset.table if dataset else ""
    return found


def named_dataset(models: Models, version: ModelVersion, name: str) -> DatasetVersion | None:
    """The dataset that a path names: `advisories`, `security/advisories`, `security/advisories@3`; None without one.

    Without a project it is the version's own, without a version the newest. Raises NotFound.
    """
    if not name:
        return None
    _, path, number = parse(f"dataset:{name.removeprefix('dataset:')}")
    project, _, dataset = path.rpartition("/")
    return models.sources.datasets.find(project or version.project, dataset, number)


def resolved(models: Models, version: ModelVersion, name: str) -> DatasetVersion | None:
    try:
        return named_dataset(models, version, name)
    except NotFound:
        return None


def champion_of(models: Models, connection: Connection, version: ModelVersion) -> ModelVersion | None:
    """What stood in production when a version came there, or stands there now; it stays so once the version moved."""
    number = models.movements.champion_before(connection, version)
    return models.find(version.model, number) if number else None
