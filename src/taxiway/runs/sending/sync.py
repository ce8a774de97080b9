"""Delivering what dead processes left in the spool. A file whose process lives is left to that."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from taxiway.kernel.ids import ID
from taxiway.kernel.transport import Transport
from taxiway.runs.sending.delivery import Delivery, Done, NotNow
from taxiway.runs.sending.records import Finish, Open, decode, items_of
from taxiway.runs.sending.spool import ENDING, SpoolDamaged, SpoolFile
from taxiway.runs.sending.stream import Place, clear

YOUNG_S = 60.0


class Synced(Struct):
    """What processes that are gone left of a run, and what became of it.

    delivered, waiting, refused: points, parameters and tags. files: artifacts that were delivered. is_ended: whether
    its end was among it; a process that was killed said none. problem: why something waits, or what was refused.
    made: what came of requests, such as "a version of the model churn".
    """

    run: str
    server: str
    delivered: int = 0
    files: int = 0
    waiting: int = 0
    refused: int = 0
    is_ended: bool = False
    problem: str = ""
    made: list[str] = []


class Left(Struct):
    """One process's files about one run, in order."""

    files: list[SpoolFile]
    waiting: int
    is_ended: bool


def sync(transport: Transport, place: Place, is_wanted: Callable[[], bool] = lambda: True) -> list[Synced]:
    """Delivers what lies in a spool for this server, run by run; what came of each.

    A run of another server is named and left alone: its token is not ours to send there. is_wanted: asked before each
    piece, so that it can be ended.
    """
    found = []
    for folder in folders_of(place):
        report = Synced(folder.name, place.server)
        left = [one for stream in streams_of(folder) if (one := take(stream, report)) is not None]
        left.sort(key=lambda one: one.is_ended)  # whoever ends the run comes last
        report.waiting = sum(one.waiting for one in left)
        try:
            if any(file.head.server != place.server for one in left for file in one.files):
                report.server = left[0].files[0].head.server
                report.problem = f"it is for {report.server}: set TAXIWAY_URL or TAXIWAY_HOME to that"
            elif left:
                deliver(Delivery(transport, folder.name, folder), left, report, is_wanted)
        finally:
            for file in (file for one in left for file in one.files):
                file.close()
        if left or report.problem:
            found.append(report)
        sweep(folder)
    return found


def folders_of(place: Place) -> list[Path]:
    """The runs that something waits of, oldest first."""
    try:
        return sorted(folder for folder in place.folder.iterdir() if ID.fullmatch(folder.name) and folder.is_dir())
    except OSError:
        return []


def streams_of(folder: Path) -> list[list[Path]]:
    """A run's files by the process that wrote them, oldest first."""
    streams: defaultdict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob(f"*{ENDING}")):
        streams[path.name.partition(".")[0]].append(path)
    return list(streams.values())


def take(paths: list[Path], report: Synced) -> Left | None:
    """A dead process's files, held by us now; None where it lives, or nothing of it can be read."""
    files: list[SpoolFile] = []
    for path in paths:
        try:
            file = SpoolFile.take(path)
        except (SpoolDamaged, OSError) as e:
            report.problem = f"{path.name} cannot be read: {e}"
            continue
        if file is None:
            for held in files:
                held.close()
            return None
        files.append(file)
    left = Left(files, 0, is_ended=False)
    try:
        for record in (decode(frame.payload) for file in files for frame in file.walk()):
            left.waiting += items_of(record)
            left.is_ended = left.is_ended or isinstance(record, Finish)
    except msgspec.MsgspecError as e:
        report.problem = f"another version of Taxiway wrote it, which is to deliver it: {e}"
        for file in files:
            file.close()
        return None
    return left if files else None


def deliver(delivery: Delivery, left: list[Left], report: Synced, is_wanted: Callable[[], bool]) -> None:
    """Delivers a run's files, and says how far that went."""
    oldest = min(left, key=lambda one: one.files[0].head.stream)
    try:
        open_first(delivery, oldest.files[0])
        for one in left:
            for file in one.files:
                for done in pieces(delivery, file, is_wanted):
                    report.waiting -= done.items
                    report.files += done.files
                    report.made += filter(None, [done.made])
                    if done.refusal is None:
                        report.delivered += done.items
                    else:
                        report.refused += done.items
                        report.problem = str(done.refusal)
                if file.is_damaged:
                    report.problem = f"{file.path.name} is damaged; what could be read of it was delivered"
                    file.path.rename(file.path.with_suffix(".damaged"))
                elif file.is_delivered:
                    file.path.unlink(missing_ok=True)
            report.is_ended = report.is_ended or (one.is_ended and all(file.is_delivered for file in one.files))
    except NotNow as e:
        report.problem = str(e.cause)
    except OSError as e:
        report.problem = e.strerror or str(e)


def open_first(delivery: Delivery, file: SpoolFile) -> None:
    """Opens a run as it was opened at first, with its name and tags: whoever came later has none of them."""
    frame = next(file.frames(1), None)
    if frame is not None and isinstance(decode(frame.payload), Open):
        delivery.next(file)


def pieces(delivery: Delivery, file: SpoolFile, is_wanted: Callable[[], bool]) -> Iterator[Done]:
    while is_wanted() and (done := delivery.next(file)) is not None:
        yield done


def sweep(folder: Path) -> None:
    """Takes away a run's folder, and copies of files that nobody speaks of any more, where nothing waits in it."""
    with suppress(OSError):  # somebody else does the same, or begins to write there
        if not any(is_of_somebody(path) for path in folder.iterdir()):
            for path in folder.iterdir():
                path.unlink(missing_ok=True)
            clear(folder)


def is_of_somebody(path: Path) -> bool:
    """Whether a file waits to be delivered, or is just being made; copies of files have no ending."""
    is_being_made = path.suffix == ".new" and time.time() - path.stat().st_mtime < YOUNG_S
    return is_being_made or path.suffix not in ("", ".new")
