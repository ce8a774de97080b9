"""MLflow's scoring server and SageMaker's containers and runtime, in one handler beside our own form."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from taxiway.compat.answers import as_csv, predictions
from taxiway.compat.invocations import aws, event_stream
from taxiway.compat.invocations.mlflow_forms import mlflow_fields, read_rows
from taxiway.compat.tabular import csv_rows
from taxiway.endpoints.gateway.dialects import Address, Answer, Call, Given, Shown
from taxiway.endpoints.gateway.negotiation import CSV, JSON, Wanted, header_of, wanted
from taxiway.endpoints.gateway.own_form import OwnForm
from taxiway.endpoints.gateway.requests import Asked
from taxiway.endpoints.gateway.stream_forms import streamed_as
from taxiway.kernel.errors import TaxiwayError

TAKES = frozenset([JSON, CSV])
NAMES_TOLD, NAME_TOLD = 20, 60  # in a header: how many names, and of how many characters
CODES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    429: "REQUEST_LIMIT_EXCEEDED",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
}


class Form(Struct):
    """What was read of a call that matters for its answer."""

    wanted: Wanted
    is_own: bool = False
    is_whole: bool = False
    ignored: Sequence[str] = ()


class Invocations:
    """Claims what is CSV, in one of MLflow's forms, or sent by one of AWS's SDKs.

    A body in our own form stays in it, whoever sends it: only refusals are then said as AWS's SDKs know them.
    """

    addresses = (
        Address("POST", "/endpoints/{name}/invocations", "predict", "invoke", TAKES),
        Address("POST", "/endpoints/{name}/invocations-response-stream", "predict", "stream", TAKES),
        Address("POST", "/endpoints/{name}/async-invocations", "endpoint", "async"),
        Address("GET", "/endpoints/{name}/ping", "endpoint", "ping"),
        Address("GET", "/ping", "open", "ping"),
        Address("GET", "/execution-parameters", "open", "parameters"),
    )

    def __init__(self) -> None:
        self.own = OwnForm()

    def claims(self, call: Call) -> bool:
        """By the headers, and once it was read by the body."""
        headers = call.headers
        if headers.get(b"content-type", b"")[:8].lower() == CSV:
            return True
        if b"text/" in (accept := headers.get(b"accept", b"").lower()) and (CSV in accept or b"text/*" in accept):
            return True
        if aws.is_aws(headers):
            return True
        call.form = mlflow_fields(call.body) if call.body else None  # so that it is decoded once
        return call.form is not None

    def read(self, call: Call) -> Asked:
        """The rows of a CSV, of one of MLflow's forms, or of ours. Raises TaxiwayError."""
        accept = call.headers.get(b"accept", b"")
        if call.address is not None and call.address.what == "stream":
            liked, call.streamed = Wanted(JSON), event_stream.chosen(call.headers.get(event_stream.ACCEPT, b""))
        else:
            liked = Wanted(JSON) if accept and streamed_as(accept) else wanted(accept)
        call.version = aws.target(call.headers)
        kind = call.headers.get(b"content-type", b"")
        if kind.partition(b";")[0].strip().lower() == CSV:
            call.form = Form(liked, is_whole=liked.has_header)
            return Asked(csv_rows(call, has_header=header_of(kind)))
        fields = call.form if isinstance(call.form, dict) else mlflow_fields(call.body)
        call.form = Form(liked, is_own=fields is None and liked.media_type == JSON, is_whole=liked.has_header)
        if fields is None:
            return self.own.read(call)
        rows, call.form.is_whole, call.form.ignored = read_rows(call, fields)
        return Asked(rows)

    def write(self, call: Call, given: Given) -> Answer:
        """Predictions as MLflow gives them, or as CSV."""
        form: Form = call.form
        headers = aws.headers_for(call, given.served)
        if call.streamed is not None:  # such as the fallback of an endpoint that is stopped
            body = b"".join(call.streamed.piece(bytes(output)) for output in given.outputs)
            headers.append((event_stream.CONTENT_TYPE, event_stream.JSON_LINES))
            return Answer(200, body, headers, event_stream.MEDIA_TYPE)
        if form.is_own:
            return self.own.write(call, given)._replace(headers=headers)
        if form.ignored:
            headers.append((b"taxiway-ignored-params", listed(form.ignored)))
        if form.wanted.media_type == CSV:
            body = as_csv(given.outputs, has_header=form.wanted.has_header)
            return Answer(200, body, headers, b"text/csv; charset=utf-8")
        return Answer(200, predictions(given.outputs, is_whole=form.is_whole), headers)

    def tell(self, call: Call, shown: Shown) -> Answer:
        """Whether it is well, by the status alone; how a batch transform is to ask. Raises NotAsynchronous."""
        what = call.address.what if call.address is not None else ""
        if what == "async":
            raise aws.NotAsynchronous(endpoint=call.name)
        if what == "parameters":
            return Answer(200, msgspec.json.encode(aws.execution_parameters(call.limits)))
        is_ready = shown.endpoints[0].is_ready if shown.endpoints else shown.is_ready
        return Answer(200 if is_ready else 503, b"\n")

    def refuse(self, call: Call, refusal: TaxiwayError) -> Answer:
        """As AWS's SDKs know it, as MLflow's clients do, or as ours do."""
        if aws.is_aws(call.headers) or (call.address is not None and call.address.what == "stream"):
            return aws.refuse(call, refusal)
        if isinstance(call.form, Form) and call.form.is_own:
            return self.own.refuse(call, refusal)
        status = 400 if refusal.status == 422 else refusal.status
        code = CODES.get(status, "BAD_REQUEST" if status < 500 else "INTERNAL_ERROR")
        said = {"error_code": code, "message": str(refusal), "request_id": call.request_id}
        return Answer(status, msgspec.json.encode(said))


def listed(names: Sequence[str]) -> bytes:
    """Names as a header says them: callers choose them, and a line break would begin a header of theirs."""
    plain = ("".join(c if c.isascii() and c.isprintable() else "?" for c in name) for name in names[:NAMES_TOLD])
    return ",".join(name[:NAME_TOLD] for name in plain).encode("ascii")
