"""Writing down what watching gates saw, in the change that they let pass; telling it by path, and warning people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from taxiway.access.service import Access
from taxiway.audit.service import Record
from taxiway.gates.contract import GATE_STAGES, GateStage, GateStanding, PathVersion, Standing
from taxiway.gates.observing import store
from taxiway.gates.observing.contract import GateTally, Missed, Observation, Observed
from taxiway.gates.paths.service import Paths
from taxiway.kernel.caller import Caller
from taxiway.kernel.ids import new_id
from taxiway.kernel.thing import href, parse
from taxiway.models.contract import ModelStage
from taxiway.notices.telling import News, tell
from taxiway.storage.database import Database

MOST_COUNTED = 10_000
MOST_SHOWN = 200


class Observing:
    """What gates that do not count would have stopped."""

    def __init__(self, database: Database, access: Access, paths: Paths) -> None:
        self.database = database
        self.access = access
        self.paths = paths

    def observed(self, caller: Caller, *, path: str) -> Observed:
        """Of the newest 10,000 movements past a path's watching gates. Raises NotFound for no such path."""
        known: PathVersion = self.paths.show(caller, path=path, version=0)
        with self.database.read() as connection:
            found = store.of_path(connection, known.name, self.access.visible(caller), MOST_COUNTED)
        stopped = [each for each in found if each.missed]
        times: Counter[tuple[GateStage, str]] = Counter((m.stage, m.gate) for each in stopped for m in each.missed)
        gates = [GateTally(stage, gate, count) for (stage, gate), count in times.most_common()]
        return Observed(known.name, len(found), len(stopped), gates, stopped[:MOST_SHOWN])


def watch(record: Record, standing: Standing, stage: ModelStage) -> None:
    """Writes down, for each path with gates that only watch, which of them would have stopped the version."""
    upto = GATE_STAGES[: GATE_STAGES.index(stage) + 1] if stage in GATE_STAGES else ()
    watching: dict[str, list[GateStanding]] = {}
    for each in standing.stages:
        for gate in each.gates:
            if each.stage in upto and not gate.counts:
                watching.setdefault(gate.path, []).append(gate)
    told: list[str] = []
    for path, gates in watching.items():
        of = parse(path)
        missed = [missed_by(gate, of.name) for gate in gates if not gate.is_open]
        seen = Observation(
            id=new_id(),
            path=of.name,
            path_version=of.version or 0,
            model=standing.model,
            version=standing.version,
            project=standing.project,
            stage=stage,
            missed=missed,
            by=record.caller.name,
            at=record.at,
        )
        store.add(record.connection, seen)
        told += [f"{gate.gate}: {gate.verdict} ({gate.mode})" for gate in gates if not gate.is_open]
    if told:
        record.note(would_have_stopped=told)


def warn(record: Record, standing: Standing, stage: ModelStage, people: Collection[str]) -> None:
    """Tells people which gates that warn would have stopped a version that moves on. Gates that observe keep silent."""
    upto = GATE_STAGES[: GATE_STAGES.index(stage) + 1] if stage in GATE_STAGES else ()
    gates = [gate for each in standing.stages if each.stage in upto for gate in each.gates]
    warned = [gate for gate in gates if gate.mode == "warn" and not gate.is_open]
    if not warned:
        return
    thing = f"model:{standing.model}@{standing.version}"
    names = ", ".join(gate.gate.replace("_", " ") for gate in warned)
    what = f"{standing.model} version {standing.version} went to {stage} past what warns: {names}"
    note = " ".join(gate.outcome.reason for gate in warned)
    tell(record, people, News("warned", what, f"{href(thing)}#standing", thing, standing.project, note))


def missed_by(gate: GateStanding, path: str) -> Missed:
    """path: whose gate it is; its own name there is without the path's."""
    return Missed(gate.stage, gate.gate.removeprefix(f"{path}."), gate.mode, gate.verdict, gate.outcome.reason)
