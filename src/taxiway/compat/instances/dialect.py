"""KServe's first protocol and Vertex AI's prediction routes, which have the same bodies."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from taxiway.compat.answers import predictions
from taxiway.compat.tabular import FormRefused, excerpt, fields_of, flag, rows_of, starts, values_of
from taxiway.endpoints.gateway.dialects import Address, Answer, Call, Given, Shown
from taxiway.endpoints.gateway.requests import Asked
from taxiway.kernel.errors import TaxiwayError

ACCEPTED = 'an object with "instances", an array'
KNOWN = frozenset(["instances", "parameters", "signature_name"])
VERTEX = "/v1/endpoints/{name}/deployedModels/{version}:predict"
GOOGLES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class NotExplained(TaxiwayError):
    """KServe's other verb, for explanations."""

    status = 501
    endpoint: str

    def __str__(self) -> str:
        return f"{self.endpoint} predicts, and explains nothing. Use /v1/models/{self.endpoint}:predict."


class Instances:
    """The rows are objects, arrays in the signature's order, or single values; a prediction for each."""

    addresses: Sequence[Address] = (
        Address("GET", "/v1/models", "list", "models"),
        Address("GET", "/v1/models/{name}", "endpoint", "ready"),
        Address("POST", "/v1/models/{name}:predict", "predict"),
        Address("POST", "/v1/models/{name}:explain", "endpoint", "explain"),
        Address("GET", VERTEX, "endpoint", "health"),
        Address("POST", VERTEX, "predict", "vertex"),
    )

    def claims(self, call: Call) -> bool:
        """All of its addresses are its own."""
        return bool(call.path)

    def read(self, call: Call) -> Asked:
        """Raises BodyRefused, FormRefused, TooLarge, NotYetKnown."""
        fields = fields_of(call.body, ACCEPTED)
        unknown = sorted(fields.keys() - KNOWN)
        if unknown or "instances" not in fields:
            found = f"the field {unknown[0]!r}" if unknown else "no instances"
            raise FormRefused(field="The body", found=found, expected=ACCEPTED)
        parameters = fields.get("parameters")
        if parameters is not None and starts(parameters) not in (b"{", b"n"):
            raise FormRefused(field="parameters", found=excerpt(parameters), expected="an object")
        call.form = flag(msgspec.json.decode(parameters) or {} if parameters else {}, "score", "parameters")
        return Asked(rows_of(values_of(fields["instances"], "instances"), call, "instances"))

    def write(self, call: Call, given: Given) -> Answer:
        """A prediction for each instance; with the parameter `score` the whole answer."""
        return Answer(200, predictions(given.outputs, is_whole=call.form))

    def tell(self, call: Call, shown: Shown) -> Answer:
        """Which endpoints there are, and how one is. Raises RevisionElsewhere, NotExplained."""
        assert call.address is not None, "it was found"
        if call.address.what == "models":
            return Answer(200, msgspec.json.encode({"models": [each.name for each in shown.endpoints]}))
        if call.address.what == "explain":
            raise NotExplained(endpoint=call.name)
        shown.endpoints[0].insist(call.version)
        is_ready = shown.endpoints[0].is_ready
        said = {"name": call.name, "ready": is_ready} if call.address.what == "ready" else {}
        return Answer(200 if is_ready else 503, msgspec.json.encode(said))

    def refuse(self, call: Call, refusal: TaxiwayError) -> Answer:
        """The sentence under `error`; at Vertex's routes as Google's APIs say it."""
        status = 400 if refusal.status == 422 else refusal.status
        said: object = str(refusal)
        if call.path.startswith("/v1/endpoints/"):
            name = GOOGLES.get(status, "INVALID_ARGUMENT" if status < 500 else "INTERNAL")
            said = {"code": status, "message": str(refusal), "status": name}
        return Answer(status, msgspec.json.encode({"error": said}))
