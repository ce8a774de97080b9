"""Runs side by side: gathers what `compare` then holds against each other."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import msgspec

from taxiway.access.service import Access
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField, NotFound
from taxiway.kernel.thing import parse
from taxiway.runs.compare import CodeChange, Scalar, code_changes, side_by_side
from taxiway.runs.contract import SOURCES, CompareRuns, Comparison, Environment, Run
from taxiway.runs.service import Runs
from taxiway.storage.blobs import Blobs

MOST_RUNS = 100
MOST_WITH_CODE = 20  # of more runs only the digests of the code are held against each other
MOST_SOURCE_BYTES = 16 << 20


class Comparisons:
    """Compares runs that the caller may see."""

    def __init__(self, runs: Runs, access: Access, blobs: Blobs) -> None:
        self.runs = runs
        self.access = access
        self.blobs = blobs

    def _projects(self, run: str) -> list[str]:
        return [self.runs.project_of(run)]

    def compare(self, caller: Caller, body: CompareRuns) -> Comparison:
        """What is the same and what differs. Raises BadField, NotFound, NotAllowed."""
        ids = list(dict.fromkeys(body.run))
        if not 2 <= len(ids) <= MOST_RUNS:
            value = f"{len(ids)} run{'' if len(ids) == 1 else 's'}"
            raise BadField(field="run", value=value, expected=f"2 to {MOST_RUNS} different ids")
        for id_ in ids:
            find = functools.partial(self._projects, id_)
            self.access.admit(caller, "runs.read", kind="run", name=id_, find=find)
        runs = [self.runs.find(id_) for id_ in ids]
        return Comparison(
            runs=runs,
            params=side_by_side([run.params for run in runs]),
            metrics=side_by_side([run.metrics for run in runs]),
            tags=side_by_side([run.tags for run in runs]),
            inputs=side_by_side([versions(run.inputs) for run in runs]),
            environment=side_by_side([self.surroundings(run) for run in runs]),
            code=self.code(runs) if len(runs) <= MOST_WITH_CODE else [],
        )

    def surroundings(self, run: Run) -> Mapping[str, Scalar]:
        """Interpreter, platform and packages by name."""
        if run.environment is None:
            return {}
        said = msgspec.structs.asdict(run.environment)
        facts = {name: said[name] for name in Environment.__struct_fields__ if name not in ("packages", "digest")}
        facts["gpus"] = ", ".join(run.environment.gpus)
        packages = self.runs.packages(run.id).packages
        return {**facts, **{f"package {name}": version for name, version in packages.items()}}

    def code(self, runs: list[Run]) -> list[CodeChange]:
        """What changed in the sources, of those runs that have any: nothing kept is not the same as nothing there."""
        sides = [(run.id, self.sources(run)) for run in runs]
        first = sides[0][1]
        pairs = [(id_, texts) for id_, texts in sides[1:] if first and texts]
        return [change for id_, texts in pairs for change in code_changes(id_, first, texts)]

    def sources(self, run: Run) -> dict[str, str]:
        """The texts of a run's kept sources by path; none where it has none, or where they are too long to show."""
        try:
            digest = self.runs.artifact(run.id, SOURCES).digest
        except NotFound:
            return {}
        if self.blobs.size(digest) > MOST_SOURCE_BYTES:
            return {}
        with self.blobs.open(digest) as file:
            try:
                return msgspec.json.decode(file.read(), type=dict[str, str])
            except msgspec.MsgspecError:
                return {}


def versions(inputs: list[str]) -> dict[str, Scalar]:
    """The versions of the datasets that a run read, by dataset."""
    return {thing.name: f"version {thing.version}" for thing in map(parse, inputs)}
