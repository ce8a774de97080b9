"""Which form of a model answers: its compiled twin where the bundle holds one that may, else its own library."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from taxiway.models.bundles.bundle import Bundle
from taxiway.models.predicting.predictor import Predictor
from taxiway.models.twins.record import NoTwin


class Chosen(NamedTuple):
    """What answers, and which form of the model it is and why, in words; empty where nobody looked for a twin."""

    predictor: Predictor
    runs: str


def choose(bundle: Bundle, load: Callable[[], Predictor]) -> Chosen:
    """The form of a verified bundle's model that answers. Raises what `load` raises, which reads it by its library."""
    twin = bundle.manifest.twin
    if twin is None:
        return Chosen(load(), "")
    if twin.runs == "native":
        return Chosen(load(), f"its own library; {twin.why}")
    from taxiway.models.twins.checking import opened

    try:
        return Chosen(opened(bundle), f"its ONNX twin; {twin.why}")
    except NoTwin as reason:
        return Chosen(load(), f"its own library, though it has a twin: {reason}")
