"""Measures how often the intervals of gates hold the truth, and writes the table of docs/statistics.md.

python -m tools.coverage            # 1,000 data sets for each row; minutes
python -m tools.coverage --sets 50  # a look
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from taxiway.gates.laws import fairness, intervals, statistics
from taxiway.gates.laws.estimates import Estimate
from taxiway.gates.measuring import scikit
from taxiway.gates.measuring.calibration import calibrate
from taxiway.gates.measuring.engine import Ways
from taxiway.gates.measuring.metrics import Metric

DOCS = Path(__file__).parent.parent / "docs" / "statistics.md"
BEGIN, END = "<!-- coverage: written by tools.coverage -->", "<!-- coverage ends -->"
SETS, ROWS, SEED = 1_000, 500, 20261123
LOW, HIGH = 0.93, 0.97
Draw = Callable[[np.random.Generator], Estimate]


class Row(Struct, frozen=True):
    """What is simulated: data sets drawn from a truth that is known, and the estimate made of each."""

    method: str
    data: str
    truth: float
    draw: Draw


def groups(random: np.random.Generator, first: int, rates: tuple[float, float]) -> tuple[int, int]:
    return int(random.binomial(first, rates[0])), int(random.binomial(ROWS - first, rates[1]))


def scores(random: np.random.Generator, shift: float = 1.3, n: int = ROWS) -> tuple[Any, Any]:
    """Labels, a third of them 1, and normal scores that lie `shift` apart."""
    labels = (random.random(n) < 1 / 3).astype(float)
    return labels, random.normal(size=n) + shift * labels


def logistic(random: np.random.Generator, slope: float = 1.0, intercept: float = 0.0) -> tuple[Any, Any]:
    x = random.normal(-0.3, 1.3, ROWS)
    said, true = 1 / (1 + np.exp(-x)), 1 / (1 + np.exp(-(intercept + slope * x)))
    return (random.random(ROWS) < true).astype(float), said


def table(random: np.random.Generator) -> tuple[Any, Any]:
    """Labels, three in ten of them 1; predicted 1 in 0.7 of these and 0.15 of the others."""
    labels = (random.random(ROWS) < 0.3).astype(float)
    return labels, (random.random(ROWS) < np.where(labels == 1, 0.7, 0.15)).astype(float)


def clustered(random: np.random.Generator, clusters: int) -> tuple[Any, Any, Any]:
    """Labels and predictions with errors that half of the variance of is shared within a cluster."""
    of = np.repeat(np.arange(clusters), ROWS // clusters)
    error = random.normal(size=clusters)[of] + random.normal(size=of.size)
    labels = random.normal(10, 3, of.size)
    return labels, labels + error, of


def clustered_scores(random: np.random.Generator, clusters: int) -> tuple[Any, Any, Any]:
    of = np.repeat(np.arange(clusters), ROWS // clusters)
    labels = (random.random(of.size) < 1 / 3).astype(float)
    return labels, 1.3 * labels + 0.6 * random.normal(size=clusters)[of] + 0.8 * random.normal(size=of.size), of


def ratio(random: np.random.Generator, first: int, rates: tuple[float, float]) -> Estimate:
    one, other = groups(random, first, rates)
    said = np.repeat([1.0, 0.0, 1.0, 0.0], [one, first - one, other, ROWS - first - other])
    names = np.repeat(["a", "b"], [first, ROWS - first])
    return fairness.selection_rate_ratio(said, names, resamples=2_000, seed=int(random.integers(1 << 30)))


def paired(random: np.random.Generator, name: str) -> Estimate:
    labels = (random.random(ROWS) < 1 / 3).astype(float)
    shared = random.normal(size=ROWS)
    one, other = (1.3 * labels + 0.8 * shared + 0.6 * random.normal(size=ROWS) for _ in range(2))
    column = (one, other) if Metric(name).takes == "score" else (one > 0.8, other > 0.8)
    first, second = (np.asarray(each, dtype=float) for each in column)
    return Metric(name).compare(labels, first, second, ways(random))


def ways(random: np.random.Generator, **given: Any) -> Ways:
    return Ways(seed=int(random.integers(1 << 30)), **given)


def shares() -> Iterator[Row]:
    for rate in (0.5, 0.1, 0.02):

        def share(r: np.random.Generator, p: float = rate) -> Estimate:
            return intervals.wilson(int(r.binomial(ROWS, p)), ROWS)

        yield Row("Wilson", f"a share of {rate}", rate, share)
    for first, rates in ((250, (0.6, 0.75)), (100, (0.6, 0.75)), (50, (0.72, 0.9))):
        words = f"{rates[0]} of {first} rows against {rates[1]} of {ROWS - first}"

        def counts(r: np.random.Generator, n: int = first, p: tuple[float, float] = rates) -> Any:
            one, other = groups(r, n, p)
            return (one, n), (other, ROWS - n)

        def less(r: np.random.Generator, draw: Callable[[np.random.Generator], Any] = counts) -> Estimate:
            return intervals.share_difference(*draw(r))

        def over(r: np.random.Generator, draw: Callable[[np.random.Generator], Any] = counts) -> Estimate:
            return intervals.share_ratio(*draw(r))

        def gap(r: np.random.Generator, n: int = first, p: tuple[float, float] = rates) -> Estimate:
            return ratio(r, n, p)

        yield Row("Newcombe", words, rates[0] - rates[1], less)
        yield Row("Katz, log ratio", words, rates[0] / rates[1], over)
        yield Row("Jeffreys draws, ratio", words, 0.8, gap)


def rows() -> Iterator[Row]:
    """Every interval method of the gates, on the data that it is hardest on among those it is made for."""
    yield from shares()
    area = 0.5 * (1 + math.erf(1.3 / 2))
    yield Row("DeLong, logit", "area under the ROC curve", area, lambda r: statistics.roc_auc(*scores(r)))
    yield Row("DeLong, paired", "difference of two areas", 0.0, lambda r: paired(r, "roc_auc"))
    f1 = 2 * 0.3 * 0.7 / (0.3 + 0.3 * 0.7 + 0.7 * 0.15)
    yield Row("bootstrap-t, logit", "F1", f1, lambda r: Metric("f1").measure(*table(r), ways(r)))
    yield Row("bootstrap-t", "difference of two F1, paired", 0.0, lambda r: paired(r, "f1"))
    yield Row("BCa", "F1 of both classes averaged", macro(), bca)
    for clusters in (50, 20, 10):
        words, root = f"{clusters} clusters, half of the variance shared", math.sqrt(2)

        def error(r: np.random.Generator, c: int = clusters) -> Estimate:
            labels, said, of = clustered(r, c)
            return Metric("rmse").measure(labels, said, ways(r, clusters=of))

        def auc(r: np.random.Generator, c: int = clusters) -> Estimate:
            labels, said, of = clustered_scores(r, c)
            return Metric("roc_auc").measure(labels, said, ways(r, clusters=of))

        yield Row("bootstrap-t over clusters, log", f"root mean squared error, {words}", root, error)
        yield Row("DeLong over clusters", f"area, {words}", area, auc)
    yield Row("sandwich, t", "calibration slope 0.7", 0.7, lambda r: calibrate(*logistic(r, 0.7), ways(r)).slope)
    for slope, intercept in ((1.0, 0.0), (1.0, 0.3), (0.6, 0.5)):
        truth = said_error(slope, intercept)

        def error_of(r: np.random.Generator, b: float = slope, a: float = intercept) -> Estimate:
            return calibrate(*logistic(r, b, a), ways(r)).error

        yield Row("moved bootstrap", f"expected calibration error, truth {truth:.3f}", truth, error_of)


def said_error(slope: float, intercept: float) -> float:
    """The expected calibration error of `logistic`, over ten bins of equally many rows."""
    x = np.random.default_rng(0).normal(-0.3, 1.3, 400_000)
    said, true = 1 / (1 + np.exp(-x)), 1 / (1 + np.exp(-(intercept + slope * x)))
    miss = (true - said)[np.argsort(said)].reshape(10, -1).sum(axis=1)
    return float(np.abs(miss).sum() / x.size)


def macro() -> float:
    """The F1 of both classes of `table`, averaged."""
    hits, labelled, said = 0.3 * 0.7, 0.3, 0.3 * 0.7 + 0.7 * 0.15
    misses = 1 - labelled - (said - hits)
    return (2 * hits / (labelled + said) + 2 * misses / (2 - labelled - said)) / 2


def macro_of(labels: Any, said: Any) -> float:
    """As scikit-learn's `f1_macro`, a hundred times as fast."""
    hits, positive, total = float(labels @ said), float(labels.sum() + said.sum()), labels.size
    return float(hits / positive + (total - positive + hits) / (2 * total - positive))


def bca(random: np.random.Generator) -> Estimate:
    labels, said = table(random)
    return scikit.drawn(macro_of, labels, [said], ways(random))


def covered(row: Row, sets: int, seed: int = SEED) -> tuple[float, float]:
    """The share of data sets whose interval holds the truth, and the intervals' median width."""
    random = np.random.default_rng(seed)
    held, widths = 0, []
    for _ in range(sets):
        found = row.draw(random)
        if found.low is not None and found.high is not None:
            held += found.low <= row.truth + 1e-12 and row.truth - 1e-12 <= found.high
            widths.append(found.high - found.low)
    return held / sets, float(np.median(widths))


def judged(share: float) -> str:
    if share > HIGH:
        return "wider than needed"
    return "too narrow" if share < LOW else "as promised"


def written(sets: int) -> str:
    today, found = f"{datetime.now(UTC):%Y-%m-%d}", f"{sets:,} data sets of {ROWS} rows each"
    lines = [
        f"{found}, 95 % asked; each row begins with the seed {SEED}. Measured on {today}, all",
        "rows in one run.",
        "",
        "| method | of what | holds the truth | median width | |",
        "|---|---|---|---|---|",
    ]
    for row in rows():
        share, width = covered(row, sets)
        lines.append(f"| {row.method} | {row.data} | {share * 100:.1f} % | {width:.3f} | {judged(share)} |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=SETS)
    parser.add_argument("--dry", action="store_true", help="print the table, and leave the page as it is")
    given = parser.parse_args()
    found = written(given.sets)
    if not given.dry:
        head, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
        _, _, tail = rest.partition(END)
        DOCS.write_text(f"{head}{BEGIN}\n\n{found}\n\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
