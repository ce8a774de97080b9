"""An endpoint in the gateway: the crews of its revisions, and which of them a request goes to."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from taxiway.endpoints.gateway.configuration import ServedEndpoint
from taxiway.endpoints.gateway.crew import Crew
from taxiway.endpoints.gateway.dialects import Call
from taxiway.endpoints.gateway.routing import ASKED_FOR, Route
from taxiway.endpoints.refusals import EndpointStopped, NoWorker, RevisionElsewhere
from taxiway.endpoints.rollout.declared import Rollout
from taxiway.endpoints.rollout.falls import Fall
from taxiway.endpoints.rollout.guard import Before, seen_of
from taxiway.endpoints.rollout.split import Split, whole, without
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.predicting.signature import Signature


def tokens_of(endpoint: ServedEndpoint) -> dict[str, str]:
    """The hash of each token that may call, with its account."""
    names = endpoint.callers or ("",) * len(endpoint.token_hashes)
    return dict(zip(endpoint.token_hashes, names, strict=True))


def ends_of(endpoint: ServedEndpoint) -> list[tuple[datetime, str]]:
    """When tokens run out, with the hash of each, the next one first."""
    return sorted((at, each) for at, each in zip(endpoint.expire_at, endpoint.token_hashes, strict=False) if at)


class Place:
    """An endpoint here.

    crews: those that became ready, by revision; coming: those that start. split: what divides requests now, which is
    what is declared once everybody is ready, less those that fell.
    """

    def __init__(self, endpoint: ServedEndpoint) -> None:
        self.crews: dict[int, Crew] = {}
        self.coming: dict[int, Crew] = {}
        self.fallen: dict[int, Fall] = {}
        self.split: Split | None = None
        self.route: Route | None = None
        self.before: Before | None = None
        self.signature: Signature | None = None  # of what answered last
        self.take(endpoint)

    def take(self, endpoint: ServedEndpoint) -> None:
        """What is declared from now on. Falls hold for the split that they happened in."""
        self.endpoint = endpoint
        self.tokens, self.ends = tokens_of(endpoint), ends_of(endpoint)
        self.rollout = endpoint.rollout or Rollout(0, whole(endpoint.active or 0), datetime.min.replace(tzinfo=UTC))
        self.fallen = {n: fall for n, fall in self.fallen.items() if fall.number == self.rollout.number}

    def expire(self, at: datetime) -> None:
        """Forgets the tokens that have run out, whether or not a server is there to say so."""
        while self.ends and self.ends[0][0] <= at:
            self.tokens.pop(self.ends.pop(0)[1], None)

    def wanted(self, at: datetime) -> set[int]:
        """The revisions that should run here."""
        if self.endpoint.active is None or self.endpoint.is_stopped:
            return set()
        return set(self.rollout.revisions(at)) - set(self.fallen)

    def shadows(self) -> dict[int, float]:
        """The revisions that get copies, and of what share of the requests."""
        return {each.revision: each.share for each in self.rollout.shadows if each.revision not in self.fallen}

    def is_quiet(self, number: int) -> bool:
        """Whether a revision gets copies and nothing else, so that it must keep out of the others' way."""
        return number in self.shadows() and number not in self.rollout.split.revisions

    # --- which split is in force ---

    def after(self, fallen: Collection[int], at: datetime) -> Split | None:
        """What should be in force once these have fallen; None where nobody would be left."""
        left = without(self.rollout.split, fallen)
        if left is None and self.rollout.before is not None and self.rollout.is_warm(at):
            left = without(self.rollout.before, fallen)
        return left

    def balance(self, at: datetime) -> None:
        """Puts the declared split in force as far as its revisions are ready; until then what was goes on."""
        there = set(self.crews)
        target = self.after(self.fallen, at)
        if target is not None and there.issuperset(target.answering):
            found = without(target, set(target.revisions) - there)
        elif self.split is not None and there.issuperset(self.split.answering) and not self.has_fallen(self.split):
            found = self.split
        else:  # such as after a restart: better the others than nobody
            absent = {n for each in (target, self.rollout.before) if each for n in each.revisions} - there
            found = self.after({*self.fallen, *absent}, at)
        if found != self.split:
            self.remember(found)
            self.split = found
            self.route = Route(found, self.endpoint.name) if found is not None else None

    def has_fallen(self, split: Split) -> bool:
        return not self.fallen.keys().isdisjoint(split.revisions)

    def remember(self, following: Split | None) -> None:
        """What the revision that answered most did, before another answers more."""
        if self.split is None or following is None or following.main == self.split.main:
            return
        crew = self.crews.get(self.split.main)
        if crew is not None and self.split.main not in self.fallen:
            self.before = seen_of(self.split.main, crew.tally, crew.latencies_ms)

    def clear(self) -> list[Crew]:
        """Nobody answers here any more: the crews to send home."""
        sent = list(self.everybody())
        self.crews, self.coming = {}, {}
        self.split = self.route = None
        return sent

    def everybody(self) -> Iterator[Crew]:
        yield from self.crews.values()
        yield from self.coming.values()

    # --- request by request ---

    def pick(self, call: Call, row: bytes) -> Crew:
        """The crew to ask. Raises EndpointStopped, NoWorker, NothingServed, RevisionElsewhere."""
        route = self.route
        if route is None:
            raise self.nobody()
        if call.version or ASKED_FOR in call.headers:
            return self.asked_for(call.version or call.headers[ASKED_FOR].decode("latin-1"), route)
        return self.crews[route.choose(call.headers, row, call.request_id)]

    def asked_for(self, text: str, route: Route) -> Crew:
        """The crew of the revision that the caller names. Raises RevisionElsewhere."""
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        if number in route.revisions:
            return self.crews[number]
        raise RevisionElsewhere(endpoint=self.endpoint.name, revision=text[:20], answering=sorted(route.revisions))

    def main(self) -> Crew | None:
        """The crew that answers most."""
        return self.crews.get(self.split.main) if self.split is not None else None

    def is_ready(self) -> bool:
        crew = self.main()
        return crew is not None and crew.state == "ready"

    def known_signature(self) -> Signature | None:
        crew = self.main()
        if crew is not None and crew.signature is not None:
            self.signature = crew.signature
        return self.signature

    def signature_for(self, call: Call) -> Signature | None:
        """What the revision takes that a call insists on; without one, what the main one does."""
        text = call.version or call.headers.get(ASKED_FOR, b"").decode("latin-1")
        crew = next((crew for number, crew in self.crews.items() if str(number) == text), None) if text else None
        found = crew.signature if crew is not None else None
        return found or self.known_signature()

    def nobody(self) -> TaxiwayError:
        """Why nobody answers here."""
        if self.endpoint.is_stopped:
            return stopped(self.endpoint)
        main = self.rollout.split.main
        crew = self.coming.get(main) or next(iter(self.coming.values()), None)
        if crew is not None:
            return crew.no_worker()
        return NoWorker(
            endpoint=self.endpoint.name, state="without a revision", reason="nothing was deployed to it yet"
        )


def stopped(endpoint: ServedEndpoint) -> EndpointStopped:
    """What the callers of a stopped endpoint are told."""
    said = endpoint.stopped
    if said is None:
        return EndpointStopped(endpoint=endpoint.name)
    return EndpointStopped(endpoint=endpoint.name, by=said.by, at=said.at, reason=said.reason)
