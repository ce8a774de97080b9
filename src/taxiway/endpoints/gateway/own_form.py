"""Our own form of asking: JSON rows in, predictions with their id, model and revision out, refusals by name."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from taxiway.endpoints.blocks import joined
from taxiway.endpoints.gateway.dialects import Address, Answer, Call, Given, Shown
from taxiway.endpoints.gateway.negotiation import wanted
from taxiway.endpoints.gateway.requests import Asked, check_count, event_times, on_one_line, unreadable
from taxiway.endpoints.gateway.stream_forms import streamed_as
from taxiway.endpoints.refusals import AddressUnknown, BodyRefused
from taxiway.kernel.errors import TaxiwayError


class Rows(Struct, forbid_unknown_fields=True):
    """The body that says more than its rows."""

    rows: list[Raw]
    event_at: list[str] | str | UnsetType = UNSET


rows_decoder = msgspec.json.Decoder(Rows)
list_decoder = msgspec.json.Decoder(list[Raw])
one_decoder = msgspec.json.Decoder(dict[str, Raw])


class OwnForm:
    """What our SDK, command line and pages speak. It takes every call that no other dialect claims."""

    addresses: Sequence[Address] = (Address("POST", "/endpoints/{name}/invocations", "predict"),)

    def claims(self, call: Call) -> bool:
        """It takes what is left."""
        return True

    def read(self, call: Call) -> Asked:
        """The rows of a body: one object, an array of objects, or ``{"rows": [...], "event_at": [...]}``.

        An object is the last form when its `rows` is an array, which no field of a row can be.
        Raises BodyRefused, EventTimeRefused, AcceptRefused.
        """
        accept = call.headers.get(b"accept", b"")
        if accept and not streamed_as(accept):
            wanted(accept)  # who likes CSV best is another dialect's
        body = call.body
        event_at: list[str] | str | UnsetType = UNSET
        try:
            if body.lstrip(b" \t\r\n")[:1] == b"[":
                found = list_decoder.decode(body)
            else:
                fields = one_decoder.decode(body)
                if "rows" in fields and bytes(fields["rows"])[:1] == b"[":
                    envelope = rows_decoder.decode(body)
                    found, event_at = envelope.rows, envelope.event_at
                else:
                    found = [Raw(body)]
        except RecursionError as e:
            raise BodyRefused(problem="it is nested too deeply") from e
        except (msgspec.DecodeError, ValueError) as e:
            raise BodyRefused(problem=unreadable(body, e)) from e
        check_count(len(found), call.limits)
        times = None if isinstance(event_at, UnsetType) else event_times(event_at, len(found))
        if b"\n" in body or b"\r" in body:
            return Asked([on_one_line(bytes(row)) for row in found], times)
        return Asked([bytes(row) for row in found], times)

    def write(self, call: Call, given: Given) -> Answer:
        """The predictions with the number that the log has them under."""
        served = given.served
        model, number = (f"{served.model}@{served.version}", served.number) if served else ("", 0)
        head = f'{{"prediction_id":"{call.request_id}","model":"{model}","revision":{number},"predictions":['
        tail = b"]}" if served else b'],"is_fallback":true}'
        return Answer(200, head.encode() + joined(given.outputs) + tail)

    def tell(self, call: Call, shown: Shown) -> Answer:
        """It has no address that tells anything."""
        raise AddressUnknown(path=call.path)

    def refuse(self, call: Call, refusal: TaxiwayError) -> Answer:
        """A refusal as problem+json (RFC 9457), with its name and facts for the SDK to revive."""
        name = type(refusal).__name__
        said = {
            "type": "about:blank",
            "title": name,
            "status": refusal.status,
            "detail": str(refusal),
            "error": name,
            "facts": refusal.facts(),
            "request_id": call.request_id,
        }
        return Answer(refusal.status, msgspec.json.encode(said), media_type=b"application/problem+json")
