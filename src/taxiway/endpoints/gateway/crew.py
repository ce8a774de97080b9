"""The workers of a revision: requests shared out, the dead replaced, all drained before they go."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from taxiway.endpoints.gateway.configuration import ServedRevision
from taxiway.endpoints.gateway.outputs import OutputCheck
from taxiway.endpoints.gateway.status import RevisionStatus, State, cpu_seconds, quantile, rss_bytes
from taxiway.endpoints.refusals import BodyRefused, CallerGone, NothingServed, NoWorker, QueueFull, WorkerLost
from taxiway.endpoints.rollout.guard import Before, Tally
from taxiway.endpoints.worker import wire
from taxiway.endpoints.worker.environments import prepared
from taxiway.endpoints.worker.held import Command, Limits, Worker, worker_command
from taxiway.endpoints.worker.job import Job
from taxiway.endpoints.worker.starting import Warm
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.predicting.signature import InputMismatch, Signature

STEADY_S = 5.0  # a worker that lived this long starts the count of failures anew
LONGEST_PAUSE_S = 30.0
LONGEST_SAID = 500  # of what a worker says of itself, which a model's code might say too
QUIET = 10  # how far the processes of a shadow step back
J = TypeVar("J", bound=Job)
PATIENT_FAILURES = 3  # deaths in a row after which callers are told at once rather than kept waiting


class Crew:
    """All workers of one revision, and the requests that wait for them.

    A request whose worker died is asked once more, alone: one that kills its worker takes no other along.
    """

    def __init__(
        self,
        served: ServedRevision,
        home: Path,
        *,
        limits: Limits = Limits(),  # noqa: B008  a frozen record
        command: Command = worker_command,
        when_ready: Callable[[Crew], None] = lambda _: None,
        is_quiet: bool = False,
    ) -> None:
        """is_quiet: its processes give way to others, since no caller waits for them."""
        self.served, self.home, self.limits = served, home, limits
        self.command, self.when_ready, self.is_quiet = command, when_ready, is_quiet
        self.warm: Warm | None = None  # what its workers are forks of, where they are
        self.waiting: deque[Job] = deque()
        self.workers: list[Worker] = []
        self.streams: set[Job] = set()  # whose callers take pieces, also of what a worker is done with
        self.tasks: set[asyncio.Task[None]] = set()
        self.number = 0
        self.refusal: wire.Refused | None = None
        self.reason = ""
        self.log_tail: list[str] = []
        self.failures = self.restarts = 0
        self.was_ready = self.is_draining = self.is_stopped = False
        self.requests = self.errors = self.refused = self.abandoned = self.rows = 0
        self.spent_cpu_s = 0.0
        self.latencies_ms: deque[float] = deque(maxlen=2048)
        # What its guard looks at: counts by second, and the latency from which on a request is slow.
        self.is_private = False  # whether the log does not keep all inputs
        self.tally = Tally(int(time.monotonic()))
        self.slow_ms = math.inf
        self.compared_with: Before | None = None
        self.judged_at = 0
        self.settled_bytes = 0
        self.began = time.monotonic()
        self.outputs = OutputCheck(())
        self.preparing = asyncio.Lock()
        self.asked_at = self.began
        self.resting = 0  # workers that were let go

    def is_as(self, served: ServedRevision, *, is_quiet: bool) -> bool:
        """Whether this is the crew for that. A quiet one cannot be made loud: its processes gave their rank away."""
        return self.served == served and (is_quiet or not self.is_quiet)

    def jobs(self) -> Iterator[Job]:
        """The requests that wait for an answer here."""
        yield from self.waiting
        for worker in self.workers:
            yield from worker.in_flight.values()

    def pids(self) -> list[int]:
        return [worker.pid for worker in self.workers if worker.pid and not worker.gone.is_set()]

    def last_lines(self) -> list[str]:
        """What its workers printed last, of a worker that died where one did.

        Once callers asked, a model may print what they sent: where not all of that is kept, neither is this.
        """
        if self.is_private and self.was_ready:
            return []
        return (self.log_tail or [line for worker in self.workers for line in worker.log.lines])[-20:]

    def judge(self, latency_ms: float, outputs: Sequence[bytes]) -> None:
        """Counts an answer, and what is wrong with it."""
        now = self.tally.now
        now.requests += 1
        if latency_ms > self.slow_ms:
            now.slow += 1
        wrong = self.outputs.look(outputs)
        if wrong == "missing":
            now.missing += 1
        elif wrong == "schema":
            now.schema += 1

    def hurry(self, within_s: float) -> None:
        """Refuses a revision that has not become ready within that time."""
        is_late = time.monotonic() - self.began > within_s and not self.preparing.locked()
        if self.state == "starting" and is_late:
            said = f"it was not ready within {within_s:g} s" + (f"; {self.reason}" if self.reason else "")
            self.refusal = wire.Refused("NotReady", said)
            self.reason = said
            self.log_tail = self.last_lines()
            for worker in self.workers:
                worker.kill()
            self.give_up()

    def spawn(self, work: asyncio._CoroutineLike[None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def start(self) -> None:
        for _ in range(self.served.workers):
            self.spawn(self.add_worker())

    async def add_worker(self, pause_s: float = 0.0) -> None:
        """Starts one more process, after a pause."""
        await asyncio.sleep(pause_s)
        if self.is_stopped or self.refusal:
            return
        command, warm = self.command, self.warm
        if self.served.setup.environment == "own":
            python = await self.own_python()
            if python is None:
                return
            command, warm = partial(worker_command, python=str(python)), None
        worker = Worker(self)
        self.workers.append(worker)
        try:
            await worker.start(command, self.served, self.home, warm)
        except OSError as e:
            self.workers.remove(worker)
            self.failures += 1
            self.reason = f"no process can be started ({e})"
            self.spawn(self.add_worker(pause(self.failures)))
            return
        if self.is_quiet:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # it may be gone, or another user's by now
                os.setpriority(os.PRIO_PROCESS, worker.pid, QUIET)
        if self.state == "stopped":
            await worker.stop()

    async def own_python(self) -> Path | None:
        """The interpreter with the packages that the bundle locks; None where it is refused, or wanted no more."""
        served, loop = self.served, asyncio.get_running_loop()

        def tell(what: str) -> None:
            self.reason = f"its environment is being made: {what}"

        try:
            place = self.home / served.bundle
            async with self.preparing:
                found = await loop.run_in_executor(None, prepared, self.home, place, served.bundle_digest, tell)
        except TaxiwayError as refusal:
            self.refusal, self.reason = wire.Refused(type(refusal).__name__, str(refusal)), str(refusal)
            self.give_up()
            return None
        if not self.was_ready:
            self.began = time.monotonic()  # what it took is not the model's doing
        return None if self.state == "stopped" else found

    @property
    def in_flight(self) -> int:
        return sum(len(w.in_flight) for w in self.workers)

    @property
    def signature(self) -> Signature | None:
        """What the model takes and gives, as a worker found it in the verified bundle."""
        return next((w.ready.signature for w in self.workers if w.ready), None)

    @property
    def flavour(self) -> str:
        return next((w.ready.flavour for w in self.workers if w.ready), "")

    @property
    def state(self) -> State:
        if self.is_stopped:
            return "stopped"
        if self.is_draining:
            return "draining"
        if self.is_asleep or any(w.ready and not w.gone.is_set() for w in self.workers):
            return "ready"
        if self.refusal:
            return "refused"
        if self.failures > PATIENT_FAILURES:
            return "failing"
        return "restarting" if self.was_ready or self.failures else "starting"

    def submit(self, rows: Sequence[bytes]) -> asyncio.Future[Sequence[bytes]]:
        """The answers to come, a JSON object per row, or an error. Raises NoWorker, QueueFull."""
        return self.enter(Job(rows, asyncio.get_running_loop().create_future())).future

    def enter(self, job: J) -> J:
        """Has a request wait for a worker, or begin. Raises NoWorker, QueueFull."""
        if self.state not in ("ready", "draining") and not (self.state == "restarting" and self.was_ready):
            raise self.no_worker()
        if len(self.waiting) + self.in_flight >= self.limits.queue:
            raise QueueFull(endpoint=self.served.endpoint, limit=self.limits.queue)
        self.asked_at = time.monotonic()
        if self.resting:
            self.wake()
        self.waiting.append(job)
        self.pump()
        return job

    def rest(self) -> None:
        """Lets workers go that nobody needed for as long as the revision says."""
        setup = self.served.setup
        if setup.idle_after_s is None or self.resting or self.is_draining or self.waiting or self.in_flight:
            return
        is_whole = len(self.workers) == self.served.workers and all(w.ready for w in self.workers)
        if is_whole and time.monotonic() - self.asked_at > setup.idle_after_s:
            for worker in self.workers[setup.min_workers :]:
                worker.is_dismissed = True
                self.resting += 1
                self.spawn(worker.stop())

    @property
    def is_asleep(self) -> bool:
        """Whether there is no worker, and the next request brings one."""
        return self.resting >= self.served.workers

    def wake(self) -> None:
        """Starts the workers that were let go; who asks waits for them."""
        missing, self.resting = self.resting, 0
        for _ in range(missing):
            self.spawn(self.add_worker())

    def pump(self) -> None:
        """Gives waiting requests to the workers with the least to do."""
        while self.waiting:
            worker = max((w for w in self.workers if not w.is_dismissed), key=lambda w: w.room, default=None)
            if worker is None or worker.room <= 0:
                return
            job = self.waiting.popleft()
            if not job.future.done():  # its caller gave up
                self.number += 1
                worker.give(self.number, job)

    def on_ready(self) -> None:
        if not self.was_ready:
            self.was_ready = True
            self.settled_bytes = sum(map(rss_bytes, self.pids()))
            self.outputs = OutputCheck(self.signature.outputs if self.signature is not None else ())
        self.reason = ""
        if self.warm is not None:
            self.warm.learn([name for w in self.workers if w.ready for name in w.ready.loaded])
        self.when_ready(self)

    def on_answer(self) -> None:
        self.pump()

    def on_death(self, worker: Worker, cpu_s: float) -> None:
        """Takes the dead worker's requests back and sees to a successor."""
        self.spent_cpu_s += cpu_s
        self.workers.remove(worker)
        suspects = worker.suspects()
        for job in suspects:
            job.deaths += 2 if job.has_begun else 1  # nobody can take back what was given of a stream
            job.is_alone = True
            if job.deaths > 1 and not job.future.done():
                job.future.set_exception(WorkerLost(endpoint=self.served.endpoint))
        self.waiting.extendleft(reversed([j for j in worker.in_flight.values() if not j.future.done()]))
        if self.is_stopped or worker.is_dismissed:
            self.pump()
            return
        self.log_tail = list(worker.log.lines)
        if worker.refused is not None:
            self.refusal, self.reason = worker.refused, worker.refused.reason
        elif self.refusal is None:
            self.failures = 1 if time.monotonic() - worker.started > STEADY_S else self.failures + 1
            self.restarts += 1
            code = worker.code
            ended = f"a worker ended with {'signal ' + str(-code) if code < 0 else 'exit code ' + str(code)}"
            last = f": {self.log_tail[-1]}" if self.log_tail and worker.ready is None else ""
            self.reason = worker.why or f"{ended}{last}"
            self.spawn(self.add_worker(pause(self.failures)))
        if self.state in ("refused", "failing"):
            self.give_up()
        self.pump()

    def give_up(self) -> None:
        """Tells those who wait that nobody will answer."""
        while self.waiting:
            job = self.waiting.popleft()
            if not job.future.done():
                job.future.set_exception(self.no_worker())

    def cut(self, refusal: TaxiwayError) -> None:
        """Refuses everybody who waits here for an answer, also what a worker has in hand: none of it is given."""
        held = [job for worker in self.workers for job in worker.in_flight.values()]
        for job in (*self.waiting, *held, *self.streams):
            job.refuse(refusal)
        self.waiting.clear()

    def no_worker(self) -> TaxiwayError:
        if self.state == "refused":
            return NothingServed(endpoint=self.served.endpoint, reason=self.reason)
        return NoWorker(endpoint=self.served.endpoint, state=self.state, reason=self.reason)

    def kill_stuck(self) -> None:
        """Ends workers that stand still, and those that answered nothing for longer than a request may take.

        What they held is asked again, elsewhere.
        """
        for worker in self.workers:
            if worker.ready is None or worker.is_killed or worker.is_held_up:
                continue
            late = worker.in_flight and time.monotonic() - worker.progressed > self.limits.deadline_s + 1
            worker.why = "a worker answered nothing within the deadline" if late else worker.stands_still()
            if worker.why:
                worker.kill()

    async def retire(self) -> None:
        """Answers what was accepted, then ends the workers."""
        self.is_draining = True
        is_streaming = any(job.is_stream for job in self.jobs())
        last = time.monotonic() + (self.served.setup.max_stream_s if is_streaming else self.limits.deadline_s)
        while any(not job.future.done() for job in self.jobs()) and time.monotonic() < last:  # noqa: ASYNC110  it ends in time too
            await asyncio.sleep(0.02)
        await self.stop()

    async def stop(self) -> None:
        """Ends the workers now."""
        self.is_stopped = True
        self.give_up()
        await asyncio.gather(*(w.stop() for w in list(self.workers)))

    def note_unanswered(self, refusal: TaxiwayError) -> None:
        """Counts a request that got no prediction: as refused where its rows are what the model does not take.

        One whose caller went away is nobody's error.
        """
        if isinstance(refusal, BodyRefused | InputMismatch):
            self.refused += 1
        elif isinstance(refusal, CallerGone):
            self.abandoned += 1
        else:
            self.errors += 1

    def status(self, *, is_live: bool) -> RevisionStatus:
        """How the revision is."""
        pids = self.pids()
        ordered = sorted(self.latencies_ms)
        return RevisionStatus(
            self.served.endpoint,
            self.served.number,
            self.served.model,
            self.served.version,
            self.served.bundle_digest,
            state=self.state,
            is_live=is_live,
            reason=self.reason,
            pids=pids,
            restarts=self.restarts,
            is_batching=any(w.ready and w.ready.is_batching for w in self.workers),
            requests=self.requests,
            errors=self.errors,
            rows=self.rows,
            in_flight=len(self.waiting) + self.in_flight,
            waiting=len(self.waiting),
            cpu_seconds=round(self.spent_cpu_s + sum(map(cpu_seconds, pids)), 3),
            rss_bytes=sum(map(rss_bytes, pids)),
            p50_ms=quantile(ordered, 0.50),
            p99_ms=quantile(ordered, 0.99),
            log_tail=self.last_lines(),
            confinement=next((w.confinement for w in self.workers if w.ready), None),
            runs=next((w.ready.runs for w in self.workers if w.ready), "")[:LONGEST_SAID],
            streams=any(w.ready and w.ready.streams for w in self.workers),
            refused=self.refused,
            abandoned=self.abandoned,
        )


def pause(failures: int) -> float:
    """Seconds before the next start: none after the first death, then doubling, with an upper bound."""
    return 0.0 if failures <= 1 else min(0.1 * 2.0 ** min(failures - 2, 20), LONGEST_PAUSE_S)
