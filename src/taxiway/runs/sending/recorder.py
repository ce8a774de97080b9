"""What one process says about one run, on its way to the server by way of the spool."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from taxiway.kernel.errors import ServerAway, TaxiwayError, Unexpected
from taxiway.kernel.ids import new_id
from taxiway.kernel.settings import Settings
from taxiway.kernel.transport import Transport
from taxiway.runs.compare import Scalar
from taxiway.runs.contract import AddArtifact, Artifact, CaptureRun, FinishRun, Run, StartRun
from taxiway.runs.sending.delivery import Delivery
from taxiway.runs.sending.parcel import Parcel
from taxiway.runs.sending.records import Act, Capture, Finish, Open, Pairs, Request, encode
from taxiway.runs.sending.sender import MANY, Outcome, Sender
from taxiway.runs.sending.stream import MOST_COPIED_BYTES, Bytes, Place, Stream, clear
from taxiway.runs.values import run_in_floats

log = logging.getLogger("taxiway")

ANSWER_S = 30.0  # for one answer, before the sender asks again
PATIENCE_S = 0.09  # how long a caller waits for a server that does not answer
DISTANCES = 8  # or so many times as long as it took to connect
AT_WORK_S = 2.0  # for the answer of one that answers, so that its refusal is raised where it belongs
HOME_S = 30.0  # for a home that this process may have to open first
AWAY_S = 3.0  # at the end, for a server that did not answer before


class Recorder:
    """Takes what a run says, at the price of a write, and has it delivered. Raises only what the server refuses
    while somebody waits for the answer."""

    def __init__(self, transport: Transport, settings: Settings, run: str, about: str = "") -> None:
        self.run = run
        self.is_home = settings.url is None
        self.stream = Stream(place_of(settings), run)
        delivery = Delivery(transport.hasty(timeout_s=ANSWER_S), run, self.stream.folder, self.stream.memory.held)
        self.sender = Sender(self.stream, delivery, f"run {about} ({run})" if about else f"run {run}")

    def open(self, body: StartRun) -> Run:
        """The run as the server opened it; where that does not answer soon, as it will be opened later.

        Raises what the server refuses: NotFound, NotAllowed, SignInNeeded, AlreadyExists.
        """
        self.stream.opening = encode(Open(body))
        try:
            answer: Run | None = self.sender.ask(lambda: self.sender.put(self.stream.opening, 0), self._patience)
            if answer is None and (cause := self.sender.cause) is not None and self._is_hopeless(cause):
                raise cause
        except TaxiwayError:
            self.abandon()
            raise
        return answer if answer is not None else run_of(body)

    def _patience(self) -> float:
        """How long to wait for a first answer: hardly, where nobody says anything."""
        sender = self.sender
        if self.is_home:
            return HOME_S
        if not sender.met.wait(PATIENCE_S):
            sender.met.wait(min(sender.delivery.distance_s * DISTANCES, 1.0))
        return AT_WORK_S if sender.met.is_set() else 0.0

    def _is_hopeless(self, cause: TaxiwayError) -> bool:
        """Whether a run should not begin: it is refused, or the home cannot be opened at all."""
        is_passing = cause.retry_after_s is not None or isinstance(cause, ServerAway | Unexpected)
        return cause.status < 500 or cause.status == 501 or (self.is_home and not is_passing)

    # --- saying ---

    def points(self, at: int, rows: list[tuple[str, int, float]]) -> None:
        """at: microseconds since 1970. rows: key, step and value."""
        stream, items = self.stream, len(rows)
        stream.put(encode(("points", at, rows)), items, (at, rows))
        if stream.put_items % MANY < items:
            self.sender.wake.set()

    def pair(self, kind: str, name: str, value: Scalar) -> None:
        """kind: params or tags."""
        given = msgspec.json.encode({name: value})
        self.sender.put(encode(Pairs("params" if kind == "params" else "tags", given)), 1)

    def say(self, act: Act) -> Any:
        """Says something else, and waits a moment for the answer where the server is at work: None is "not yet"."""
        return self._ask(lambda: self.sender.put(encode(act), 0))

    def say_capture(self, body: CaptureRun) -> None:
        self.sender.put(encode(Capture(body)), 0)

    def upload(self, data: bytes) -> str:
        """Keeps bytes under their digest."""
        self.stream.keep_bytes(data)
        return digest_of(data)

    def keep(self, source: bytes | Path, artifact: AddArtifact) -> Artifact:
        """Keeps a file with the run. A large one is not copied, and must stay as it is until it is delivered."""
        if isinstance(source, Path) and source.stat().st_size > MOST_COPIED_BYTES:
            with source.open("rb") as file:
                digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
            size = source.stat().st_size
            artifact = msgspec.structs.replace(artifact, digest=digest)
            answer = self._ask(partial(self.stream.keep_file, source, digest, artifact))
        else:
            data = source if isinstance(source, bytes) else source.read_bytes()
            size = len(data)
            artifact = msgspec.structs.replace(artifact, digest=digest_of(data))
            answer = self._ask(partial(self.stream.keep_bytes, data, artifact))
        if isinstance(answer, Artifact):
            return answer
        return Artifact(
            self.run, artifact.path, artifact.digest, size, artifact.media_type, now_utc(), artifact.predictions
        )

    def send(self, files: Sequence[Bytes], request: Request, wait_s: float) -> Parcel | None:
        """Has files delivered and then a request, and waits for its answer as long as the server is at work.

        The files are taken over. None: they find no room in the spool, and are left as they were.
        wait_s: how long at most. Raises what the server refuses while somebody waits.
        """
        number = self.sender.expect(partial(self.stream.keep_parcel, files, request))
        if not number:
            return None
        parcel = Parcel(self.sender, number)
        is_at_work = self.sender.is_heard and self.sender.cause is None
        parcel.answer(wait_s if is_at_work else min(wait_s, self._patience()))
        return parcel

    def lose(self, what: str) -> None:
        """Counts something that is kept nowhere, and says so."""
        self.stream.dropped += 1
        log.warning("run %s: %s", self.run, what)

    def _ask(self, put: Callable[[], int]) -> Any:
        is_at_work = self.sender.is_heard and self.sender.cause is None
        return self.sender.ask(put, lambda: PATIENCE_S if is_at_work else 0.0)

    # --- the end ---

    def finish(self, run: Run, body: FinishRun | None, wait_s: float) -> tuple[Run, Outcome]:
        """Says that the run ends, if this process is to say that, and waits until all is delivered.

        Gives the run as the server ended it, or as it will be ended.
        """
        ended, number = run, 0
        if body is not None:
            with self.sender.change:
                number = self.sender.put(encode(Finish(body)), 0)
                self.sender.asked.add(number)
            ended = msgspec.structs.replace(run, status=body.status, ended_at=body.ended_at, cpu_s=body.cpu_s)
        outcome = self.sender.stop(min(wait_s, AWAY_S) if self.sender.cause else wait_s)
        answer = self.sender.answers.get(number)
        return (run_in_floats(answer) if isinstance(answer, Run) else ended), outcome

    def abandon(self) -> None:
        """Forgets everything: there will be no such run."""
        self.sender.until = 0.0
        self.sender.stop(0.0)
        for file in self.stream.folder.glob(f"{self.stream.id}.*"):
            file.unlink(missing_ok=True)
        clear(self.stream.folder)


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def now_utc() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


def opening(*, project: str, experiment: str, name: str, tags: dict[str, str]) -> StartRun:
    """A run that begins now, under an id of ours."""
    return StartRun(project, experiment, name, tags, id=new_id(), started_at=now_utc())


def run_of(body: StartRun) -> Run:
    """A run as it is known before the server has opened it."""
    at = body.started_at or now_utc()
    return Run(
        id=body.id or "",
        project=body.project,
        experiment=body.experiment,
        name=body.name,
        status="running",
        created_by="",
        started_at=at,
        heard_at=at,
        tags=body.tags,
    )


def place_of(settings: Settings) -> Place:
    """Where a client's runs wait for their server: in the home, or among the user's state files."""
    limit = int(settings.spool_mb * (1 << 20))
    if settings.url is None:
        return Place(settings.spool or settings.home / "spool", str(settings.home), limit)
    state = os.environ.get("XDG_STATE_HOME")
    folder = (Path(state) if state else Path.home() / ".local" / "state") / "taxiway" / "spool"
    return Place(settings.spool or folder, settings.url, limit)
