"""The Open Inference Protocol v2 over HTTP. An endpoint is its model, and the endpoint's revisions are its versions."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from taxiway.compat.openinference import outputs
from taxiway.compat.openinference.datatypes import datatype_of
from taxiway.compat.openinference.rows import read_rows
from taxiway.compat.openinference.tensors import Request
from taxiway.compat.tabular import NotYetKnown
from taxiway.endpoints.gateway.dialects import JSON, Address, Answer, Call, Given, Shown, Standing
from taxiway.endpoints.gateway.requests import Asked
from taxiway.endpoints.refusals import BodyRefused
from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.version import VERSION
from taxiway.models.predicting.signature import Column

# Triton's own client names no media type at all, in JSON and in binary. A page of another site that leaves it out
# still says its origin, which the gateway checks.
TAKES = frozenset([JSON, outputs.OCTETS, b""])
MODEL, VERSIONED = "/v2/models/{name}", "/v2/models/{name}/versions/{version}"
BINARY = "binary_tensor_data"


class NotLoadedHere(TaxiwayError):
    """A caller of predictions would load or unload models."""

    status = 501
    endpoint: str

    def __str__(self) -> str:
        return f"Callers do not load or unload models. `taxiway endpoints deploy {self.endpoint} MODEL@VERSION` does."


class Wish(Struct):
    """What an index is asked for."""

    ready: bool = False


class OpenInference:
    """Tensors in, tensors out, in JSON or in bytes."""

    addresses = (
        Address("GET", "/v2", "open", "server"),
        Address("GET", "/v2/health/live", "open", "live"),
        Address("GET", "/v2/health/ready", "open", "ready"),
        Address("GET", "/v2/models", "list", "models"),
        Address("POST", "/v2/repository/index", "list", "index"),
        Address("POST", "/v2/repository/models/{name}/load", "endpoint", "load"),
        Address("POST", "/v2/repository/models/{name}/unload", "endpoint", "load"),
        *(Address("GET", base, "endpoint", "model") for base in (MODEL, VERSIONED)),
        *(Address("GET", f"{base}/ready", "endpoint", "model ready") for base in (MODEL, VERSIONED)),
        *(Address("POST", f"{base}/infer", "predict", "infer", TAKES) for base in (MODEL, VERSIONED)),
    )

    def claims(self, call: Call) -> bool:
        """All of its addresses are its own."""
        return bool(call.path)

    def read(self, call: Call) -> Asked:
        """Raises TensorRefused, FormRefused, BodyRefused, TooLarge, NotYetKnown."""
        asked, call.form = read_rows(call)
        return asked

    def write(self, call: Call, given: Given) -> Answer:
        """A tensor for each column of the answers. Raises FormRefused."""
        return outputs.write(call, call.form, given)

    def tell(self, call: Call, shown: Shown) -> Answer:
        """What there is, and how it is. Raises RevisionElsewhere, NotYetKnown, NotLoadedHere, BodyRefused."""
        assert call.address is not None, "it was found"
        what = call.address.what
        if what == "load":
            raise NotLoadedHere(endpoint=call.name)
        if call.address.kind != "endpoint":
            return self.tell_of_all(call, what, shown)
        standing = shown.endpoints[0]
        standing.insist(call.version)
        if what == "model ready":
            return said({"name": call.name, "ready": standing.is_ready}, 200 if standing.is_ready else 503)
        return said(metadata(standing))

    def tell_of_all(self, call: Call, what: str, shown: Shown) -> Answer:
        """How the server is, and which endpoints it has. Raises BodyRefused."""
        match what:
            case "live":
                return said({"live": True})
            case "ready":
                return said({"ready": shown.is_ready}, 200 if shown.is_ready else 503)
            case "models":
                return said({"models": [each.name for each in shown.endpoints]})
            case "index":
                return said(index(call, shown))
        return said({"name": "taxiway", "version": VERSION, "extensions": [BINARY]})

    def refuse(self, call: Call, refusal: TaxiwayError) -> Answer:
        """The sentence under `error`, whatever happened, with the caller's own id where it was read."""
        status = 400 if refusal.status == 422 else refusal.status
        asked = call.form.id if isinstance(call.form, Request) else None
        return said({"error": str(refusal)} | ({"id": asked} if isinstance(asked, str) else {}), status)


def said(what: Any, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(what))


def metadata(standing: Standing) -> dict[str, Any]:
    """What an endpoint takes and gives, as tensors. Raises NotYetKnown."""
    if standing.signature is None:
        raise NotYetKnown(endpoint=standing.name)
    return {
        "name": standing.name,
        "versions": versions(standing),
        "platform": f"taxiway_{standing.flavour}",
        "inputs": [tensor(column) for column in standing.signature.inputs],
        "outputs": [tensor(column) for column in standing.signature.outputs],
    }


def tensor(column: Column) -> dict[str, Any]:
    return {"name": column.name, "datatype": datatype_of(column), "shape": [-1]}


def versions(standing: Standing) -> list[str]:
    return [str(number) for number in standing.answering]


def index(call: Call, shown: Shown) -> list[dict[str, str]]:
    """Every endpoint that the caller may call; with ``{"ready": true}`` only those that answer."""
    try:
        wish = msgspec.json.decode(call.body or b"{}", type=Wish)
    except (msgspec.DecodeError, ValueError) as e:
        raise BodyRefused(problem=str(e), accepted='{"ready": true}, or nothing') from e
    return [
        {"name": each.name, "version": version, "state": state(each), "reason": ""}
        for each in shown.endpoints
        for version in versions(each) or [""]
        if each.is_ready or not wish.ready
    ]


def state(standing: Standing) -> str:
    return "READY" if standing.is_ready else "UNAVAILABLE"
