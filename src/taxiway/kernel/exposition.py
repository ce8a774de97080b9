"""The text format in which Prometheus reads figures. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

TEXT = b"text/plain; version=0.0.4; charset=utf-8"
LATENCIES_MS = (1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0)

Labels = tuple[tuple[str, str], ...]


class Histogram:
    """How many values lay under each bound, and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Page:
    """The text format, metric by metric."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def metric(self, name: str, kind: str, told: str, values: Iterable[tuple[Labels, float]]) -> None:
        given = list(values)
        if given:
            self.lines += [f"# HELP {name} {told}", f"# TYPE {name} {kind}"]
            self.lines += [f"{name}{labelled(labels)} {number(value)}" for labels, value in given]

    def histogram(self, name: str, told: str, values: Iterable[tuple[Labels, Histogram]], scale: float) -> None:
        given = list(values)
        if not given:
            return
        self.lines += [f"# HELP {name} {told}", f"# TYPE {name} histogram"]
        for labels, each in given:
            below = 0
            for bound, count in zip((*each.bounds, None), each.counts, strict=True):
                below += count
                said = "+Inf" if bound is None else number(bound * scale)
                self.lines.append(f"{name}_bucket{labelled((*labels, ('le', said)))} {below}")
            self.lines.append(f"{name}_sum{labelled(labels)} {number(each.total * scale)}")
            self.lines.append(f"{name}_count{labelled(labels)} {below}")

    def text(self) -> bytes:
        return "".join(f"{line}\n" for line in self.lines).encode()


def labelled(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{escaped(value)}"' for name, value in labels) + "}"


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def number(value: float) -> str:
    """A number as short as it is exact."""
    return str(int(value)) if value == int(value) else repr(float(value))
