"""The rules of logged models: a run makes them, their files come one by one, and versions are registered from them."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, NotFound
from taxiway.kernel.ids import new_id
from taxiway.lineage.service import draw_edge
from taxiway.models.logged import store
from taxiway.models.logged.contract import (
    ListLogged,
    LoggedFile,
    LoggedMetric,
    LoggedModel,
    LoggedStatus,
    LogModel,
)
from taxiway.models.names import check_tags
from taxiway.models.tables import logged_metrics, logged_params, logged_tags, logged_uses
from taxiway.runs.experiments import ensure
from taxiway.runs.paths import check_path
from taxiway.storage.blobs import Blobs
from taxiway.storage.writes import Change

MODEL_ID = re.compile(r"m-[0-9a-f]{32}")
MOST_FILES = 10_000


class LoggedModels:
    """What runs made."""

    def __init__(self, ledger: Ledger, access: Access, blobs: Blobs) -> None:
        self.database = ledger.database
        self.ledger = ledger
        self.access = access
        self.blobs = blobs
        access.digests.named_in.append(store.names_digest)

    # --- changing ---

    def create(self, caller: Caller, body: LogModel) -> LoggedModel:
        """A logged model without files yet. Raises BadField."""
        check_tags(body.tags)
        check_tags(body.params)
        id_ = body.id or f"m-{new_id()}"

        def make(record: Record) -> LoggedModel:
            ensure(record, body.experiment)
            model = LoggedModel(
                id=id_,
                project=body.project,
                experiment=body.experiment,
                name=body.name or id_,
                kind=body.kind,
                status="pending",
                status_message="",
                run=body.run,
                created_by=caller.name,
                created_at=body.made_at or record.at,
                changed_at=record.at,
                params=body.params,
                tags=body.tags,
            )
            store.add(record.connection, model)
            if body.run:
                draw_edge(record, source=f"run:{body.run}", verb="logged", target=model.ref, project=body.project)
            record.note(name=model.name, kind=body.kind, run=body.run)
            return model

        thing, project = f"logged:{id_}", body.project
        return self.ledger.change(caller, "models.log", thing, make, answer=LoggedModel, project=project)

    def finish(self, caller: Caller, *, logged: str, status: LoggedStatus, message: str = "") -> LoggedModel:
        """Says whether all files are there. Raises NotFound."""

        def act(record: Record, model: LoggedModel) -> None:
            record.note(status=status, before=model.status, files=len(store.files_of(record.connection, logged)))
            store.change(record.connection, logged, status=status, status_message=message, changed_at=record.at)

        return self._change(caller, "models.finish_logged", logged, act)

    def delete(self, caller: Caller, *, logged: str) -> LoggedModel:
        """Takes a logged model out of sight. What was registered from it stays. Raises NotFound."""
        before = self.find(logged)

        def make(record: Record) -> LoggedModel:
            require(record, logged)
            store.change(record.connection, logged, deleted_at=record.at, changed_at=record.at)
            return before

        return self.ledger.change(
            caller, "models.delete_logged", before.ref, make, answer=LoggedModel, project=before.project
        )

    def tag(self, caller: Caller, *, logged: str, tags: Mapping[str, str], untag: Sequence[str] = ()) -> LoggedModel:
        """Raises BadField, NotFound."""
        check_tags(tags, untag)

        def act(record: Record, model: LoggedModel) -> None:
            store.put_texts(record.connection, logged_tags, logged, tags)
            store.drop_texts(record.connection, logged_tags, logged, untag)
            store.change(record.connection, logged, changed_at=record.at)
            record.note(tags=dict(tags), untag=list(untag))

        return self._change(caller, "models.tag_logged", logged, act)

    def add_params(self, caller: Caller, *, logged: str, params: Mapping[str, str]) -> LoggedModel:
        """Raises BadField for a parameter that has another value already, NotFound."""
        check_tags(params)

        def act(record: Record, model: LoggedModel) -> None:
            for key, value in params.items():
                if model.params.get(key, value) != value:
                    expected = f"{model.params[key]!r}, which it has: a parameter does not change"
                    raise BadField(field=f"params.{key}", value=repr(value), expected=expected)
            store.put_texts(record.connection, logged_params, logged, params)
            record.note(params=dict(params))

        return self._change(caller, "models.describe_logged", logged, act)

    def measure(self, metrics: Mapping[str, Sequence[LoggedMetric]]) -> None:
        """Keeps what was measured of models, by id; unknown ids are passed over. Called with a run's own batch."""
        if not metrics:
            return

        def keep(change: Change) -> None:
            for id_, measured in metrics.items():
                if store.find(change.connection, id_) is not None:
                    for metric in measured:
                        store.keep_metric(change.connection, id_, metric)

        self.ledger.writer.write(keep)

    def use(self, *, run: str, models: Mapping[str, int], role: store.Role) -> None:
        """Ties a run to models that it took in or brought forth, each with its step. Raises NotFound."""
        found = {id_: self.find(id_) for id_ in models}

        def keep(change: Change) -> None:
            for id_, step in models.items():
                store.put_use(change.connection, run=run, model=found[id_].id, role=role, step=step)

        self.ledger.writer.write(keep)

    # --- files ---

    def put_file(self, *, logged: str, path: str, digest: str, media_type: str) -> LoggedFile:
        """Names bytes that were stored before. Raises BadField, NotFound."""
        check_path(path)
        size = self.blobs.size(digest)
        self.find(logged)

        def keep(change: Change) -> LoggedFile:
            file = LoggedFile(path, digest, size, media_type, change.at)
            store.put_file(change.connection, logged, file)
            return file

        return self.ledger.writer.write(keep)

    def drop_file(self, *, logged: str, path: str) -> bool:
        """Whether there was such a file. Raises NotFound for a model that is not there."""
        self.find(logged)
        return self.ledger.writer.write(lambda change: store.drop_file(change.connection, logged, path))

    def files(self, logged: str) -> list[LoggedFile]:
        """By path. Raises NotFound."""
        self.find(logged)
        with self.database.read() as connection:
            return store.files_of(connection, logged)

    # --- reading ---

    def find(self, logged: str) -> LoggedModel:
        """Raises NotFound."""
        with self.database.read() as connection:
            found = store.find(connection, logged)
        if found is None:
            raise unknown(logged)
        return found

    def is_taken(self, logged: str) -> bool:
        """Whether a model has this id, also one that was deleted."""
        with self.database.read() as connection:
            return store.has(connection, logged)

    def count(self, connection: Connection, ids: Sequence[str]) -> tuple[int, int]:
        """How many numbers were measured of these models, and how many runs took them in or brought them forth."""
        return store.count(connection, logged_metrics, ids), store.count(connection, logged_uses, ids)

    def project_of(self, logged: str) -> str:
        """Raises NotFound."""
        return self.find(logged).project

    def show(self, caller: Caller, *, logged: str) -> LoggedModel:
        return self.find(logged)

    def list(self, caller: Caller, body: ListLogged) -> Page[LoggedModel]:
        """Those that the caller may see, newest first."""
        visible = self.access.visible(caller)
        if body.project:
            visible = [body.project] if visible is None or body.project in visible else []
        with self.database.read() as connection:
            found = store.of_projects(connection, visible)
        return Page([each for each in found if body.run in ("", each.run)])

    def within(self, experiments: Sequence[int]) -> builtins.list[LoggedModel]:
        """All of these experiments, in no order."""
        with self.database.read() as connection:
            return store.within(connection, experiments)

    def made_by(self, run: str) -> builtins.list[LoggedModel]:
        """What a run made, oldest first."""
        with self.database.read() as connection:
            return store.made_by(connection, run)

    def uses(self, runs: Sequence[str], role: store.Role) -> dict[str, builtins.list[tuple[str, int]]]:
        """For each run the models that it took in or brought forth, with their steps."""
        with self.database.read() as connection:
            return store.uses_of(connection, runs, role)

    def _change(
        self, caller: Caller, verb: str, logged: str, act: Callable[[Record, LoggedModel], None]
    ) -> LoggedModel:
        before = self.find(logged)

        def make(record: Record) -> Any:
            act(record, require(record, logged))
            return require(record, logged)

        return self.ledger.change(caller, verb, before.ref, make, answer=LoggedModel, project=before.project)


def require(record: Record, logged: str) -> LoggedModel:
    """The logged model within a change. Raises NotFound."""
    found = store.find(record.connection, logged)
    if found is None:
        raise unknown(logged)
    return found


def unknown(logged: str) -> NotFound:
    return NotFound(kind="logged model", name=logged[:100], hint="Its id is m- and 32 hexadecimal digits.")
