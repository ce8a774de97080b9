"""`taxiway import mlflow` and `taxiway export mlflow`."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from taxiway.compat.mlflow.moving.report import Exported, Report, show_export, show_report
from taxiway.kernel.commands import Argument, Command

if TYPE_CHECKING:
    from taxiway.client import Client
    from taxiway.compat.mlflow.moving.importing import Importing, Progress
    from taxiway.compat.mlflow.moving.source import Source
    from taxiway.compat.mlflow.moving.trees import Tree

FOLLOW_EVERY_S = 5.0
WHOLE_EVERY_S = 60.0  # what changed in a run that ended long ago is found by looking at all of them
BAR_EVERY_S = 0.2


def import_(client: Client, given: Namespace) -> Report:
    """Brings everything over, once or until Ctrl-C, and says what is on both sides."""
    from taxiway.compat.mlflow.moving.importing import Importing, source_name
    from taxiway.imports.uploads import Uploads

    source = open_source(given.source)
    try:
        name = source_name(source.origin)
        stores = store_prefixes(client, given.store) if given.in_place else None
        uploads = Uploads(client.transport, stores)
        uploads.imports.open(name, origin=source.origin, project=given.project)
        bar = Bar(is_on=sys.stderr.isatty() and not given.json)
        moving = Importing(source, uploads, name, bar.show, None if given.no_files else trees_of(source, given))
        moving.progress.of_runs = source.count_runs()
        started = time.monotonic()
        moving.pass_over()
        if given.follow:
            follow(moving, every_s=given.every, bar=bar)
        bar.end()
        return report(moving, client, took_s=time.monotonic() - started)
    except KeyboardInterrupt:
        print("taxiway: interrupted; what came over stays, and the same command goes on from there.", file=sys.stderr)
        raise
    finally:
        source.close()


def open_source(text: str) -> Source:
    """The store that a text names. Raises SourceUnusable."""
    from pathlib import Path

    from taxiway.compat.mlflow.moving.source import SourceUnusable

    if text.startswith(("http://", "https://")):
        from taxiway.compat.mlflow.moving.rest import RestSource

        return RestSource(text)
    if text.startswith(("sqlite:", "postgresql:", "postgres:", "postgresql+psycopg:", "postgresql+psycopg2:")):
        from taxiway.compat.mlflow.moving.sql import SqlSource

        return SqlSource(text)
    folder = Path(text.removeprefix("file://"))
    if "://" in text.removeprefix("file://") or not folder.is_dir():
        raise SourceUnusable(source=text, cause="it is no address that is known, and no folder")
    from taxiway.compat.mlflow.moving.files import FileSource

    return FileSource(folder)


def trees_of(source: Source, given: Namespace) -> Any:
    """Finds the files of runs, as the command was told where they are."""
    from taxiway.compat.mlflow.moving.trees import Trees

    remote = getattr(source, "tree", None)
    trees = Trees(given.artifacts, remote)

    def find(place: str) -> Tree:
        return trees.find(place)

    return find


def store_prefixes(client: Client, names: list[str] | None) -> dict[str, str]:
    """The stores that files may stay in, by where they are."""
    wanted = set(names or ())
    return {one.url: one.name for one in client.stores.list() if not wanted or one.name in wanted}


def follow(moving: Importing, *, every_s: float, bar: Bar) -> None:
    """Keeps up with a source that goes on, until Ctrl-C."""
    print("taxiway: following; Ctrl-C ends it and prints the counts.", file=sys.stderr, flush=True)
    whole_at = time.monotonic() + WHOLE_EVERY_S
    since_ms = int(time.time() * 1000)
    try:
        while True:
            time.sleep(every_s)
            is_whole = time.monotonic() >= whole_at
            begun_ms = int(time.time() * 1000)
            moving.pass_over(None if is_whole else since_ms - 60_000)  # clocks differ, and calls take time
            since_ms = begun_ms
            if is_whole:
                whole_at = time.monotonic() + WHOLE_EVERY_S
    except KeyboardInterrupt:
        bar.end()
        moving.pass_over()


def report(moving: Importing, client: Client, *, took_s: float) -> Report:
    totals, source = moving.totals, moving.source
    here = moving.imports.show(moving.name)
    return Report(
        source=moving.name,
        origin=source.origin,
        project=here.project,
        there=source.totals(),
        here=here.here,
        new_runs=totals.runs,
        new_points=totals.points,
        new_files=totals.files,
        copied_bytes=totals.copied_bytes,
        took_s=round(took_s, 3),
        rows_per_s=round(totals.rows / took_s) if took_s else 0,
        infinities=source.infinities,
        skipped=[*source.skipped, *totals.skipped],
        left=sorted(set(totals.left)),
    )


class Bar:
    """One line where errors go that says how far it has come; nothing where nobody looks."""

    def __init__(self, *, is_on: bool) -> None:
        self.is_on = is_on
        self.shown_at = 0.0

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        if not self.is_on or now - self.shown_at < BAR_EVERY_S:
            return
        self.shown_at = now
        share = min(1.0, progress.runs / progress.of_runs) if progress.of_runs else 0.0
        drawn = "█" * int(share * 24) + "░" * (24 - int(share * 24))
        files = f" · {progress.files:,} files, {progress.file_bytes / 1e6:,.1f} MB" if progress.files else ""
        of = f" of {progress.of_runs:,}" if progress.of_runs else ""
        line = f"{drawn} {progress.runs:,}{of} runs · {progress.points:,} points{files}"
        print(f"\r{line[:118]:<118}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self.is_on and self.shown_at:
            print(f"\r{'':<118}\r", end="", file=sys.stderr, flush=True)


def export(client: Client, given: Namespace) -> Exported:
    """Writes an mlruns folder that MLflow's own client opens."""
    from pathlib import Path

    from taxiway.compat.mlflow.moving.exporting import Exporting
    from taxiway.compat.mlflow.moving.rest import RestSource
    from taxiway.kernel.transport import base_path, open_connection

    address = client.transport.find()
    token = client.transport.token
    # We speak MLflow ourselves, so that what is written is what its client would read from us.
    source = RestSource(
        f"http://taxiway{base_path(address)}",
        connect=lambda: open_connection(client.transport.find()),
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )
    bar = Bar(is_on=sys.stderr.isatty() and not given.json)
    try:
        done = Exporting(source, Path(given.folder), tree=source.tree, tell=bar.show).run()
    finally:
        bar.end()
        source.close()
    return done


KIND = Argument("kind", "the other system", choices=("mlflow",))

COMMANDS = {
    "import": Command(
        "import",
        "bring over experiments, runs with their histories, files, models and aliases from an MLflow",
        import_,
        (
            KIND,
            Argument("source", "sqlite:///FILE, postgresql://…, an mlruns folder, or http://HOST:PORT", is_file=True),
            Argument("--project", "the project that takes everything (default: as the names say)", default=""),
            Argument("--artifacts", "the folder or bucket that its server serves as mlflow-artifacts:", default=""),
            Argument("--no-files", "leave the files of runs and models behind", is_flag=True),
            Argument(
                "--in-place", "leave files in the registered stores that they are in; none is copied", is_flag=True
            ),
            Argument("--store", "only these registered stores, with --in-place", is_many=True),
            Argument("--follow", "keep up with it until Ctrl-C", is_flag=True),
            Argument("--every", "how often to look, in seconds, with --follow", float, FOLLOW_EVERY_S),
        ),
        show=show_report,
        exit_code=lambda report: 0 if report.is_whole else 1,
    ),
    "export": Command(
        "export",
        "write experiments, runs, files and models as an mlruns folder that MLflow's client opens",
        export,
        (
            KIND,
            Argument("folder", "the folder to write; it must be empty or absent", is_file=True),
            Argument("--project", "only what belongs to this project", default=""),
        ),
        show=show_export,
    ),
}
