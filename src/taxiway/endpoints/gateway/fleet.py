"""Which revision answers for which endpoint: the configuration on disk, made true in processes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from taxiway.endpoints.gateway.configuration import Configuration, ServedEndpoint, ServedRevision
from taxiway.endpoints.gateway.crew import Crew
from taxiway.endpoints.gateway.dialects import Standing
from taxiway.endpoints.gateway.status import GatewayStatus, RevisionStatus
from taxiway.endpoints.refusals import EndpointStopped, EndpointUnknown, NoWorker, RevisionElsewhere
from taxiway.endpoints.worker.held import Command, Limits, worker_command
from taxiway.models.signature import Signature


class Place:
    """An endpoint here: the crew that answers, and the one that gets ready to follow it."""

    def __init__(self, endpoint: ServedEndpoint) -> None:
        self.endpoint = endpoint
        self.tokens = frozenset(endpoint.token_hashes)
        self.live: Crew | None = None
        self.next: Crew | None = None
        self.signature: Signature | None = None


class Fleet:
    """Every endpoint's crews. A new revision takes over once it is ready; until then the old one answers."""

    def __init__(
        self,
        home: Path,
        *,
        limits: Limits,
        command: Command = worker_command,
        before: GatewayStatus | None = None,
    ) -> None:
        self.home, self.limits, self.command = home, limits, command
        self.places: dict[str, Place] = {}
        self.leaving: set[Crew] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        # Of the gateway before us only the counters hold; its processes went with it.
        self.earlier = {
            key(r): msgspec.structs.replace(r, state="stopped", is_live=False, pids=[], in_flight=0, rss_bytes=0)
            for r in (before.revisions if before else [])
        }

    def apply(self, configuration: Configuration) -> None:
        """Starts what is missing and retires what is no longer wanted."""
        wanted = {e.name: e for e in configuration.endpoints}
        for name in [n for n in self.places if n not in wanted]:
            place = self.places.pop(name)
            self.retire(place.live, place.next)
        for name, endpoint in wanted.items():
            place = self.places.setdefault(name, Place(endpoint))
            place.endpoint, place.tokens = endpoint, frozenset(endpoint.token_hashes)
            is_on = endpoint.active is not None and not endpoint.is_stopped
            self.settle(place, configuration.revision(name, endpoint.active or 0) if is_on else None)

    def settle(self, place: Place, served: ServedRevision | None) -> None:
        """Brings one endpoint to the revision it should serve."""
        if served is None:
            if place.endpoint.is_stopped:  # nobody is answered any more, those who wait for it neither
                for crew in (place.live, place.next):
                    if crew is not None:
                        crew.cut(stopped(place.endpoint))
            self.retire(place.live, place.next)
            place.live = place.next = None
        elif place.live and place.live.served == served and not place.live.refusal:
            self.retire(place.next)
            place.next = None
        elif place.next is None or place.next.served != served or place.next.refusal:
            self.retire(place.next)
            place.next = self.crew(served)
            place.next.start()

    def crew(self, served: ServedRevision) -> Crew:
        """A crew whose counters go on where an earlier one of the same revision left them."""
        crew = Crew(served, self.home, limits=self.limits, command=self.command, when_ready=self.take_over)
        known = self.earlier.get((served.endpoint, served.number, served.bundle_digest))
        if known is not None:
            crew.requests, crew.errors, crew.rows = known.requests, known.errors, known.rows
            crew.restarts, crew.spent_cpu_s = known.restarts, known.cpu_seconds
        return crew

    def take_over(self, crew: Crew) -> None:
        """Sends the endpoint's requests to a crew that became ready, and lets the one before it finish."""
        place = self.places.get(crew.served.endpoint)
        if place is not None and place.next is crew:
            self.retire(place.live)
            place.live, place.next = crew, None

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

    def answering(self, name: str, version: str = "") -> Crew:
        """The crew to ask. version: the number of a revision, where the caller insists on one.

        Raises EndpointUnknown, EndpointStopped, NoWorker, RevisionElsewhere.
        """
        place = self.places.get(name)
        if place is None:
            raise EndpointUnknown(endpoint=name)
        if place.live is not None:
            if version and version != str(place.live.served.number):
                raise RevisionElsewhere(endpoint=name, revision=version, answering=[place.live.served.number])
            return place.live
        if place.next is not None:
            raise place.next.no_worker()
        if place.endpoint.is_stopped:
            raise stopped(place.endpoint)
        raise NoWorker(endpoint=name, state="without a revision", reason="nothing was deployed to it yet")

    def fallback(self, name: str) -> dict[str, Any] | None:
        """What each row is answered with while an endpoint is stopped; None where callers are refused."""
        place = self.places.get(name)
        return place.endpoint.fallback if place is not None and place.endpoint.is_stopped else None

    def signature(self, name: str) -> Signature | None:
        """What the endpoint takes and gives; of what answered last, where nothing does now."""
        place = self.places.get(name)
        if place is None:
            return None
        if place.live is not None and place.live.signature is not None:
            place.signature = place.live.signature
        return place.signature

    def standing(self, name: str) -> Standing:
        """How an endpoint is. Raises EndpointUnknown."""
        place = self.places.get(name)
        if place is None:
            raise EndpointUnknown(endpoint=name)
        crew = place.live
        is_ready = crew is not None and crew.state in ("ready", "draining")
        flavour = crew.flavour if crew is not None else ""
        return Standing(name, is_ready, crew.served if crew is not None else None, flavour, self.signature(name))

    def is_ready(self) -> bool:
        """Whether every endpoint that should answer does."""
        on = [p for p in self.places.values() if p.endpoint.active is not None and not p.endpoint.is_stopped]
        return all(place.live is not None and place.live.state == "ready" for place in on)

    def tick(self) -> None:
        """What must be looked after several times a second."""
        for crew in self.crews():
            crew.kill_stuck()

    def crews(self) -> list[Crew]:
        """Every crew that has, or will have, processes."""
        placed = [c for p in self.places.values() for c in (p.live, p.next) if c is not None]
        return [*placed, *self.leaving]

    def status(self) -> list[RevisionStatus]:
        """Every revision, those that ended included: their counters are the record of what they cost."""
        live = {place.live for place in self.places.values()}
        now = {key(s): s for s in (crew.status(is_live=crew in live) for crew in self.crews())}
        return [*now.values(), *(s for k, s in self.earlier.items() if k not in now)]

    async def stop(self) -> None:
        """Ends every process."""
        await asyncio.gather(*(crew.stop() for crew in self.crews()))
        for crew in self.crews():
            last = crew.status(is_live=False)
            self.earlier[key(last)] = last
        self.places.clear()
        self.leaving.clear()


def stopped(endpoint: ServedEndpoint) -> EndpointStopped:
    """What the callers of a stopped endpoint are told."""
    said = endpoint.stopped
    if said is None:
        return EndpointStopped(endpoint=endpoint.name)
    return EndpointStopped(endpoint=endpoint.name, by=said.by, at=said.at, reason=said.reason)


def key(status: RevisionStatus) -> tuple[str, int, str]:
    """What makes a revision the same one after a restart."""
    return (status.endpoint, status.number, status.bundle_digest)
