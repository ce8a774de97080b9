"""Taking models that runs made: under their own ids, with what was measured of them and which runs used them."""

from __future__ import annotations

from taxiway.imports import store
from taxiway.imports.contract import IncomingLogged, Skipped, Taken
from taxiway.imports.service import Imports
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField, NotFound
from taxiway.models.logged.contract import LoggedMetric, LogModel
from taxiway.models.logged.service import MODEL_ID, LoggedModels
from taxiway.runs.experiments import Experiments
from taxiway.storage.database import read_moment

LATEST = "taken"  # the stamp of one that came without


class LoggedIntake:
    """Opens logged models, and later adds what was said of them since."""

    def __init__(self, imports: Imports, logged: LoggedModels, experiments: Experiments) -> None:
        self.imports = imports
        self.logged = logged
        self.experiments = experiments

    def take(self, caller: Caller, body: IncomingLogged, *, source: str) -> Taken:
        """Takes a logged model as it is there now. Raises NotFound where its experiment was not taken."""
        self.imports.require(source)
        stamp = body.stamp or LATEST
        known = self.imports.known(source, "logged", body.id)
        if known is not None and known[1] == stamp:
            return Taken()
        skipped: list[Skipped] = []
        if known is None:
            ours = self._open(caller, body, source)
            self.imports.mark(caller, source, "logged", (body.id, ours, ""))
        else:
            ours = known[0]
            skipped += self._change(caller, body, ours)
        if body.is_ready and self.logged.find(ours).status == "pending":
            self.logged.finish(self.imports.keyed(caller, source, f"ready/{body.id}"), logged=ours, status="ready")
        skipped += self._tie(body, ours, source)
        self.imports.mark(caller, source, "logged", (body.id, ours, "" if skipped else stamp))
        return Taken(new=int(known is None), changed=int(known is not None), skipped=skipped)

    def _open(self, caller: Caller, body: IncomingLogged, source: str) -> str:
        """The id of the model here: its own, unless another has that."""
        with self.imports.database.read() as connection:
            place = store.ours(connection, source, "experiment", [body.experiment]).get(body.experiment)
            run = store.ours(connection, source, "run", [body.run]).get(body.run, "")
        if place is None:
            raise NotFound(kind="imported experiment", name=body.experiment, hint="Send it before its models.")
        project, name = place.split("/", 1)
        sheet = self.experiments.named(project, name)
        is_free = MODEL_ID.fullmatch(body.id) and not self.logged.is_taken(body.id)
        asked = LogModel(
            project=project,
            experiment=sheet.number if sheet else 0,
            name=body.name,
            kind=body.kind,
            run=run,
            params=body.params,
            tags=body.tags,
            id=body.id if is_free else "",
            made_at=None if body.created_at is None else read_moment(body.created_at),
        )
        return self.logged.create(self.imports.keyed(caller, source, f"logged/{body.id}"), asked).id

    def _change(self, caller: Caller, body: IncomingLogged, ours: str) -> list[Skipped]:
        """Adds what was said of a model since."""
        there = self.logged.find(ours)
        tags = {key: text for key, text in body.tags.items() if there.tags.get(key) != text}
        if tags:
            self.logged.tag(caller, logged=ours, tags=tags)
        params = {key: text for key, text in body.params.items() if there.params.get(key) != text}
        try:
            if params:
                self.logged.add_params(caller, logged=ours, params=params)
        except BadField as refusal:
            return [Skipped("logged model", body.id, str(refusal))]
        return []

    def _tie(self, body: IncomingLogged, ours: str, source: str) -> list[Skipped]:
        """Adds what was measured, and which runs used it; what belongs to runs that are not here is told."""
        asked = sorted({*(one.run for one in body.measures if one.run), *(one.run for one in body.uses)})
        with self.imports.database.read() as connection:
            runs = store.ours(connection, source, "run", asked)
        measures = [
            LoggedMetric(
                one.key,
                one.value,
                one.step,
                read_moment(one.at),
                runs.get(one.run, one.run),
                one.dataset,
                one.dataset_digest,
            )
            for one in body.measures
            if one.run in runs or not one.run
        ]
        self.logged.measure({ours: measures} if measures else {})
        for one in body.uses:
            if one.run in runs:
                self.logged.use(run=runs[one.run], models={ours: one.step}, role=one.role)
        return [
            Skipped("logged model", body.id, f"its run {run} was not taken, nor what that measured of it")
            for run in asked
            if run not in runs
        ]
