"""What AWS's SDKs send to SageMaker's runtime and expect back, so that they can be pointed at us.

They sign their requests with a key that never travels, and a signature can be checked only by who holds the
secret itself. We keep hashes of tokens and nothing else, so a signature proves nothing here: where callers must
sign in, the SDK sends a bearer token in its place (docs/invocations.md shows how).
"""

from __future__ import annotations

import msgspec

from taxiway.endpoints.gateway.configuration import ServedRevision
from taxiway.endpoints.gateway.dialects import Answer, Call
from taxiway.endpoints.gateway.requests import Headers
from taxiway.endpoints.refusals import (
    AnswerNotRecorded,
    EndpointStopped,
    EndpointUnknown,
    NothingServed,
    NoWorker,
    QueueFull,
    RevisionElsewhere,
    WorkerLost,
)
from taxiway.endpoints.worker.held import Limits
from taxiway.kernel.errors import SignInNeeded, TaxiwayError, TooLarge, Unexpected

SIGNATURE = b"aws4-hmac-sha256"
ATTRIBUTES = b"x-amzn-sagemaker-custom-attributes"
VARIANT = b"x-amzn-sagemaker-target-variant"
PRODUCTION_VARIANT = b"x-amzn-invoked-production-variant"
TRANSFORM_MB = 100  # a payload times the concurrency is no more, for SageMaker
PREFIX = "revision-"  # a revision is SageMaker's production variant

# By the errors that InvokeEndpoint declares; what else goes wrong is the model's.
NAMES: dict[type[TaxiwayError], tuple[int, str]] = {
    EndpointUnknown: (400, "ValidationError"),
    RevisionElsewhere: (400, "ValidationError"),
    TooLarge: (400, "ValidationError"),
    SignInNeeded: (403, "AccessDeniedException"),
    EndpointStopped: (503, "ServiceUnavailable"),
    NothingServed: (503, "ServiceUnavailable"),
    QueueFull: (503, "ServiceUnavailable"),
    WorkerLost: (503, "ServiceUnavailable"),
    NoWorker: (429, "ModelNotReadyException"),
    AnswerNotRecorded: (500, "InternalFailure"),
    Unexpected: (500, "InternalFailure"),
}
BEARER = (
    "An AWS signature cannot sign in here, since only the hash of a token is kept: send the token itself as "
    "`Authorization: Bearer TOKEN`, as the page on MLflow's and SageMaker's callers shows for boto3"
)


class NotAsynchronous(TaxiwayError):
    """SageMaker's asynchronous invocations, which read their input from S3."""

    status = 501
    endpoint: str

    def __str__(self) -> str:
        return (
            f"{self.endpoint} answers while its caller waits, and takes no asynchronous invocations. "
            "Use invoke_endpoint."
        )


def execution_parameters(limits: Limits) -> dict[str, object]:
    """How SageMaker's batch transform asks: both numbers together may not exceed what it holds."""
    size_mb = min(max(1, limits.body_bytes >> 20), TRANSFORM_MB)
    transforms = max(1, min(TRANSFORM_MB // size_mb, limits.queue))
    return {"MaxConcurrentTransforms": transforms, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": size_mb}


def is_aws(headers: Headers) -> bool:
    """Whether one of AWS's SDKs asks."""
    return headers.get(b"authorization", b"")[:16].lower() == SIGNATURE or b"amz-sdk-invocation-id" in headers


def target(headers: Headers) -> str:
    """The number of the revision that the caller insists on, empty where it takes any."""
    return headers.get(VARIANT, b"").decode("latin-1").removeprefix(PREFIX)


def headers_for(call: Call, served: ServedRevision | None) -> list[tuple[bytes, bytes]]:
    """What SageMaker's answer says beside its body."""
    found = [(ATTRIBUTES, call.headers[ATTRIBUTES])] if ATTRIBUTES in call.headers else []
    if served is not None:
        found.append((PRODUCTION_VARIANT, f"{PREFIX}{served.number}".encode()))
    return found


def refuse(call: Call, refusal: TaxiwayError) -> Answer:
    """A refusal as AWS's SDKs know them, by name and with the message that they show."""
    status, name = NAMES.get(type(refusal), (424, "ModelError"))
    if refusal.status in (403, 404, 405, 421, 501) and status == 424:
        status, name = refusal.status, "ValidationError"
    message = str(refusal)
    if isinstance(refusal, SignInNeeded):
        message = f"{refusal.reason} {BEARER}."
    said: dict[str, object] = {"Message": message, "RequestId": call.request_id}
    if name == "ModelError":
        said |= {"OriginalStatusCode": refusal.status, "OriginalMessage": message, "LogStreamArn": ""}
    return Answer(status, msgspec.json.encode(said), [(b"x-amzn-errortype", name.encode())])
