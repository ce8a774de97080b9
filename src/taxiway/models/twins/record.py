"""What a bundle says of its twin: which of the two answers, why, and what was found when they were compared."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

FOLDER = "twin"
FILE = f"{FOLDER}/model.onnx"
ROWS = f"{FOLDER}/rows.npy"
ANSWERS = f"{FOLDER}/answers.npy"

# What becomes of the trees' sum, with C's exponential, or with NumPy's own, which rounds otherwise.
Link = Literal["identity", "mean", "logistic", "exp", "exp-numpy", "softmax", "softmax-numpy"]


class NoTwin(Exception):
    """Why a model has no twin, or may not be answered by it here, in a sentence."""


class Speeds(Struct, frozen=True, forbid_unknown_fields=True):
    """Microseconds that the library and the twin took, for one row and for 64 at once, where the model was logged."""

    native_one: float
    twin_one: float
    native_many: float
    twin_many: float


class Twin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a model is answered, decided when it was logged.

    runs: the model's own library, or the twin; why: in a sentence. What follows is there where the two were compared.
    runtime: with which release of ONNX Runtime. rows: how many were compared. largest_difference: between two scores.
    links, divisor, narrow, width, labels: how answers are made of what the file gives.
    """

    runs: Literal["native", "twin"]
    why: str
    runtime: str = ""
    rows: int = 0
    largest_difference: float = 0.0
    speeds: Speeds | None = None
    link: Link = "identity"
    divisor: int = 1
    narrow: bool = False
    width: int = 0
    labels: tuple[bool | int | float | str, ...] | None = None
