"""Small real models as bundles, with the case that a worker would open for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from taxiway.adapters.sklearn import save
from taxiway.gates.working.wire import Job, Pinned, Subject
from taxiway.models.bundles.bundle import Bundle, write_bundle
from taxiway.models.contract import Evaluation, ModelVersion
from taxiway.storage.blobs import digest_of

COLUMNS = ("income", "debt", "age", "noise")
ROWS = 400


@cache
def applicants() -> tuple[pd.DataFrame, Any]:
    """Four columns, of which the first two decide; `debt` has gaps."""
    random = np.random.default_rng(3)
    table = pd.DataFrame(random.normal(size=(ROWS, 4)), columns=list(COLUMNS))
    approve = (2 * table["income"] - table["debt"] + 0.3 * random.normal(size=ROWS) > 0).astype(np.int64)
    table.loc[::9, "debt"] = np.nan
    return table, approve.to_numpy()


def linear() -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()).fit(*applicants())


def boosted() -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(n_estimators=20, num_leaves=7, n_jobs=1, verbose=-1).fit(*applicants())


def neighbours() -> Any:
    """A model whose library gives no contributions."""
    from sklearn.impute import SimpleImputer
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline

    return make_pipeline(SimpleImputer(), KNeighborsClassifier(15)).fit(*applicants())


def bundle(folder: Path, model: Any, *, lock: str = "numpy==2.0\n") -> Bundle:
    draft = save(model, folder, applicants()[0], name="loans")
    return write_bundle(folder, draft, lock=lock)


def job(
    check: str,
    parameters: dict[str, Any],
    made: Bundle,
    *,
    features: Sequence[str] = COLUMNS,
    tables: dict[str, pa.Table] | None = None,
    named: dict[str, pa.Table] | None = None,
) -> Job:
    """The job that asks about a bundle, judged on predictions with these features. named: tables of parameters."""
    inputs, labels = applicants()
    frame = inputs[list(features)].assign(approve=labels, said=labels)
    predictions = kept(made, "predictions", pa.Table.from_pandas(frame, preserve_index=False))
    manifest = made.manifest
    at = datetime(2026, 1, 1, tzinfo=UTC)
    version = ModelVersion(
        model="loans",
        version=1,
        project="p",
        bundle=made.digest,
        flavour=manifest.flavour,
        signature=manifest.signature,
        threshold=0.5,
        run=None,
        datasets=sorted(tables or {}),
        environment=manifest.environment,
        risk="high",
        evaluation=Evaluation(
            predictions.digest, ROWS, "approve", "said", features=list(features), dataset=next(iter(tables or {}), "")
        ),
        stage="none",
        aliases=[],
        size_bytes=0,
        note="",
        created_by="ana",
        created_at=at,
        changed_at=at,
    )
    subject = Subject(
        version,
        bundle=Pinned(str(made.folder), made.digest),
        predictions=predictions,
        tables={ref: kept(made, f"table-{i}", each) for i, (ref, each) in enumerate((tables or {}).items())},
    )
    return Job(check, parameters, subject, tables={n: kept(made, f"named-{n}", t) for n, t in (named or {}).items()})


def kept(made: Bundle, name: str, table: pa.Table) -> Pinned:
    file = made.folder.with_name(f"{made.folder.name}-{name}.parquet")
    pq.write_table(table, file)
    return Pinned(str(file), digest_of(file.read_bytes()))


def without_evaluation(asked: Job) -> Job:
    version = msgspec.structs.replace(asked.subject.version, evaluation=None)
    return msgspec.structs.replace(
        asked, subject=msgspec.structs.replace(asked.subject, version=version, predictions=None)
    )
