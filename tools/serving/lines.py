"""The lines of the table: what each server did, in turns, and the ratio that the line must reach."""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tools.bench.figure import written
from tools.serving.load import Pace, await_answer, paced, requests_per_s
from tools.serving.ours import taxiway
from tools.serving.peers.models import table
from tools.serving.targets import NAMED, Question, Target, binary_question, echo, peer, question
from tools.tracking.rows import verdict

T = TypeVar("T")
Cells = tuple[str, ...]
KINDS = ("logistic", "forest", "histogram", "lightgbm")
PARTS = ("pace", "wide", "cores", "deploy", "memory", "scoring")
SHOWN = {
    "logistic": "logistic regression",
    "forest": "RandomForest(100)",
    "histogram": "HistGradientBoosting",
    "lightgbm": "LightGBM",
}
# How many times as much as a peer ours must do; None: told for comparison, nothing is promised.
MUST: dict[str, dict[str, float | None]] = {
    "logistic": {"MLflow": 12, "LitServe": 4, "FastAPI": 2.5, "bare": 0.5, "BentoML": None, "MLServer": None},
    **{kind: {"FastAPI": 5.0} for kind in KINDS[1:]},
}
CONNECTIONS = {"logistic": (8, 32)}
BODY_BYTES = 1_000_000
BINARY_MUST = 3.0  # times our own JSON


class Asked(NamedTuple):
    """How much is measured."""

    seconds: float
    rounds: int
    models: int
    kinds: list[str]
    parts: list[str]


class Site:
    """The servers of a run, started when a line first needs them."""

    def __init__(self, folder: Path, stack: ExitStack, asked: Asked) -> None:
        self.folder, self.stack, self.asked = folder, stack, asked
        self.reasons: dict[str, str] = {}
        self.peers: dict[tuple[str, str], Target] = {}
        (folder / "ours").mkdir()
        self.ours = stack.enter_context(taxiway(folder / "ours", asked.kinds))

    def peers_of(self, names: list[str], kind: str) -> list[Target]:
        """Those of the named peers that run, at rest. Why one does not is kept for the page."""
        found = []
        for name in names:
            if (name, kind) not in self.peers:
                try:
                    self.peers[name, kind] = self.stack.enter_context(peer(name, kind, self.folder))
                    self.turn(self.peers[name, kind], lambda one: self.await_model(one, kind))
                except (RuntimeError, OSError) as e:
                    self.peers.pop((name, kind), None)
                    self.reasons[name] = " ".join(str(e).split())[-300:]
                    continue
            found.append(self.peers[name, kind])
        return found

    def await_model(self, target: Target, kind: str) -> None:
        asked = question(target.name, table()[0][:1], kind)
        await_answer(target, asked)
        requests_per_s(target, asked, connections=2, seconds=1)

    def turn(self, target: Target, measure: Callable[[Target], T]) -> T:
        """What a server does while all others rest."""
        if target.process is not None:
            target.process.wake()
        try:
            return measure(target)
        finally:
            if target.process is not None:
                target.process.rest()

    def measured(self, kind: str) -> list[Cells]:
        """A kind of model, at each number of connections, and what it takes at half of the capacity."""
        rows = table()[0][:1]
        peers = self.peers_of(list(MUST[kind]), kind)
        found = []
        for connections in CONNECTIONS.get(kind, (8,)):
            rates = self.rates(peers, rows, kind, connections)
            name = f"{SHOWN[kind]}, {connections} connections"
            found += [ratio_line(name, rates, one, "req/s", MUST[kind][one.name]) for one in peers]
        if kind == "logistic" and "pace" in self.asked.parts:
            found += self.pace_lines(kind)
        return found

    def rates(self, peers: list[Target], rows: Any, kind: str, connections: int) -> dict[str, list[float]]:
        """Requests a second of each, round by round."""
        return self.rounds(peers, lambda one: self.rate(one, question(one.name, rows, kind), connections))

    def rate(self, target: Target, asked: Question, connections: int) -> float:
        return requests_per_s(target, asked, connections=connections, seconds=self.asked.seconds)

    def rounds(self, peers: list[Target], measure: Callable[[Target], T]) -> dict[str, list[T]]:
        """What each measured, round by round. A peer that fails is told as not run, and leaves the list of them."""
        found: dict[str, list[T]] = {target.name: [] for target in (*peers, self.ours)}
        for _ in range(self.asked.rounds):
            for target in (*list(peers), self.ours):
                try:
                    found[target.name].append(self.turn(target, measure))
                except (RuntimeError, subprocess.CalledProcessError) as e:
                    if target is self.ours:
                        raise
                    self.reasons[target.name] = " ".join(str(e).split())[-300:]
                    peers.remove(target)
        return found

    def pace_lines(self, kind: str) -> list[Cells]:
        """The slowest percent at half of what each can answer, and what of it is the client's own."""
        peers = self.peers_of(["MLflow"], kind)
        rows = table()[0][:1]

        def at_half(target: Target) -> Pace:
            asked = question(target.name, rows, kind)
            capacity = self.rate(target, asked, 8)
            return paced(target, asked, rate=capacity / 2, connections=8, seconds=self.asked.seconds)

        paces = self.rounds(peers, at_half)
        ours = paces["Taxiway"]
        p99, p50, rate = (middle(ours, name) for name in ("p99_ms", "p50_ms", "rate"))
        with echo(self.folder) as target:
            asked = question("Taxiway", rows, kind)
            own = [paced(target, asked, rate=rate, connections=8, seconds=self.asked.seconds / 2) for _ in range(3)]
        ratio = statistics.median(each.p99_ms / each.p50_ms for each in ours)
        must = verdict("≤ 3×", is_kept=ratio <= 3)
        what = f"p99 at half of own capacity, {written(rate)} req/s, 8 connections"
        found: list[Cells] = [
            (f"{what}, against own median", f"{written(p50)} ms", f"{written(p99)} ms", times(ratio), must)
        ]
        for target in peers:
            theirs = paces[target.name]
            share = statistics.median(a.p99_ms / b.p99_ms for a, b in zip(ours, theirs, strict=True))
            slow = middle(theirs, "p99_ms")
            must = verdict("≤ 1/3", is_kept=share <= 1 / 3)
            found.append((what, f"{target.name}: {written(slow)} ms", f"{written(p99)} ms", times(share), must))
        floor = f"median {written(middle(own, 'p50_ms'))} ms, p99 {written(middle(own, 'p99_ms'))} ms"
        taken = f"the client takes {middle(ours, 'client_share'):.0%} of a core"
        return [*found, ("the same asked of a server that only echoes: the client's own", floor, taken, "", "")]

    def wide_lines(self) -> list[Cells]:
        """Many rows at once: 64, and a body of a megabyte, against MLflow; and binary tensors against our JSON."""
        peers = self.peers_of(["MLflow"], "logistic")
        found = []
        all_rows = table()[0]
        per_row = len(question("MLflow", all_rows, "logistic").body) / len(all_rows)
        for name, height in (("64 rows", 64), ("1 MB of JSON", int(BODY_BYTES / per_row))):
            rows = np.resize(all_rows, (height, all_rows.shape[1]))
            rates = self.rates(peers, rows, "logistic", 8)
            found += [ratio_line(f"{name}, 8 connections", rates, one, "req/s", 5) for one in peers]
            found.append(self.binary_line(f"the same {height:,} rows as a binary tensor, 8 connections", rows))
        return found

    def binary_line(self, name: str, rows: Any) -> Cells:
        """A tensor of bytes against our own JSON, in turns. Both are answers of the same server."""
        asked = (question("Taxiway", rows, "logistic"), binary_question(rows, "logistic"))
        pairs = [[self.rate(self.ours, each, 8) for each in asked] for _ in range(self.asked.rounds)]
        theirs, ours = ([pair[number] for pair in pairs] for number in (0, 1))
        rates = {"own JSON": theirs, "Taxiway": ours}
        return ratio_line(name, rates, self.ours._replace(name="own JSON"), "req/s", BINARY_MUST)


def middle(paces: list[Pace], name: str) -> float:
    return float(statistics.median(getattr(each, name) for each in paces))


def ratio_line(name: str, rates: dict[str, list[float]], target: Target, unit: str, must: float | None) -> Cells:
    """Ours against one peer, round by round."""
    theirs, ours = [max(each, 0.01) for each in rates[target.name]], rates["Taxiway"]
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    shown = NAMED.get(target.name, target.name)
    words = "" if must is None else verdict(f"≥ {must:g}×", is_kept=ratio >= must)
    medians = [f"{written(statistics.median(each))} {unit}" for each in (theirs, ours)]
    return (name, f"{shown}: {medians[0]}", medians[1], times(ratio), words)


def times(ratio: float) -> str:
    return f"**{written(ratio)}×**"
