"""MLflow's SQL store, read only: SQLite and PostgreSQL, whatever version of the tables it has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace
from sqlalchemy import (
    Engine,
    Select,
    TableClause,
    column,
    create_engine,
    func,
    inspect,
    or_,
    select,
    table,
)
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from taxiway.compat.mlflow.moving.points import Columns, split
from taxiway.compat.mlflow.moving.source import (
    STATUSES,
    Found,
    FoundLogged,
    FoundTrace,
    Series,
    SourceUnusable,
    micros,
    stamp_of,
    stamped,
)
from taxiway.compat.mlflow.moving.sql_traces import SqlTies, SqlTraces
from taxiway.imports.contract import Counts, IncomingExperiment, IncomingLogged, IncomingModel, IncomingVersion, Skipped
from taxiway.traces.contract import Span

AT_ONCE = 500
ROWS_AT_ONCE = 50_000
GONE = "Deleted_Internal"
READY = 2  # a logged model that was finished
NEEDED = ("experiments", "runs", "metrics", "params", "tags")
READ = (
    *NEEDED,
    "experiment_tags",
    "logged_models",
    "logged_model_params",
    "logged_model_tags",
    "registered_models",
    "registered_model_tags",
    "registered_model_aliases",
    "model_versions",
    "model_version_tags",
    "logged_model_metrics",
    "datasets",
    "inputs",
    "input_tags",
    "trace_info",
    "trace_tags",
    "trace_request_metadata",
    "spans",
    "assessments",
    "entity_associations",
)


# What there is nothing for here, and how it is called.
LEFT = {
    "webhooks": "webhooks",
    "evaluation_datasets": "evaluation data sets",
    "scorers": "judges",
    "issues": "issues",
    "review_queues": "review queues",
    "endpoints": "endpoints of its gateway",
    "guardrails": "guardrails",
    "mcp_servers": "MCP servers",
}


def open_read_only(url: str) -> Engine:
    """Raises SourceUnusable. SQLite's file is opened so that nothing can be written, and not even made."""
    if url.startswith("sqlite:"):
        file = Path(url.removeprefix("sqlite:///")).absolute()
        if not file.is_file():
            raise SourceUnusable(source=url, cause="there is no such file")
        return create_engine(f"sqlite:///file:{quote(str(file))}?mode=ro&uri=true")
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    try:
        return create_engine("postgresql+psycopg://" + url.partition("://")[2], execution_options=options)
    except (ArgumentError, ModuleNotFoundError) as e:
        cause = "it is no database URL, or taxiway[postgres] is not installed"
        raise SourceUnusable(source=shown(url), cause=cause) from e


def shown(url: str) -> str:
    """A database's URL without its password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2] if '@' in rest else rest}"


class SqlSource:
    """A database of MLflow's."""

    def __init__(self, url: str) -> None:
        """Raises SourceUnusable."""
        self.origin = shown(url)
        self.skipped: list[Skipped] = []
        self.infinities = 0
        self.engine = open_read_only(url)
        try:
            self.connection = self.engine.connect()
            known = inspect(self.connection)
            there = set(known.get_table_names())
            self.tables = {
                name: table(name, *(column(c["name"]) for c in known.get_columns(name)))
                for name in (*READ, *LEFT)
                if name in there
            }
        except SQLAlchemyError as e:
            raise SourceUnusable(source=self.origin, cause=str(e).splitlines()[0]) from e
        if missing := [name for name in NEEDED if name not in self.tables]:
            cause = f"it has no table {', '.join(missing)}"
            raise SourceUnusable(source=self.origin, cause=cause, next_step="Give the database of an MLflow server.")
        self._tell_left()
        self.connection.rollback()
        self.ties = SqlTies(self)
        self.traced = SqlTraces(self)

    def close(self) -> None:
        self.connection.close()
        self.engine.dispose()

    def _tell_left(self) -> None:
        """Lists what is left behind because there is nothing for it here."""
        for name, called in LEFT.items():
            if count := self._count(name):
                self.skipped.append(
                    Skipped(called, self.origin, f"there is no place for them here ({count:,} of them)")
                )

    def rows(self, query: Select[Any]) -> list[Any]:
        return list(self.connection.execute(query).mappings())

    def all_rows(self, name: str, *order: str) -> list[Any]:
        """Every row of a table, none where this version of MLflow does not have it."""
        found = self.tables.get(name)
        return [] if found is None else self.rows(select(found).order_by(*(found.c[o] for o in order)))

    def _count(self, name: str) -> int:
        found = self.tables.get(name)
        return 0 if found is None else self.connection.execute(select(func.count()).select_from(found)).scalar_one()

    def totals(self) -> Counts:
        self.connection.rollback()  # what follows sees what is there by now
        logged = self.logged()
        return Counts(
            experiments=self._count("experiments"),
            runs=self._count("runs"),
            params=self._count("params"),
            tags=self._count("tags"),
            points=self._count("metrics"),
            models=self._count("registered_models"),
            versions=sum(row["current_stage"] != GONE for row in self.all_rows("model_versions")),
            aliases=self._count("registered_model_aliases"),
            inputs=sum(row["source_type"] == "DATASET" for row in self.all_rows("inputs")),
            logged=len(logged),
            measures=sum(len(one.model.measures) for one in logged),
            uses=sum(len(one.model.uses) for one in logged),
            traces=self._count("trace_info"),
            spans=self._count("spans"),
            remarks=self._count("assessments"),
        )

    def count_runs(self) -> int:
        return self._count("runs")

    def experiments(self) -> list[IncomingExperiment]:
        self.connection.rollback()
        tags: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for row in self.all_rows("experiment_tags"):
            tags[str(row["experiment_id"])][row["key"]] = row["value"] or ""
        return [
            IncomingExperiment(
                id=str(row["experiment_id"]),
                name=str(row["name"]),
                tags=tags[str(row["experiment_id"])],
                created_at=micros(row.get("creation_time")),
                is_deleted=row["lifecycle_stage"] == "deleted",
            )
            for row in self.all_rows("experiments", "experiment_id")
        ]

    # --- runs ---

    def runs(self, since_ms: int | None) -> Iterator[list[Found]]:
        self.connection.rollback()
        c = self.tables["runs"].c
        query = select(c.run_uuid).order_by(c.start_time, c.run_uuid)
        if since_ms is not None:
            is_live = c.status.in_(("RUNNING", "SCHEDULED"))
            query = query.where(or_(is_live, c.start_time >= since_ms, c.end_time >= since_ms))
        ids = list(self.connection.execute(query).scalars())
        for start in range(0, len(ids), AT_ONCE):
            yield self._found(ids[start : start + AT_ONCE])

    def _found(self, ids: list[str]) -> list[Found]:
        params, tags = (self._pairs(self.tables[name], ids) for name in ("params", "tags"))
        metrics, runs = self.tables["metrics"], self.tables["runs"]
        here = metrics.c.run_uuid.in_(ids)
        counting = select(metrics.c.run_uuid, func.count().label("n")).where(here).group_by(metrics.c.run_uuid)
        points = {row["run_uuid"]: row["n"] for row in self.rows(counting)}
        rows = {row["run_uuid"]: row for row in self.rows(select(runs).where(runs.c.run_uuid.in_(ids)))}
        inputs = self.ties.inputs(ids)
        read = [self._run(rows[id_], params[id_], tags[id_]) for id_ in ids if id_ in rows]
        whole = [replace(one, inputs=inputs[one.id]) for one in read if one is not None]
        return [replace(one, stamp=stamp_of(one, points.get(one.id, 0))) for one in whole]

    def _pairs(self, of: TableClause, ids: list[str]) -> defaultdict[str, dict[str, str]]:
        found: defaultdict[str, dict[str, str]] = defaultdict(dict)
        query = select(of.c.run_uuid, of.c.key, of.c.value).where(of.c.run_uuid.in_(ids))
        for run, key, value in self.connection.execute(query):
            found[run][key] = "" if value is None else str(value)
        return found

    def _run(self, row: Any, params: dict[str, str], tags: dict[str, str]) -> Found | None:
        id_, status = str(row["run_uuid"]), STATUSES.get(row["status"] or "")
        started, ended = micros(row["start_time"] or 0), micros(row["end_time"])
        if status is None or started is None or row["experiment_id"] is None:
            problem = f"status {row['status']!r}, start {row['start_time']!r}, experiment {row['experiment_id']!r}"
            self.skipped.append(Skipped("run", id_[:200], f"it cannot be read: {problem}"))
            return None
        return Found(
            id=id_,
            experiment=str(row["experiment_id"]),
            name=str(row["name"] or tags.get("mlflow.runName", "")),
            status=status,
            user=str(row["user_id"] or ""),
            started_at=started,
            ended_at=ended,
            is_deleted=row["lifecycle_stage"] == "deleted",
            place=str(row["artifact_uri"] or ""),
            params=params,
            tags=tags,
            stamp="",
        )

    # --- points ---

    def series(self, runs: Sequence[Found]) -> Iterator[tuple[str, list[Series]]]:
        c = self.tables["metrics"].c
        fields = [c.run_uuid, c.key, c.step, c.timestamp, c.value]
        if "is_nan" in c:
            fields.append(c.is_nan)
        query = select(*fields).where(c.run_uuid.in_([run.id for run in runs])).order_by(c.run_uuid)
        run, waiting = "", list[Any]()
        for rows in self._portions(query):
            for id_, part in groupby(rows, itemgetter(0)):
                if id_ != run and waiting:
                    yield run, self._split(run, waiting)
                    waiting = []
                run = id_
                waiting += part
        if waiting:
            yield run, self._split(run, waiting)

    def _portions(self, query: Select[Any]) -> Iterator[Sequence[Any]]:
        """The rows of a query, many at once and never all of them."""
        if self.connection.dialect.name != "sqlite":
            streaming = query.execution_options(stream_results=True, yield_per=ROWS_AT_ONCE)
            yield from self.connection.execute(streaming).partitions()
            return
        # The driver's own rows: wrapping each of them would cost as much as all the rest of reading.
        result = self.connection.execute(query)
        while rows := result.cursor.fetchmany(ROWS_AT_ONCE):
            yield rows
        result.close()

    def _split(self, run: str, rows: list[Any]) -> list[Series]:
        found = split(Columns(*list(zip(*rows, strict=True))[1:]))
        self.skipped += [Skipped("point", run, problem) for problem in found.problems]
        self.infinities += found.infinities
        return found.series

    # --- models ---

    def logged(self) -> list[FoundLogged]:
        """The models that runs made, without those that were deleted."""
        pairs: dict[str, defaultdict[str, dict[str, str]]] = {}
        for name, key in (("logged_model_params", "param"), ("logged_model_tags", "tag")):
            pairs[name] = defaultdict(dict)
            for row in self.all_rows(name):
                pairs[name][row["model_id"]][row[f"{key}_key"]] = row[f"{key}_value"] or ""
        measures, uses = self.ties.measures(), self.ties.uses()
        models = (
            (
                IncomingLogged(
                    id=row["model_id"],
                    experiment=str(row["experiment_id"]),
                    name=row["name"] or "",
                    kind=row["model_type"] or "",
                    run=row["source_run_id"] or "",
                    is_ready=row["status"] == READY,
                    created_at=micros(row["creation_timestamp_ms"]),
                    params=pairs["logged_model_params"][row["model_id"]],
                    tags=pairs["logged_model_tags"][row["model_id"]],
                    measures=measures[row["model_id"]],
                    uses=uses[row["model_id"]],
                ),
                row["artifact_location"] or "",
            )
            for row in self.all_rows("logged_models", "creation_timestamp_ms", "model_id")
            if row["lifecycle_stage"] != "deleted"
        )
        return [FoundLogged(stamped(model), place, model.created_at or 0) for model, place in models]

    # --- traces ---

    def traces(self, since_ms: int | None) -> Iterator[list[FoundTrace]]:
        return self.traced.found(since_ms)

    def spans(self, found: Sequence[FoundTrace]) -> Iterator[tuple[str, list[Span] | None]]:
        return self.traced.spans(found)

    # --- models with names ---

    def models(self) -> list[IncomingModel]:
        self.connection.rollback()
        tags: defaultdict[str, dict[str, str]] = defaultdict(dict)
        aliases: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for row in self.all_rows("registered_model_tags"):
            tags[row["name"]][row["key"]] = row["value"] or ""
        for row in self.all_rows("registered_model_aliases"):
            aliases[row["name"]][row["alias"]] = int(row["version"])
        versions = self._versions()
        return [
            IncomingModel(
                name=row["name"],
                description=row.get("description") or "",
                tags=tags[row["name"]],
                aliases=aliases[row["name"]],
                versions=versions[row["name"]],
            )
            for row in self.all_rows("registered_models", "name")
        ]

    def _versions(self) -> defaultdict[str, list[IncomingVersion]]:
        tags: defaultdict[tuple[str, int], dict[str, str]] = defaultdict(dict)
        for row in self.all_rows("model_version_tags"):
            tags[row["name"], row["version"]][row["key"]] = row["value"] or ""
        found: defaultdict[str, list[IncomingVersion]] = defaultdict(list)
        for row in self.all_rows("model_versions", "name", "version"):
            stage = row["current_stage"] or "None"
            if stage == GONE:
                continue
            version = IncomingVersion(
                version=int(row["version"]),
                created_at=micros(row["creation_time"]) or 0,
                run=row["run_id"] or "",
                source=row["source"] or "",
                stage="" if stage == "None" else stage,
                description=row["description"] or "",
                tags=tags[row["name"], row["version"]],
            )
            found[row["name"]].append(version)
        return found
