"""What is signed of a run that was done again: whether it did the same, said of what the first one left behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from taxiway.audit.service import Record
from taxiway.evidence.attesting import attest
from taxiway.evidence.statement import REPRODUCTION, Subject
from taxiway.kernel.canonical import canonical_json
from taxiway.runs.again.sameness import KEPT_ABOUT_THE_RUN, Reproduction
from taxiway.runs.contract import Artifact, Run
from taxiway.storage.blobs import digest_of

MOST_SUBJECTS = 500


def attest_reproduction(record: Record, first: Run, files: Sequence[Artifact], found: Reproduction) -> None:
    """Says the verdict of the metrics and the files that the first run left behind."""
    attest(record, [metrics_of(first), *outputs(files)[:MOST_SUBJECTS]], REPRODUCTION, verdict(found))


def metrics_of(first: Run) -> Subject:
    """A run by the seal of its metrics; one that was never ended has none, and is named by its parameters."""
    return Subject(first.ref, first.sealed or digest_of(canonical_json(first.params)))


def outputs(files: Sequence[Artifact]) -> list[Subject]:
    made = [each for each in files if not each.path.startswith(KEPT_ABOUT_THE_RUN)]
    return [Subject(each.path, each.digest) for each in sorted(made, key=lambda each: each.path)]


def verdict(found: Reproduction) -> dict[str, Any]:
    """What was found, without what is the same in both."""
    said: dict[str, Any] = msgspec.to_builtins(found)
    for name in ("metrics", "predictions"):
        said[name] = [gap for gap in said[name] if not gap["is_equal"]]
    return {**said, "equal_metrics": sum(gap.is_equal for gap in found.metrics)}
