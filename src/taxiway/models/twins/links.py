"""What becomes of a sum, bit for bit as libraries do it. The exponential is C's: NumPy's own rounds differently."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from taxiway.models.predicting.matrices import Matrix
from taxiway.models.twins.record import Link


def exponential(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def logistic(sums: Matrix) -> Matrix:
    """The probability of the second of two labels."""
    exp = exponential
    return np.array([1.0 / (1.0 + exp(-each)) for each in sums[:, 0].tolist()]).reshape(-1, 1)


def exp(sums: Matrix) -> Matrix:
    return np.array([exponential(each) for each in sums[:, 0].tolist()]).reshape(-1, 1)


def softmax(sums: Matrix) -> Matrix:
    found = []
    for row in sums.tolist():
        most = max(row)
        powers = [math.exp(each - most) for each in row]
        total = 0.0
        for each in powers:  # `sum` keeps what is lost in rounding, and C does not
            total += each
        found.append([each / total for each in powers])
    return np.array(found)


def softmax_numpy(sums: Matrix) -> Matrix:
    powers = np.exp(sums - sums.max(axis=1, keepdims=True))
    found: Matrix = powers / powers.sum(axis=1, keepdims=True)
    return found


def same(sums: Matrix) -> Matrix:
    return sums


# --- in 32 bits: as XGBoost does it ---

HIGHEST = np.float32(88.7)  # of what it raises e to


@cache
def exponential_single() -> Callable[[float], float]:
    """C's exponential of 32 bits, which rounds otherwise than that of 64 bits does, rounded."""
    found = ctypes.CDLL(None).expf
    found.restype, found.argtypes = ctypes.c_float, (ctypes.c_float,)
    return found


def powers_single(values: Any) -> Any:
    exp = exponential_single()
    return np.array([exp(each) for each in values.ravel().tolist()], dtype=np.float32).reshape(values.shape)


def logistic_single(sums: Any) -> Any:
    one = np.float32(1)
    return one / (powers_single(np.minimum(-sums, HIGHEST)) + one + np.float32(1e-16))


def softmax_single(sums: Any) -> Any:
    powers = powers_single(sums - sums.max(axis=1, keepdims=True))
    totals = np.zeros(len(sums))
    for column in powers.T:  # one after the other, in doubles
        totals += column
    return powers / totals.astype(np.float32)[:, None]


LINKS: dict[Link, Any] = {
    "identity": same,
    "mean": same,
    "logistic": logistic,
    "exp": exp,
    "exp-numpy": np.exp,
    "softmax": softmax,
    "softmax-numpy": softmax_numpy,
    "logistic-single": logistic_single,
    "exp-single": powers_single,
    "softmax-single": softmax_single,
}
