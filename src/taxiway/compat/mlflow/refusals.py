"""Refusals as MLflow's client reads them: an error code that it knows, and a sentence."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from taxiway.kernel.errors import AlreadyExists, NotFound, TaxiwayError
from taxiway.runs.refusals import ExperimentTrashed, ParamFixed, RunEnded, RunTrashed
from taxiway.web.refusals import MethodNotAllowed, is_no_endpoint

LONGEST_SHOWN = 300

# The client takes a body without a code that it knows for a fault of the transport.
STATUSES = {
    "INVALID_PARAMETER_VALUE": 400,
    "RESOURCE_ALREADY_EXISTS": 400,
    "BAD_REQUEST": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "ENDPOINT_NOT_FOUND": 404,
    "RESOURCE_CONFLICT": 409,
    "REQUEST_LIMIT_EXCEEDED": 429,
    "INTERNAL_ERROR": 500,
    "NOT_IMPLEMENTED": 501,
    "TEMPORARILY_UNAVAILABLE": 503,
}
CODES = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_CONFLICT",
    413: "INVALID_PARAMETER_VALUE",
    421: "PERMISSION_DENIED",
    429: "REQUEST_LIMIT_EXCEEDED",
    431: "INVALID_PARAMETER_VALUE",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
}
OF_ITS_OWN: dict[type[TaxiwayError], str] = {
    AlreadyExists: "RESOURCE_ALREADY_EXISTS",
    MethodNotAllowed: "ENDPOINT_NOT_FOUND",
    ParamFixed: "INVALID_PARAMETER_VALUE",
    RunEnded: "INVALID_PARAMETER_VALUE",
    RunTrashed: "INVALID_PARAMETER_VALUE",
    ExperimentTrashed: "INVALID_PARAMETER_VALUE",
}


class ParameterMissing(TaxiwayError):
    """A request of MLflow's client without something that it must have."""

    status = 400
    parameter: str
    because: str = ""

    def __str__(self) -> str:
        return f"Missing value for required parameter '{self.parameter}'. {self.because or 'Give it in the request.'}"


class ParameterInvalid(TaxiwayError):
    """A request of MLflow's client with a value that cannot be taken. value: as JSON."""

    status = 400
    parameter: str
    value: str
    expected: str

    def __str__(self) -> str:
        return f"Invalid value {self.value} for parameter '{self.parameter}' supplied: give {self.expected}."


class BodyUnreadable(TaxiwayError):
    """A request of MLflow's client whose body is not the JSON object that it should be."""

    status = 400
    cause: str

    def __str__(self) -> str:
        return f"Bad Request. The body is no JSON object: {self.cause}. Nothing was changed."


class CallRefused(TaxiwayError):
    """A call of MLflow's dialect refused with the code that its client expects of it."""

    status = 400
    error_code: str
    message: str

    def __str__(self) -> str:
        return self.message


def invalid(parameter: str, value: Any, expected: str) -> ParameterInvalid:
    """The refusal of a value, shown as JSON and not at length."""
    text = msgspec.json.encode(value).decode()
    shown = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."
    return ParameterInvalid(parameter=parameter, value=shown, expected=expected)


def refused(message: str) -> CallRefused:
    """A refusal in the words that MLflow's own tests look for."""
    return CallRefused(error_code="INVALID_PARAMETER_VALUE", message=message)


def code_of(refusal: TaxiwayError) -> str:
    """The code under which MLflow's client knows a refusal."""
    if isinstance(refusal, CallRefused):
        return refusal.error_code
    if is_no_endpoint(refusal):
        return "ENDPOINT_NOT_FOUND"
    return OF_ITS_OWN.get(type(refusal)) or CODES.get(refusal.status, "INTERNAL_ERROR")


def message_of(refusal: TaxiwayError) -> str:
    """What a refusal says, first in the words that MLflow's users and tests know, where it has some."""
    said = str(refusal)
    match refusal:
        case NotFound(kind="tag", name=name):
            return f"No tag with name: {name}. {refusal.hint}".rstrip()
        case NotFound(kind=kind, name=name) if not is_no_endpoint(refusal):
            return f"{kind[:1].upper()}{kind[1:]} {name!r} not found. {refusal.hint}".rstrip()
        case RunTrashed(run=run):
            return f"The run {run} must be in the 'active' state. Current state is deleted. {said}"
        case _:
            return said


def answer(refusal: TaxiwayError) -> Response:
    """A refusal on the wire."""
    code = code_of(refusal)
    # A status of its own where the code has none, such as 507 for a full disk: the client looks at it only to decide
    # whether to try again.
    status = STATUSES[code] if code != "INTERNAL_ERROR" else refusal.status
    headers = {"Retry-After": str(max(1, round(refusal.retry_after_s)))} if refusal.retry_after_s else {}
    body = msgspec.json.encode({"error_code": code, "message": message_of(refusal)})
    return Response(body, status, headers, media_type="application/json")
