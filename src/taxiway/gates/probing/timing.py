"""How long a loaded model takes to answer, as a serving worker answers: JSON in, rows checked, predicted, JSON out."""

from __future__ import annotations

import gc
import platform
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from taxiway.gates.showing.drawings import Measure, Spread
from taxiway.gates.working.rows import Rows
from taxiway.models.predicting.predictor import Predictor

WARM_UP = 20
BINS = 40
decode = msgspec.json.Decoder(list[dict[str, Any]]).decode
encode = msgspec.json.Encoder().encode


def requests_of(rows: Rows, *, calls: int, each: int, seed: int) -> list[bytes]:
    """So many requests as they would come: each with this many rows, drawn with replacement."""
    drawn = np.random.default_rng(seed).integers(0, len(rows), (min(calls, 1_000), each))
    columns = rows.inputs()
    names = list(columns)
    made = [encode([{name: columns[name][i] for name in names} for i in indices]) for indices in drawn.tolist()]
    return [made[i % len(made)] for i in range(calls)]


def call(predictor: Predictor, request: bytes) -> list[bytes]:
    """One request's answer."""
    return [encode(answer) for answer in predictor.predict(decode(request))]


def time_calls(predictor: Predictor, requests: list[bytes], *, most_s: float) -> list[float]:
    """The milliseconds of each call after a warm-up; fewer than asked where they take too long together."""
    for request in requests[:WARM_UP]:
        call(predictor, request)
    gc.collect()
    gc.freeze()
    found, until = [], time.perf_counter() + most_s
    for request in requests:
        began = time.perf_counter()
        call(predictor, request)
        ended = time.perf_counter()
        found.append((ended - began) * 1000)
        if ended > until:
            break
    return found


def spread(title: str, values: list[float], marks: list[Measure], limit: float | None) -> Spread:
    """A histogram of times; the slowest half percent fall into the last bin, so that one of them hides nobody."""
    times = np.asarray(values)
    top = max([float(np.quantile(times, 0.995)), *(mark.value for mark in marks)]) * 1.02
    counts, edges = np.histogram(np.minimum(times, top), bins=BINS, range=(float(times.min()), top))
    return Spread(
        title=title,
        edges=[float(edge) for edge in edges],
        counts=[int(count) for count in counts],
        unit="ms",
        marks=marks,
        limit=limit,
    )


def machine() -> str:
    """The processor, in words: times hold for it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.machine()
