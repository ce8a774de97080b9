"""The port behind which every technology answers: rows in, one answer per row out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, Protocol, TypedDict

from taxiway.models.predicting.signature import Signature

Rows = Sequence[Mapping[str, object]]
ColumnsIn = Mapping[str, Sequence[object]]


class Prediction(TypedDict):
    """The answer for one row.

    prediction: the label of a classifier, the number of a regressor.
    score: for a classifier with two labels the probability of the second one, which the threshold cuts;
    with more labels the probability of the label that is predicted. Absent where the model has none.
    """

    prediction: bool | int | float | str
    score: NotRequired[float]


class Predictor(Protocol):
    """A loaded model. It answers a row the same whether the row comes alone or in a batch."""

    @property
    def signature(self) -> Signature:
        """What goes in and what comes out."""
        ...

    def predict(self, data: Rows | ColumnsIn) -> list[Prediction]:
        """One answer per row, in order; data is a list of objects or an object of equally long lists.

        Raises InputMismatch for the first row and field that the signature does not accept.
        """
        ...
