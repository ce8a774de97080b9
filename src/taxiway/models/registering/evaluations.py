"""Whether pinned predictions are what is said about them, before a version may lean on them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from taxiway.models.bundles.bundle import Manifest
from taxiway.models.contract import Evaluation
from taxiway.models.refusals import EvaluationUnfit
from taxiway.storage.blobs import Blobs


def check_evaluation(
    blobs: Blobs,
    evaluation: Evaluation,
    manifest: Manifest,
    pinned: Collection[str],
    may_name: Callable[[str], bool],
) -> None:
    """Nothing, or EvaluationUnfit: for predictions of another run than the model's, a file that is no Parquet, a
    column or a row that is not there, and a threshold that is not the model's own.

    pinned: the digests of the predictions that the manifest's run logged. may_name: whether the caller may name one.
    """
    if manifest.run is not None and evaluation.digest not in pinned:
        raise EvaluationUnfit(
            field="digest",
            problem=f"{evaluation.digest} is nothing that run {manifest.run} logged as its predictions",
            expected="what `run.log_predictions` gave in the run that made the model",
        )
    if not (may_name(evaluation.digest) and blobs.has(evaluation.digest)):
        raise EvaluationUnfit(
            field="digest",
            problem=f"{evaluation.digest} was not stored",
            expected="predictions that were logged before",
        )
    import pyarrow as pa  # slow to import, and needed only where predictions come
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(blobs.file(evaluation.digest))
    except (pa.ArrowInvalid, OSError) as e:
        raise EvaluationUnfit(field="digest", problem=f"{e}", expected="a Parquet file") from e
    if metadata.num_rows != evaluation.rows:
        raise EvaluationUnfit(
            field="rows", problem=f"{evaluation.rows} is not so", expected=f"{metadata.num_rows}, as the file has"
        )
    known = metadata.schema.to_arrow_schema().names
    for field, column in columns_of(evaluation):
        if column not in known:
            raise EvaluationUnfit(
                field=field, problem=f"the predictions have no column {column!r}", expected=f"one of {', '.join(known)}"
            )
    cut = manifest.threshold
    if cut is not None and evaluation.score and evaluation.threshold != cut:
        raise EvaluationUnfit(
            field="threshold",
            problem=f"the predictions were cut at {evaluation.threshold:g}, the model cuts at {cut:g}",
            expected="predictions that were made with the model's own threshold",
        )


def columns_of(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Each field of an evaluation that names a column, with that column."""
    single = [(n, getattr(evaluation, n)) for n in ("label", "prediction", "score", "time")]
    several = [(n, column) for n in ("groups", "features", "others") for column in getattr(evaluation, n)]
    return [(n, column) for n, column in single if column] + several
