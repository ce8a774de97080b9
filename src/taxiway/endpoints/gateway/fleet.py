"""Which revisions answer for which endpoint: the configuration on disk, made true in processes."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from taxiway.endpoints.gateway.configuration import Configuration, ServedRevision
from taxiway.endpoints.gateway.crew import Crew
from taxiway.endpoints.gateway.dialects import Call, Standing
from taxiway.endpoints.gateway.place import Place
from taxiway.endpoints.gateway.requests import Asked
from taxiway.endpoints.gateway.shadowing import Keep, Mirrors
from taxiway.endpoints.gateway.status import GatewayStatus, RevisionStatus
from taxiway.endpoints.gateway.watching import cause_of, send_away, watched, witness
from taxiway.endpoints.refusals import EndpointUnknown, ModelRaised
from taxiway.endpoints.rollout.falls import Fall, keep_falls, read_falls
from taxiway.endpoints.rollout.guard import Cause
from taxiway.endpoints.worker.held import ENVIRONMENT, Command, Limits, worker_command
from taxiway.endpoints.worker.starting import Warm
from taxiway.kernel.clock import Clock, now
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.predicting.signature import Signature

MOST_ASKED_AGAIN = 64  # requests at a time whose error is looked into
ASKED_AGAIN_S = 5.0
log = logging.getLogger("taxiway.gateway")


class Fleet:
    """Every endpoint's crews. A new revision takes over once it is ready; until then the old one answers."""

    def __init__(
        self,
        home: Path,
        *,
        limits: Limits,
        keep: Keep,
        command: Command = worker_command,
        before: GatewayStatus | None = None,
        clock: Clock = now,
    ) -> None:
        self.home, self.limits, self.command, self.clock = home, limits, command, clock
        self.warm = Warm(ENVIRONMENT) if command is worker_command and sys.platform == "linux" else None
        self.places: dict[str, Place] = {}
        self.leaving: set[Crew] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        known = {(r.endpoint, r.number): r.copies for r in (before.revisions if before else []) if r.copies}
        self.mirrors = Mirrors(home, known, keep)
        self.unkept: list[Fall] = []  # falls that are not on the disk yet
        self.second = self.asked_again = 0
        # Of the gateway before us only the counters hold; its processes went with it.
        self.earlier = {
            key(r): msgspec.structs.replace(
                r, state="stopped", is_live=False, pids=[], in_flight=0, rss_bytes=0, percent=0.0, is_warm=False
            )
            for r in (before.revisions if before else [])
        }

    def halt(self, configuration: Configuration) -> None:
        """Has nobody answered any more where an endpoint is stopped, neither those who wait for it already."""
        for endpoint in configuration.endpoints:
            place = self.places.get(endpoint.name)
            if place is None or not endpoint.is_stopped:
                continue
            place.take(endpoint)
            refusal = place.nobody()
            for crew in (*place.everybody(), *(c for c in self.leaving if c.served.endpoint == endpoint.name)):
                crew.cut(refusal)
            self.retire(*place.clear())

    def apply(self, configuration: Configuration) -> None:
        """Starts what is missing and retires what is no longer wanted."""
        wanted = {e.name: e for e in configuration.endpoints}
        known = [*read_falls(self.home), *self.unkept]  # also those of a gateway before us, or beside us
        for name in [n for n in self.places if n not in wanted]:
            self.retire(*self.places.pop(name).clear())
        for name, endpoint in wanted.items():
            place = self.places.get(name)
            if place is None:
                place = self.places[name] = Place(endpoint)
            place.take(endpoint)
            place.expire(self.clock())
            place.fallen |= {
                fall.revision: fall for fall in known if (fall.endpoint, fall.number) == (name, place.rollout.number)
            }
            self.settle(place, {r.number: r for r in configuration.revisions if r.endpoint == name})
        self.mirrors.settle(self.places)

    def settle(self, place: Place, listed: Mapping[int, ServedRevision]) -> None:
        """Brings one endpoint to the revisions that should run for it."""
        wanted = place.wanted(self.clock())
        if not wanted:
            self.retire(*place.clear())
            return
        for number in wanted & listed.keys():
            served, is_quiet = listed[number], place.is_quiet(number)
            crew = place.coming.get(number) or place.crews.get(number)
            if crew is not None and crew.is_as(served, is_quiet=is_quiet) and not crew.refusal:
                continue
            self.retire(place.coming.pop(number, None))
            place.coming[number] = self.crew(served, is_quiet=is_quiet)
            place.coming[number].start()
        for crew in place.everybody():
            crew.is_private = not place.endpoint.log.is_plain
        self.trim(place)

    def trim(self, place: Place) -> None:
        """Divides requests among who is there, and sends home who is needed no more."""
        at = self.clock()
        place.balance(at)
        kept = place.wanted(at) | set(place.split.revisions if place.split else ())
        for some in (place.crews, place.coming):
            for number in some.keys() - kept:
                self.retire(some.pop(number))

    def crew(self, served: ServedRevision, *, is_quiet: bool) -> Crew:
        """A crew whose counters go on where an earlier one of the same revision left them."""
        crew = Crew(
            served,
            self.home,
            limits=self.limits,
            command=self.command,
            when_ready=self.take_over,
            is_quiet=is_quiet,
        )
        crew.warm = self.warm
        known = self.earlier.get((served.endpoint, served.number, served.bundle_digest))
        if known is not None:
            crew.requests, crew.errors, crew.rows = known.requests, known.errors, known.rows
            crew.refused, crew.abandoned = known.refused, known.abandoned
            crew.restarts, crew.spent_cpu_s = known.restarts, known.cpu_seconds
        return crew

    def take_over(self, crew: Crew) -> None:
        """Gives a crew that became ready its part, and lets the one in its place finish."""
        place = self.places.get(crew.served.endpoint)
        number = crew.served.number
        if place is not None and place.coming.get(number) is crew:
            del place.coming[number]
            self.retire(place.crews.get(number))
            place.crews[number] = crew
            self.trim(place)
            self.mirrors.settle(self.places)

    def retire(self, *crews: Crew | None) -> None:
        """Lets crews answer what they accepted and end."""
        for crew in crews:
            if crew is not None:
                self.leaving.add(crew)
                task = asyncio.get_running_loop().create_task(self.see_off(crew))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)

    async def see_off(self, crew: Crew) -> None:
        await crew.retire()
        self.leaving.discard(crew)
        last = crew.status(is_live=False)
        self.earlier[key(last)] = last

    def answering(self, call: Call, asked: Asked) -> Crew:
        """The crew to ask. Raises EndpointUnknown, EndpointStopped, NothingServed, NoWorker, RevisionElsewhere."""
        place = self.places.get(call.name)
        if place is None:
            raise EndpointUnknown(endpoint=call.name)
        return place.pick(call, asked.rows[0])

    def fallback(self, name: str) -> dict[str, Any] | None:
        """What each row is answered with while an endpoint is stopped; None where callers are refused."""
        place = self.places.get(name)
        return place.endpoint.fallback if place is not None and place.endpoint.is_stopped else None

    def signature(self, call: Call) -> Signature | None:
        """What the revision that a call goes to takes and gives; of what answered last, where nothing does now."""
        place = self.places.get(call.name)
        return place.signature_for(call) if place is not None else None

    def standing(self, name: str) -> Standing:
        """How an endpoint is. Raises EndpointUnknown."""
        place = self.places.get(name)
        if place is None:
            raise EndpointUnknown(endpoint=name)
        crew = place.main()
        flavour = crew.flavour if crew is not None else ""
        served = crew.served if crew is not None else None
        answering = sorted(place.route.revisions) if place.route is not None else ()
        return Standing(name, place.is_ready(), served, flavour, place.known_signature(), answering)

    def is_ready(self) -> bool:
        """Whether every endpoint that should answer does."""
        on = [p for p in self.places.values() if p.endpoint.active is not None and not p.endpoint.is_stopped]
        return all(place.is_ready() for place in on)

    # --- looked after ---

    def tick(self) -> None:
        """What must be looked after several times a second. Raises OSError where a fall cannot be kept."""
        second = int(time.monotonic())
        for crew in self.crews():
            crew.kill_stuck()
            send_away(crew)
            crew.rest()
            crew.tally.turn(second)
        self.mirrors.tick()
        at = self.clock()
        for place in list(self.places.values()):
            place.expire(at)
            self.watch(place, second)
        self.second = second
        if self.unkept:  # where the disk is full, the next tick tries again
            keep_falls(self.home, [*read_falls(self.home), *self.unkept])
            self.unkept = []

    def watch(self, place: Place, second: int) -> None:
        """Sends home who starts too long, is warm no more, or breaks a condition."""
        guard = place.rollout.guard
        if place.split is not None:  # where nobody else answers, there is nothing to hurry for
            for crew in place.coming.values():
                crew.hurry(guard.ready_within_s)
        if place.rollout.before is not None and second != self.second:
            self.trim(place)
        for number in watched(place) if guard.is_on else ():
            cause = cause_of(place, place.crews[number], second)
            if cause is not None:
                self.fall(place, number, cause)

    def blame(self, crew: Crew, rows: Sequence[bytes], refusal: TaxiwayError) -> None:
        """Counts a request that a revision could not answer.

        Where its model raised while it is watched, the revision that would take over is asked first: what that one
        cannot answer either is the caller's doing, and no caller shall bring a revision down.
        """
        place = self.places.get(crew.served.endpoint)
        other = witness(place, crew) if place is not None and isinstance(refusal, ModelRaised) else None
        if other is None:
            crew.tally.now.requests += 1
            crew.tally.now.errors += 1
        elif self.asked_again < MOST_ASKED_AGAIN:  # beyond that neither the request nor its error is counted
            self.asked_again += 1
            task = asyncio.get_running_loop().create_task(self.ask_again(crew, other, rows))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def ask_again(self, crew: Crew, other: Crew, rows: Sequence[bytes]) -> None:
        """Counts an error of a crew that another one does not make."""
        try:
            async with asyncio.timeout(ASKED_AGAIN_S):
                await other.submit(rows)
        except ModelRaised:
            return
        except (TaxiwayError, TimeoutError):
            pass  # it says nothing about the rows
        finally:
            self.asked_again -= 1
        crew.tally.now.requests += 1
        crew.tally.now.errors += 1

    def fall(self, place: Place, number: int, cause: Cause) -> None:
        """Takes the traffic from a revision, if there is another one ready to answer in its place."""
        at = self.clock()
        after = place.after({*place.fallen, number}, at)
        if after is None or not set(after.answering) <= place.crews.keys():
            return
        tail = place.crews[number].last_lines()
        fall = Fall(place.endpoint.name, place.rollout.number, number, at, after, cause, tail)
        log.warning("Revision %s of %s gives its traffic back: %s", number, place.endpoint.name, cause)
        place.fallen[number] = fall
        self.trim(place)
        self.mirrors.settle(self.places)
        self.unkept.append(fall)

    def crews(self) -> list[Crew]:
        """Every crew that has, or will have, processes."""
        return [*(crew for place in self.places.values() for crew in place.everybody()), *self.leaving]

    def status(self) -> list[RevisionStatus]:
        """Every revision, those that ended included: their counters are the record of what they cost."""
        found: dict[tuple[str, int, str], RevisionStatus] = {}
        for crew in self.leaving:
            status = crew.status(is_live=False)
            found[key(status)] = status
        for place in self.places.values():
            for crew in place.everybody():
                status = self.told(place, crew)
                found[key(status)] = status
        return [*found.values(), *(s for k, s in self.earlier.items() if k not in found)]

    def told(self, place: Place, crew: Crew) -> RevisionStatus:
        """How a revision that has a part here is."""
        number = crew.served.number
        is_there = place.crews.get(number) is crew
        percent = place.split.percent(number) if place.split is not None and is_there else 0.0
        is_asked = is_there and place.split is not None and number in place.split.revisions
        status = crew.status(is_live=is_asked)
        copies = self.mirrors.copies(place.endpoint.name, number)
        is_warm = is_there and not is_asked and copies is None
        return msgspec.structs.replace(status, percent=percent, is_warm=is_warm, copies=copies)

    async def stop(self) -> None:
        """Ends every process."""
        copies = {key(told): told.copies for told in self.status()}
        self.mirrors.stop()
        if self.warm is not None:
            self.warm.end()
        await asyncio.gather(*(crew.stop() for crew in self.crews()))
        for crew in self.crews():
            last = crew.status(is_live=False)
            last = msgspec.structs.replace(last, copies=copies.get(key(last)))
            self.earlier[key(last)] = last
        self.places.clear()
        self.leaving.clear()


def key(status: RevisionStatus) -> tuple[str, int, str]:
    """What makes a revision the same one after a restart."""
    return (status.endpoint, status.number, status.bundle_digest)
