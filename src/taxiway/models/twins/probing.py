"""Rows on which two forms of a model are compared: some that it was trained on, and others that try to tell them apart.

A tree forgets all of a value but on which side of its thresholds it lies. So besides rows drawn from the columns'
ranges there are rows whose values are thresholds, and the next numbers above and below them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from taxiway.models.predicting.signature import Column
from taxiway.models.twins.forms import Form, Weights
from taxiway.models.twins.steps import Doubles
from taxiway.models.twins.words import UNKNOWN

SEED = 20
SEEN, DRAWN, EDGES = 512, 1024, 1024
BEYOND = 0.5  # of a column's range, on both sides
GAPS = 0.1  # of the values of a column that may have gaps
LARGE = 1e30


def probes(
    inputs: Sequence[Column], example: Doubles, form: Form, *, seed: int = SEED, drawn_rows: int = DRAWN
) -> Doubles:
    """The rows, as doubles in the signature's order. The same for the same example, model and seed."""
    draw = np.random.default_rng(seed)
    seen = example[np.linspace(0, len(example) - 1, min(SEEN, len(example))).astype(int)]
    found = np.vstack([seen, drawn(draw, seen, drawn_rows), edges(draw, seen, form, drawn_rows)])
    made = slice(len(seen), None)
    for at, column in enumerate(inputs):
        values = found[:, at]
        if words := form.words.get(column.name):
            is_open = column.type == "string" and column.name not in form.refused
            values[made] = draw.integers(int(UNKNOWN) if is_open else 0, len(words), size=len(found) - len(seen))
            if column.type == "category":  # the encoder may know more words than the signature
                values[made] = np.minimum(values[made], len(column.categories or ()) - 1)
        elif column.type == "boolean":
            values[:] = np.where(np.isnan(values), np.nan, values > 0.5)
        elif column.type == "integer":
            values[:] = np.clip(np.round(values), -(2.0**53), 2.0**53)
        fillers = seen[~np.isnan(seen[:, at]), at]
        gaps = np.isnan(values)
        if column.nullable:
            values[made][draw.random(len(values) - len(seen)) < GAPS] = np.nan
        else:
            values[gaps] = fillers[0] if len(fillers) else 0.0
    return found


def drawn(draw: np.random.Generator, seen: Doubles, count: int) -> Doubles:
    """Rows within the ranges of those that were seen, and somewhat beyond; a few values are very large, or zero."""
    known = np.where(np.isnan(seen), 0.0, seen)
    low, high = known.min(axis=0), known.max(axis=0)
    spread = BEYOND * (high - low)
    found = draw.uniform(low - spread, high + spread, size=(count, seen.shape[1]))
    found[draw.random(found.shape) < 0.02] = 0.0
    found[draw.random(found.shape) < 0.01] = -0.0
    large = draw.random(found.shape) < 0.01
    found[large] = np.where(draw.random(int(large.sum())) < 0.5, LARGE, -LARGE)
    return found


def edges(draw: np.random.Generator, seen: Doubles, form: Form, count: int = EDGES) -> Doubles:
    """Rows that were seen, with values of about half of the columns on a threshold of the trees, or next to it."""
    found = seen[draw.integers(len(seen), size=count)].copy()
    if isinstance(form.answers, Weights):
        return found
    trees, sources = form.answers.trees, form.origins
    features = np.concatenate([tree.feature for tree in trees])
    thresholds = np.concatenate([tree.threshold for tree in trees])
    for feature in np.unique(features):
        source = sources[feature]
        if source is None:
            continue
        own = thresholds[features == feature]
        rows = np.flatnonzero(draw.random(count) < 0.5)
        values = draw.choice(own, size=len(rows))
        if form.answers.narrow or form.answers.single:  # the neighbours that the library can tell apart
            near = values.astype(np.float32)
            ways = np.array([-np.inf, np.inf], dtype=np.float32)
            values = np.nextafter(near, draw.choice(ways, size=len(rows))).astype(np.float64)
        given = source.back(values)
        if source.done or not (form.answers.narrow or form.answers.single):
            given = np.nextafter(given, draw.choice([-np.inf, np.inf], size=len(rows)))
        found[rows, source.column] = given
        exact = rows[draw.random(len(rows)) < 0.5]
        found[exact, source.column] = source.back(draw.choice(own, size=len(exact)))
    found[~np.isfinite(found) & ~np.isnan(found)] = LARGE
    return found
