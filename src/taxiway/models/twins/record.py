"""What a bundle says of its twin: which of the two answers, why, and what was found when they were compared."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

FOLDER = "twin"
FILE = f"{FOLDER}/model.onnx"
ROWS = f"{FOLDER}/rows.npy"
ANSWERS = f"{FOLDER}/answers.npy"
KEPT = 64  # rows whose answers go along, so that whoever serves the twin can look again

# What becomes of the sum, with C's exponential, with NumPy's own, which rounds otherwise, or with C's in 32 bits.
Link = Literal[
    "identity",
    "mean",
    "logistic",
    "exp",
    "exp-numpy",
    "softmax",
    "softmax-numpy",
    "logistic-single",
    "exp-single",
    "softmax-single",
]


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
    link, divisor, narrow, prepared, labels: how answers are made of what the file gives; prepared is how many columns
    the trees see where steps prepare the rows. width, words, refused: how rows become the numbers that it takes, words
    by their place, and in which columns a word that is not known is refused. made_from: the digest of the bundle that
    this one is with a twin added.
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
    prepared: int = 0
    words: dict[str, tuple[str, ...]] = {}
    refused: tuple[str, ...] = ()
    made_from: str = ""

    def reads_as(self, other: Twin) -> bool:
        """Whether another makes the same answers of the same file."""
        facts = ("link", "divisor", "narrow", "prepared", "labels", "width", "words", "refused")
        return all(getattr(self, fact) == getattr(other, fact) for fact in facts)
