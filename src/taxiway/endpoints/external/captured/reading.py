"""Captured events into records, each knowing which event it came from.

SageMaker writes request and answer into one line, Azure ML into two, in files of their own, that share an id.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
https://learn.microsoft.com/azure/machine-learning/how-to-collect-production-data
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Struct

from taxiway.endpoints.external.captured.answers import as_outputs, names_of
from taxiway.endpoints.external.captured.shapes import Row, as_inputs, decoded, rows_of, unwrapped
from taxiway.endpoints.external.contract import MOST_RECORDS, CaptureForm, FedRecord
from taxiway.kernel.errors import BadField
from taxiway.models.predicting.signature import Signature

Moment = Annotated[datetime, Meta(tz=True)]


class Payload(Struct, frozen=True, rename="camel"):
    """What went one way. data: as the encoding says."""

    data: str
    encoding: str
    observed_content_type: str = ""


class CaptureData(Struct, frozen=True, rename="camel"):
    endpoint_input: Payload
    endpoint_output: Payload


class EventMetadata(Struct, frozen=True, rename="camel"):
    """inference_id: what the caller called the request, and joins its labels by."""

    event_id: str
    inference_time: Moment
    inference_id: str = ""


class SagemakerEvent(Struct, frozen=True, rename="camel"):
    capture_data: CaptureData
    event_metadata: EventMetadata
    event_version: str = "0"


class AzureEvent(Struct, frozen=True):
    """A CloudEvent of the model data collector. data: rows by name, or the payload as it was."""

    type: str
    time: Moment
    data: Any
    correlationid: str = ""
    xrequestid: str = ""


class Exchange(NamedTuple):
    """One request with its answer. place: of its event among those given."""

    place: int
    prediction_id: str
    at: datetime
    inputs: Sequence[Row]
    outputs: Sequence[Row]


class Read(NamedTuple):
    """origins: the place of the event that each record came from. unpaired: requests or answers without the other."""

    records: list[FedRecord]
    origins: list[int]
    unpaired: int


class Model(NamedTuple):
    """What is known of the version that answered. outputs: names of values that come without."""

    signature: Signature
    threshold: float | None
    outputs: Sequence[str] = ()


def read_captured(form: CaptureForm, events: Sequence[Mapping[str, Any]], model: Model) -> Read:
    """The records that events hold, in their order. Raises BadField, naming event and field."""
    unpaired = 0
    if form == "sagemaker":
        exchanges = [from_sagemaker(place, event, model) for place, event in enumerate(events)]
    else:
        exchanges, unpaired = from_azure(events, model)
    records: list[FedRecord] = []
    origins: list[int] = []
    for exchange in exchanges:
        for record in records_of(exchange, model):
            records.append(record)
            origins.append(exchange.place)
        if len(records) > MOST_RECORDS:
            expected = f"at most {MOST_RECORDS:,} rows at once"
            raise BadField(
                field=f"captured[{exchange.place}]", value=f"{len(records):,} rows by here", expected=expected
            )
    return Read(records, origins, unpaired)


def records_of(exchange: Exchange, model: Model) -> Iterator[FedRecord]:
    """A record for each row. Raises BadField."""
    where = f"captured[{exchange.place}]"
    inputs, outputs = exchange.inputs, exchange.outputs
    names = names_of(model.signature.outputs, model.outputs)
    if len(inputs) == 1 and len(outputs) == len(names) > 1 and not any(isinstance(x, list | dict) for x in outputs):
        outputs = [list(outputs)]  # the values of one answer, which no name held together
    if not inputs or len(inputs) != len(outputs):
        value = f"{len(inputs)} rows asked, {len(outputs)} answered"
        raise BadField(field=where, value=value, expected="an answer for each row")
    for row, (asked, answer) in enumerate(zip(inputs, outputs, strict=True)):
        found = {
            "prediction_id": exchange.prediction_id,
            "row": row,
            "at": exchange.at,
            "inputs": as_inputs(asked, model.signature.inputs, f"{where}, row {row}, inputs"),
            "outputs": as_outputs(answer, names, model.threshold, f"{where}, row {row}, outputs"),
        }
        yield converted(found, FedRecord, where)


def converted(given: Any, kind: type[Any], where: str) -> Any:
    """Raises BadField."""
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as e:
        problem, _, inner = str(e).partition(" - at `$")
        field = f"{where}{inner.rstrip('`')}"
        raise BadField(field=field, value=str(given)[:60], expected=f"as it is captured ({problem})") from e


def from_sagemaker(place: int, event: Mapping[str, Any], model: Model) -> Exchange:
    """A line of SageMaker's data capture. Raises BadField."""
    where = f"captured[{place}]"
    found: SagemakerEvent = converted(event, SagemakerEvent, where)
    if found.event_version != "0":
        raise BadField(field=f"{where}.eventVersion", value=found.event_version[:20], expected="0")
    sides = []
    for name, payload, columns in (
        ("endpointInput", found.capture_data.endpoint_input, model.signature.inputs),
        ("endpointOutput", found.capture_data.endpoint_output, named_outputs(model)),
    ):
        at = f"{where}.captureData.{name}"
        text, is_csv = decoded(payload.data, payload.encoding, payload.observed_content_type, at)
        asked = name == "endpointInput"
        sides.append(rows_of(text, is_csv=is_csv, columns=columns, where=at, are_asked=asked))
    said = found.event_metadata
    return Exchange(place, said.inference_id or said.event_id, said.inference_time, *sides)


def named_outputs(model: Model) -> Sequence[Any]:
    """The columns of the answer, in the order in which the other side gives them."""
    if not model.outputs:
        return model.signature.outputs
    own = {column.name: column for column in model.signature.outputs}
    return [own[name] for name in model.outputs if name in own]


def from_azure(events: Sequence[Mapping[str, Any]], model: Model) -> tuple[list[Exchange], int]:
    """Events of Azure ML's data collector, requests joined with answers by correlation id. Raises BadField."""
    sides: dict[str, dict[str, tuple[int, AzureEvent]]] = {}
    for place, event in enumerate(events):
        found: AzureEvent = converted(event, AzureEvent, f"captured[{place}]")
        pair = sides.setdefault(shared_id(event), {})
        side = side_of(found.type)
        if not shared_id(event) or not side or side in pair:
            field, value = ("type", found.type) if not side else ("correlationid", shared_id(event) or "nothing")
            expected = "inputs or outputs, or request or response" if not side else f"each id once among the {side}"
            raise BadField(field=f"captured[{place}].{field}", value=value[:80], expected=expected)
        pair[side] = (place, found)
    exchanges, unpaired = [], 0
    for id_, pair in sides.items():
        if len(pair) < 2:
            unpaired += 1
            continue
        (place, asked), (_, answered) = pair["inputs"], pair["outputs"]
        inputs = unwrapped(asked.data, model.signature.inputs, are_asked=True)
        outputs = unwrapped(answered.data, named_outputs(model), are_asked=False)
        exchanges.append(Exchange(place, id_, asked.time, inputs, outputs))
    return exchanges, unpaired


def shared_id(event: Mapping[str, Any]) -> str:
    """What the events of one request have in common."""
    return str(event.get("correlationid") or event.get("xrequestid") or "")


def side_of(type_: str) -> str:
    """Which way an event went, by the collection it is of; empty where that does not say."""
    last = type_.rpartition(".")[2].lower()
    if "input" in last or "request" in last:
        return "inputs"
    return "outputs" if "output" in last or "response" in last or "prediction" in last else ""


def form_of(event: Mapping[str, Any]) -> CaptureForm | None:
    """Whose event it is; None for our own records."""
    if "captureData" in event:
        return "sagemaker"
    return "azure" if "specversion" in event and "type" in event else None
