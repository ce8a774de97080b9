"""Which form of a model answers: its compiled twin where the bundle holds one that may, else its own library."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from taxiway.models.bundles.bundle import Bundle
from taxiway.models.predicting.predictor import Predictor
from taxiway.models.twins.record import NoTwin, Twin

REFUSED = "its own library, though it has a twin"


class Chosen(NamedTuple):
    """What answers, and which form of the model it is and why, in words; empty where nobody looked for a twin."""

    predictor: Predictor
    runs: str


def choose(bundle: Bundle, load: Callable[[], Predictor]) -> Chosen:
    """The form of a verified bundle's model that answers: its twin only once it was found to be the model's own here.

    Raises what `load` raises, which reads the model by its library.
    """
    twin, native = bundle.manifest.twin, load()
    if twin is None:
        return Chosen(native, "")
    if twin.runs == "native":
        return Chosen(native, f"its own library; {twin.why}")
    from taxiway.models.twins.proving import proved

    try:
        proof = proved(bundle, native)
        return Chosen(proof.predictor, f"its ONNX twin; {proof}{faster(twin)}")
    except NoTwin as reason:
        return Chosen(native, f"{REFUSED}: {reason}")


def faster(twin: Twin) -> str:
    """By how much, as it was timed where the model was logged."""
    speeds = twin.speeds
    if speeds is None:
        return ""
    return f"; {speeds.native_one / max(speeds.twin_one, 0.1):,.0f} times as fast for one row where it was logged"
