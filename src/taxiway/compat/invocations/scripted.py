"""The four functions of a SageMaker script, for AWS's own images: the same forms and the same answers as our server.

They stand in the file `code/inference.py` of an exported archive.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from taxiway.compat.invocations.dialect import Invocations
from taxiway.endpoints.gateway.dialects import Call, Given
from taxiway.endpoints.gateway.negotiation import wanted
from taxiway.endpoints.standalone.plan import bundle_folder
from taxiway.endpoints.worker.answering import answers
from taxiway.endpoints.worker.held import Limits
from taxiway.endpoints.worker.process import as_served
from taxiway.kernel.ids import new_id
from taxiway.models.bundles.bundle import verify_bundle
from taxiway.models.predicting.predictor import Predictor

row_decoder = msgspec.json.Decoder(dict[str, Any])


class Body(NamedTuple):
    """A request as it came."""

    data: bytes
    content_type: str


class Predicted(NamedTuple):
    """A request that was read, and its answers."""

    call: Call
    outputs: list[bytes]


def model_fn(model_dir: str, context: Any = None) -> Predictor:
    """The model of the verified bundle in the archive. Raises NotABundle, BundleTampered, FlavourUnknown."""
    folder = bundle_folder(model_dir, {})
    bundle = verify_bundle(Path(folder), os.environ.get("TAXIWAY_BUNDLE_DIGEST") or None)
    may_run_code = os.environ.get("TAXIWAY_MAY_RUN_CODE") == "1"
    return as_served(bundle, may_run_code=may_run_code).predictor


def input_fn(data: bytes | str, content_type: str, context: Any = None) -> Body:
    """What was sent; it is read together with the model, whose signature names values by position."""
    return Body(data.encode() if isinstance(data, str) else bytes(data), content_type)


def predict_fn(body: Body, model: Predictor, context: Any = None) -> Predicted:
    """The answers to a CSV, to one of MLflow's forms, or to rows of ours. Raises TaxiwayError."""
    dialect = Invocations()
    headers = {b"content-type": body.content_type.encode()}
    call = Call(new_id(), "POST", "/invocations", headers, Limits(), dialect, body=body.data)
    call.look_up = lambda _: model.signature
    asked = dialect.read(call)
    return Predicted(call, answers(model, [row_decoder.decode(row) for row in asked.rows]))


def output_fn(predicted: Predicted, accept: str, context: Any = None) -> tuple[bytes, str]:
    """The body and its media type. Raises AcceptRefused."""
    call = predicted.call
    call.form.wanted, call.form.is_own = wanted(accept.encode()), False
    call.form.is_whole = call.form.is_whole or call.form.wanted.has_header
    answer = call.dialect.write(call, Given(predicted.outputs, None))
    return answer.body, answer.media_type.decode()
