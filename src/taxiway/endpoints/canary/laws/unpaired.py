"""Two models that divided the requests: the difference of their mean losses, with an error that whole blocks give.

No row was scored by both, so what makes rows unlike one another does not cancel, and it takes many more of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taxiway.endpoints.canary.laws.paired import Paired, clustered, counted

Floats = NDArray[np.float64]


def unpaired(sums: tuple[ArrayLike, ArrayLike], rows: tuple[ArrayLike, ArrayLike]) -> Paired:
    """The candidate's mean loss less the champion's, over blocks of time in their order, at least three.

    sums, rows: of the champion and of the candidate, block by block along the last axis; each has rows in each block.

    Both answered in the same blocks, so that a bad day, which is bad for both, is in both means and cancels as far as
    their rows are divided alike. What is left of a block is its part in the one mean less that in the other
    (linearisation of a difference of two ratios: Cochran, "Sampling Techniques", 1977, section 6.19), and from there on
    it is as in `paired`. The model with fewer rows, and those less evenly spread, says how many blocks there are in
    effect.

    >>> found = unpaired(([5.0, 9.0, 5.0, 8.0], [1.5, 2.0, 1.0, 2.5]), ([10, 18, 10, 16], [2, 4, 2, 4]))
    >>> round(float(found.difference), 4), round(float(found.error), 4)
    (0.0833, 0.0507)
    """
    parts, means, counts = [], [], []
    for s, n in zip(sums, rows, strict=True):
        total, size = np.asarray(s, dtype=np.float64), np.asarray(n, dtype=np.float64)
        mean = total.sum(axis=-1) / size.sum(axis=-1)
        means.append(mean)
        parts.append((total - mean[..., np.newaxis] * size) / size.sum(axis=-1)[..., np.newaxis])
        counts.append(counted(size))
    return clustered(np.asarray(means[1] - means[0]), parts[1] - parts[0], np.minimum(*counts))
