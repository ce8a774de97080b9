"""A job's files opened as a case: every byte held against its digest before anything is made of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pyarrow.parquet as pq

from taxiway.gates.checks.port import Case, not_given
from taxiway.gates.laws.predictions import Predictions
from taxiway.gates.working import rows as law
from taxiway.gates.working.wire import Job, Pinned, Subject
from taxiway.models.bundles.bundle import Bundle, read_verified, verify_bundle
from taxiway.models.bundles.mlmodel import read_example
from taxiway.models.predicting.flavours import flavour, settle
from taxiway.models.predicting.predictor import Predictor
from taxiway.storage.blobs import digest_of, require_digest

T = TypeVar("T")
NO_TABLE = not_given("table")
USED: set[str] = set()  # the libraries of the models that this process loaded, by their top packages


def open_case(job: Job) -> Case:
    """The case that a job describes. What its files are not, shows when it is asked for: DigestMismatch and others."""
    champion = job.champion
    return of_subject(
        job.subject,
        table=lambda name: read_table(job.tables, name),
        champion=lambda: None if champion is None else of_subject(champion),
    )


def of_subject(
    subject: Subject,
    table: Callable[[str], Any] = NO_TABLE,
    champion: Callable[[], Case | None] = lambda: None,
) -> Case:
    """Only what the check's inputs name is in it."""
    version = subject.version

    @cache
    def bundle() -> Bundle:
        return verify_bundle(Path(given(subject.bundle, "bundle").file), version.bundle)

    @cache
    def predictor() -> Predictor:
        return load(bundle())

    @cache
    def predictions() -> Predictions:
        return Predictions(read(given(subject.predictions, "evaluation"), f"what {version.ref} was judged on"))

    @cache
    def rows() -> law.Rows:
        return find_rows(subject, predictions, bundle)

    return Case(
        version=version,
        card=lambda: given(subject.card, "card"),
        datasets=lambda: given(subject.datasets, "datasets"),
        predictions=predictions,
        reproductions=lambda: given(subject.reproductions, "reproductions"),
        attested=lambda: given(subject.attested, "attestations"),
        bundle=bundle,
        predictor=predictor,
        rows=rows,
        table=table,
        training=lambda: read_training(subject),
        champion=champion,
    )


def read_training(subject: Subject) -> dict[str, Any]:
    """The tables of the datasets that the version was trained on, those that are there."""
    refs = [each.ref for each in given(subject.datasets, "datasets")]
    return {ref: pq.read_table(checked(subject.tables[ref], ref)) for ref in refs if ref in subject.tables}


def given(what: T | None, name: str) -> T:
    """Raises NotGiven for what the job does not hold."""
    return not_given(name)() if what is None else what


def load(bundle: Bundle) -> Predictor:
    """The model of a verified bundle, as a serving worker has it: what runs code while it is read may do so here.

    Raises FlavourMissing, ModelUnreadable and what else its flavour refuses.
    """
    manifest = bundle.manifest
    predictor = flavour(manifest.flavour).load(bundle.folder, bundle.digest, may_run_code=True)
    settle(predictor)
    model = getattr(predictor, "model", predictor)
    USED.update(name.partition(".")[0] for name in (type(model).__module__, *manifest.native.trusted_types))
    USED.add(manifest.flavour.partition(".")[0])
    if manifest.native.serialization == "skops":
        USED.add("skops")
    return predictor


def find_rows(subject: Subject, predictions: Callable[[], Predictions], bundle: Callable[[], Bundle]) -> law.Rows:
    """The best rows there are: pinned with the predictions, of a dataset, or drawn from the bundle's example."""
    version = subject.version
    evaluation, signature = version.evaluation, version.signature
    at_hand = predictions() if evaluation is not None and subject.predictions is not None else None
    if evaluation is not None and at_hand is not None and (found := law.pinned(signature, evaluation, at_hand)):
        return found
    judged_on = evaluation.dataset if evaluation is not None else ""
    for ref in sorted(subject.tables, key=lambda ref: ref != judged_on):
        file = checked(subject.tables[ref], ref)
        is_judged = ref == judged_on
        if found := law.of_dataset(signature, file, ref, evaluation if is_judged else None, at_hand):
            return found
    example = bundle().manifest.example
    return law.drawn(signature, read_example(read_verified(bundle(), example)) if example else [])


def read_table(tables: dict[str, Pinned], name: str) -> Any:
    """The rows of the dataset that a parameter names."""
    if name not in tables:
        return not_given(f"dataset of the parameter {name}")()
    return pq.read_table(checked(tables[name], f"the dataset of {name}"))


def read(pinned: Pinned, what: str) -> bytes:
    """Raises DigestMismatch."""
    data = Path(pinned.file).read_bytes()
    require_digest(pinned.digest, digest_of(data), what)
    return data


def checked(pinned: Pinned, what: str) -> Path:
    """The file, every byte of it held against its digest. Raises DigestMismatch."""
    read(pinned, what)
    return Path(pinned.file)
