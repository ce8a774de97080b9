"""What gates show where runs or versions stand side by side: their pinned predictions, measured and held together."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from msgspec import Struct

from taxiway.gates.laws.estimates import Estimate
from taxiway.gates.laws.predictions import Predictions
from taxiway.gates.showing.comparison import Measured, difference, gain, is_certain, measure, names_of, price
from taxiway.gates.showing.figures import draw_rates
from taxiway.kernel.canonical import canonical_json
from taxiway.kernel.errors import NotFound
from taxiway.kernel.thing import parse
from taxiway.models.bundles.bundle import digest_of
from taxiway.models.contract import Evaluation
from taxiway.models.service import Models
from taxiway.runs.service import Runs
from taxiway.storage.blobs import DigestMismatch, read_blob
from taxiway.web.figures.bars import GroupedBars
from taxiway.web.figures.roc import Roc, RocCurves
from taxiway.web.numbers import fixed, interval, signed
from taxiway.web.sides import Cell, Change, Line, best_of, kind_of
from taxiway.web.site import Site, View

MOST_KEPT = 64
MOST_COMPARED = 6
PAIR = 2
LEAST_SHOWN = 5e-4  # a smaller difference is written as none


class Side(Struct, frozen=True):
    """One of the things that are compared, by the name it has on the page."""

    name: str
    evaluation: Evaluation


class ComparedPanels:
    """Measuring takes a moment and pinned predictions never change, so what was measured is kept for a while."""

    def __init__(self, site: Site, models: Models, runs: Runs) -> None:
        self.site = site
        self.models = models
        self.runs = runs
        self.kept: dict[str, Measured] = {}
        self.lock = Lock()

    def versions(self, view: View, thing: str) -> str | None:
        """thing: references of versions with blanks between; the first is what the others are held against."""
        found = [self.models.find(ref.name, ref.version or 0) for ref in map(parse, thing.split())]
        sides = [Side(f"version {each.version}", each.evaluation) for each in found if each.evaluation]
        return self._panel(view, sides, asked=len(found))

    def compared_runs(self, view: View, thing: str) -> str | None:
        """thing: references of runs with blanks between."""
        found = [self.runs.find(ref.name) for ref in map(parse, thing.split())]
        names = [run.name for run in found]
        sides = []
        for number, run in enumerate(found, start=1):
            name = run.name if names.count(run.name) == 1 else f"{run.name} ({number})"
            if evaluation := self._pinned(run.id):
                sides.append(Side(name, evaluation))
        return self._panel(view, sides, asked=len(found))

    def _pinned(self, run: str) -> Evaluation | None:
        """The predictions that a run pinned, the first by path."""
        return next((each.predictions for each in self.runs.artifacts(run) if each.predictions), None)

    def _panel(self, view: View, sides: Sequence[Side], *, asked: int) -> str | None:
        if len(sides) < 2:
            return None
        sides = sides[:MOST_COMPARED]
        try:
            measured = [self._measured(side.evaluation) for side in sides]
        except (DigestMismatch, OSError, NotFound, ValueError):  # a column or file that is gone, or was changed
            return None
        names = [side.name for side in sides]
        return self.site.fragment(
            "gates/compared.html",
            names=names,
            rows=lines(measured),
            roc=draw_roc(names, measured),
            rates=draw_groups(names, measured),
            price=price(measured[0], measured[1], names=(names[0], names[1])) if len(sides) == 2 else "",
            left_out=asked - len(sides),
        )

    def _measured(self, evaluation: Evaluation) -> Measured:
        key = digest_of(canonical_json(evaluation))
        with self.lock:
            found = self.kept.get(key)
        if found is None:
            data = read_blob(self.models.blobs, evaluation.digest, "the pinned predictions")
            found = measure(evaluation, Predictions(data))
            with self.lock:
                while len(self.kept) >= MOST_KEPT:
                    self.kept.pop(next(iter(self.kept)))
                self.kept[key] = found
        return found


def lines(sides: Sequence[Measured]) -> list[Line]:
    """A line for each metric: every side with its interval; of two sides what is different, and whether by chance."""
    found = []
    for name in names_of(sides):
        estimates = [side.metrics.get(name) for side in sides]
        change = difference(name, sides[0], sides[1]) if len(sides) == 2 else None
        found.append(line(name, estimates, change))
    columns = dict.fromkeys(column for side in sides for column in side.ratios)
    return found + [
        line(f"selection-rate ratio by {name}", [s.ratios.get(name) for s in sides], None) for name in columns
    ]


def line(name: str, estimates: Sequence[Estimate | None], change: Estimate | None) -> Line:
    known = [each for each in estimates if each is not None and each.value is not None]
    is_different = len(known) < len(estimates) or any(abs(gain(known[0], each)) >= LEAST_SHOWN for each in known)
    best = best_of(name, [each.value for each in known]) if is_different else None
    is_pair = len(estimates) == len(known) == PAIR
    return Line(
        name,
        [written(each, best) for each in estimates],
        is_different,
        told(name, known, change) if is_pair and is_different else None,
    )


def written(estimate: Estimate | None, best: float | None) -> Cell:
    if estimate is None or estimate.value is None:
        return Cell("undefined")
    bounds = interval(estimate.low, estimate.high, 3)
    return Cell(fixed(estimate.value), full=repr(estimate.value), bounds=bounds, is_best=estimate.value == best)


def told(name: str, known: Sequence[Estimate], change: Estimate | None) -> Change:
    """The change from the first side to the second: with its interval where both judged the same rows; where they did
    not, it is better or worse only if the intervals of both lie apart."""
    before, after = known
    moved = gain(before, after)
    kind = kind_of(name, moved)
    if change is None or change.value is None or change.low is None or change.high is None:
        if do_overlap(before, after):
            return Change("chance", signed(moved), word="intervals overlap")
        return Change(kind, signed(moved))
    bounds = f"[{signed(change.low)}, {signed(change.high)}]"
    return Change(kind if is_certain(change) else "chance", signed(change.value), bounds)


def do_overlap(one: Estimate, other: Estimate) -> bool:
    """Whether the intervals of two estimates share a value; they do where one is not known."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return True
    return one.low <= other.high and other.low <= one.high


def draw_roc(names: Sequence[str], sides: Sequence[Measured]) -> RocCurves | None:
    curves = []
    for name, side in zip(names, sides, strict=True):
        area = side.metrics.get("area under the ROC curve")
        if side.curve and area is not None and area.value is not None:
            curves.append(Roc(name=name, points=tuple(side.curve), area=area.value, decides_at=side.decides_at))
    return RocCurves(title="ROC", curves=tuple(curves)) if curves else None


def draw_groups(names: Sequence[str], sides: Sequence[Measured]) -> list[tuple[str, GroupedBars]]:
    """For each group column that all sides have, their rates."""
    shared = [name for name in sides[0].rates if all(name in side.rates for side in sides)]
    return [
        (name, draw_rates([(n, side.rates[name]) for n, side in zip(names, sides, strict=True)])) for name in shared
    ]
