"""Worlds whose truth is known: clusters of rows whose differences are alike within a day, and from day to day."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from taxiway.endpoints.canary.laws.paired import Paired, paired
from taxiway.endpoints.canary.laws.unpaired import unpaired

Floats = NDArray[np.float64]
ROWS = 500.0  # of a day, on average
ROW = 2.0  # the deviation of a row's loss: that of a difference is 1 where both score it, as of two alike models
COMMON = 0.3  # that of a day's mean loss, which both models share
DAY = 0.1  # the deviation of a day's mean difference, where that of a row is 1


class Days(NamedTuple):
    """Totals of clusters, shape (sets, clusters): sums of differences, of their squares, and rows."""

    sums: Floats
    squares: Floats
    rows: Floats

    def until(self, at: int) -> Paired:
        """What the first so many clusters of each canary tell."""
        return paired(self.sums[:, :at], self.rows[:, :at])


class DividedDays(NamedTuple):
    """As `Days`, where each row was scored by one model: of losses, the champion's first, then the candidate's."""

    sums: tuple[Floats, Floats]
    rows: tuple[Floats, Floats]

    def until(self, at: int) -> Paired:
        champion, candidate = (each[:, :at] for each in self.sums)
        return unpaired((champion, candidate), (self.rows[0][:, :at], self.rows[1][:, :at]))


class World(Struct, frozen=True):
    """How differences come about.

    kinship: the correlation of a day with the next. unequal: the deviation of the logarithm of a day's rows. skew: of
    the days' effects, by a log-normal law: above 0 the candidate is at times far worse, below 0 far better.
    worse: by so many deviations of a day's mean the candidate truly is worse.
    """

    name: str
    kinship: float = 0.0
    unequal: float = 0.0
    skew: float = 0.0
    worse: float = 0.0

    def days(self, random: np.random.Generator, sets: int, clusters: int) -> Days:
        rows = np.maximum(np.round(ROWS * sizes(random, (sets, clusters), self.unequal)), 1.0)
        effects = DAY * (self.worse + skewed(kindred(random, (sets, clusters), self.kinship), self.skew))
        noise = random.standard_normal((sets, clusters))
        sums = rows * effects + np.sqrt(rows) * noise
        return Days(sums, rows * (1 + effects**2), rows)


class Divided(Struct, frozen=True):
    """How losses come about where the requests are divided: the candidate's differs by day as in `World`.

    share: of the rows, that the candidate answers. COMMON: the deviation of what makes a day bad for both.
    """

    name: str
    share: float
    rows: float = ROWS
    kinship: float = 0.3
    worse: float = 0.0

    def days(self, random: np.random.Generator, sets: int, clusters: int) -> DividedDays:
        shape = (sets, clusters)
        total = np.maximum(np.round(self.rows * sizes(random, shape, 0.4)), 20.0).astype(np.int64)
        candidate = np.clip(random.binomial(total, self.share), 1, total - 1).astype(np.float64)
        rows = (total - candidate, candidate)
        common = COMMON * kindred(random, shape, self.kinship)
        effects = (common, common + DAY * (self.worse + kindred(random, shape, self.kinship)))
        noise = [ROW * np.sqrt(n) * random.standard_normal(shape) for n in rows]
        first, second = (n * effect + each for n, effect, each in zip(rows, effects, noise, strict=True))
        return DividedDays((first, second), rows)


class Models(Struct, frozen=True):
    """Two models as good as one another, row by row: probabilities of an outcome whose rate drifts and has its days.

    Each errs by a bias of the day of its own, of one law, so their log losses are equal on average and never by day.
    """

    name: str
    rows: int = 100

    def days(self, random: np.random.Generator, sets: int, clusters: int) -> Days:
        drift = np.linspace(-1.5, 0.5, clusters) + 0.5 * kindred(random, (sets, clusters), 0.5)
        biases = [0.4 * kindred(random, (sets, clusters), 0.3) for _ in range(2)]
        sums, squares = np.zeros((sets, clusters)), np.zeros((sets, clusters))
        for _ in range(self.rows):
            truth = drift + 1.2 * random.standard_normal((sets, clusters))
            label = random.random((sets, clusters)) < 1 / (1 + np.exp(-truth))
            losses = [
                np.logaddexp(0, np.where(label, -1, 1) * (truth + bias + 0.7 * random.standard_normal(truth.shape)))
                for bias in biases
            ]
            sums += losses[1] - losses[0]
            squares += (losses[1] - losses[0]) ** 2
        return Days(sums, squares, np.full((sets, clusters), float(self.rows)))


def kindred(random: np.random.Generator, shape: tuple[int, int], kinship: float) -> Floats:
    """Standard normal values, each row an autoregression of the first order."""
    found = random.standard_normal(shape)
    for at in range(1, shape[1]):
        found[:, at] = kinship * found[:, at - 1] + np.sqrt(1 - kinship**2) * found[:, at]
    return found


def skewed(normal: Floats, skew: float) -> Floats:
    """Values of mean 0 and deviation 1 by a log-normal law whose logarithm deviates by |skew|; its sign turns it."""
    if not skew:
        return normal
    s = abs(skew)
    mean, deviation = np.exp(s * s / 2), np.sqrt((np.exp(s * s) - 1) * np.exp(s * s))
    return np.asarray(np.sign(skew) * (np.exp(s * normal) - mean) / deviation)


def sizes(random: np.random.Generator, shape: tuple[int, int], unequal: float) -> Floats:
    """Rows of days as parts of the mean; each seventh day has a third."""
    if not unequal:
        return np.ones(shape)
    found = np.exp(unequal * random.standard_normal(shape) - unequal**2 / 2)
    found[:, 6::7] /= 3
    return found


EQUAL: tuple[World | Models, ...] = (
    World("days unrelated"),
    World("each day like the one before, r 0.3", kinship=0.3),
    World("r 0.5", kinship=0.5),
    World("r 0.3, days of unequal size", kinship=0.3, unequal=0.6),
    World("days skewed: at times far worse (skewness 1.3), r 0.3", kinship=0.3, skew=0.4),
    World("days skewed: at times far better (skewness 1.3), r 0.3", kinship=0.3, skew=-0.4),
    Models("log loss of two models, the outcome's rate drifts, days have biases"),
    World("hard: r 0.5, unequal days, at times far better (1.3)", kinship=0.5, unequal=0.6, skew=-0.4),
    World("hard: at times very far better (3.7), r 0.3", kinship=0.3, skew=-0.8),
)
DEGRADED = (
    World("by 1 deviation of a day's mean, days unrelated", worse=1.0),
    World("by 1, r 0.3, unequal, skewed", kinship=0.3, unequal=0.4, skew=0.4, worse=1.0),
    World("by 1.5, days unrelated", worse=1.5),
    World("by 1.5, r 0.3, unequal, skewed", kinship=0.3, unequal=0.4, skew=0.4, worse=1.5),
    World("by 2, r 0.3, unequal, skewed", kinship=0.3, unequal=0.4, skew=0.4, worse=2.0),
    World("by 0.5, just what is allowed, days unrelated", worse=0.5),
)
DIVIDED = (
    Divided("10 %, 500 rows a day", share=0.1),
    Divided("50 %, 500 rows a day", share=0.5),
    Divided("10 %, 5,000 rows a day", share=0.1, rows=5_000),
)
