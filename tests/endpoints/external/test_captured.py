"""Lines of SageMaker's data capture and Azure ML's data collector become records; what is odd is named by its place."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from taxiway.endpoints.external.captured.reading import Model, form_of, read_captured
from taxiway.kernel.errors import BadField
from taxiway.models.predicting.signature import Column, Signature

SIGNATURE = Signature(
    inputs=(
        Column(name="income", type="number"),
        Column(name="district", type="integer"),
        Column(name="married", type="boolean", nullable=True),
        Column(name="city", type="string"),
    ),
    outputs=(Column(name="prediction", type="integer"), Column(name="score", type="number")),
)
MODEL = Model(SIGNATURE, 0.5)
ROW = {"income": 66.5, "district": 2, "married": True, "city": "Ulm, Donau"}


def sagemaker(data: str, answer: str, *, encoding: str = "CSV", answered: str = "CSV", **more: Any) -> dict[str, Any]:
    """A line as SageMaker writes it to `…/AllTraffic/2026/03/01/09/….jsonl`."""
    content_type = {"CSV": "text/csv", "JSON": "application/json"}.get(encoding, "")
    return {
        "captureData": {
            "endpointInput": {
                "observedContentType": content_type,
                "mode": "INPUT",
                "data": data,
                "encoding": encoding,
            },
            "endpointOutput": {
                "observedContentType": "text/csv; charset=utf-8",
                "mode": "OUTPUT",
                "data": answer,
                "encoding": answered,
            },
        },
        "eventMetadata": {
            "eventId": "3b1f6f9e-6d7b-4f0b-9f5c-6ad5b2b1f0aa",
            "inferenceTime": "2026-03-01T09:00:00Z",
            **more,
        },
        "eventVersion": "0",
    }


@pytest.mark.parametrize(
    ("event", "rows"),
    [
        (sagemaker('66.5,2,true,"Ulm, Donau"\n', "1,0.8"), 1),
        (sagemaker('income,district,married,city\n66.5,2,1,"Ulm, Donau"\n', "1,0.8\n"), 1),
        (sagemaker('66.5,2,true,"Ulm, Donau"\n66.5,2,true,"Ulm, Donau"', "1,0.8\n1,0.8"), 2),
        (
            sagemaker(
                '{"instances": [{"features": [66.5, 2, true, "Ulm, Donau"]}]}',
                '{"predictions": [{"score": 0.8, "predicted_label": 1}]}',
                encoding="JSON",
                answered="JSON",
            ),
            1,
        ),
        (
            sagemaker(
                '{"dataframe_split": {"columns": ["city", "income", "district", "married"],'
                ' "data": [["Ulm, Donau", 66.5, 2, true]]}}',
                '[{"prediction": 1, "score": 0.8}]',
                encoding="JSON",
                answered="JSON",
            ),
            1,
        ),
        (sagemaker('[66.5, 2, true, "Ulm, Donau"]', "[1, 0.8]", encoding="JSON", answered="JSON"), 1),
        (
            sagemaker(
                base64.b64encode(b'66.5,2,true,"Ulm, Donau"').decode(),
                base64.b64encode(b'{"prediction": 1, "score": 0.8}').decode(),
                encoding="BASE64",
                answered="BASE64",
            ),
            1,
        ),
    ],
)
def test_sagemakers_lines_are_read_in_the_shapes_that_containers_take(event: dict[str, Any], rows: int) -> None:
    found = read_captured("sagemaker", [event], MODEL)

    assert form_of(event) == "sagemaker"
    assert [each.inputs for each in found.records] == [ROW] * rows
    assert [each.outputs for each in found.records] == [{"prediction": 1, "score": 0.8}] * rows
    assert [each.row for each in found.records] == list(range(rows))
    assert found.origins == [0] * rows


def test_a_score_alone_is_cut_at_the_versions_threshold_and_a_callers_id_is_the_one_that_labels_use() -> None:
    event = sagemaker("66.5,2,,Ulm", "0.0254", inferenceId="loan-7")

    [record] = read_captured("sagemaker", [event], Model(SIGNATURE, 0.02, ["score"])).records

    assert (record.prediction_id, record.outputs) == ("loan-7", {"score": 0.0254, "prediction": 1})
    assert record.inputs["married"] is None
    with pytest.raises(BadField, match="no threshold"):
        read_captured("sagemaker", [event], Model(SIGNATURE, None, ["score"]))


def azure(type_: str, id_: str, data: Any, time: str = "2026-03-01T09:00:00Z") -> dict[str, Any]:
    """A line as the data collector writes it to `…/model_inputs/2026/03/01/09/….jsonl`."""
    return {
        "specversion": "1.0",
        "id": "725aa7b9-0aeb-4da8-9d9b-f6a4a6d5bd9e",
        "source": "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w",
        "type": f"azureml.inference.{type_}",
        "datacontenttype": "application/json",
        "time": time,
        "data": data,
        "correlationid": id_,
        "xrequestid": id_,
        "modelversion": "default",
        "collectdatatype": "pandas.core.frame.DataFrame",
        "agent": "azureml-ai-monitoring/0.1.0b1",
        "contentrange": "bytes 0-116/117",
    }


def test_azures_requests_and_answers_are_joined_by_their_id_whichever_came_first() -> None:
    answer = {"prediction": 1, "score": 0.8}
    events = [
        azure("model_outputs", "b", [answer, answer]),
        azure("model_inputs", "a", [ROW]),
        azure("model_inputs", "b", [ROW, ROW]),
        azure("model_inputs", "c", [ROW]),
        azure("response", "a", {"predictions": [answer]}),
    ]

    found = read_captured("azure", events, MODEL)

    assert form_of(events[0]) == "azure"
    assert [(each.prediction_id, each.row) for each in found.records] == [("b", 0), ("b", 1), ("a", 0)]
    assert (found.origins, found.unpaired) == ([2, 2, 1], 1)


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (sagemaker("1,2,3", "1,0.8"), "row 0, inputs.data"),
        (sagemaker("66.5,2,true,Ulm\n66.5,2,true,Ulm", "1,0.8"), "captured[0]"),
        (sagemaker("66.5,2,true,Ulm", "1,0.8,9"), "row 0, outputs.data"),
        (sagemaker("{", "1", encoding="JSON"), "captureData.endpointInput.data"),
        (sagemaker("[" * 100_000, "1", encoding="JSON"), "captureData.endpointInput.data"),
        (sagemaker("!!", "1", encoding="BASE64"), "captureData.endpointInput.data"),
        (sagemaker("1", "1", encoding="XML"), "captureData.endpointInput.encoding"),
        (sagemaker('66.5,2,true,"Ulm', "1,0.8"), "captureData.endpointInput.data"),
        (sagemaker("1," * 1_000_001, "1"), "captureData.endpointInput.data"),
        ({**sagemaker("66.5,2,true,Ulm", "1,0.8"), "eventVersion": "1"}, "eventVersion"),
        (sagemaker("66.5,2,true,Ulm", "1,0.8", inferenceId="a\nb"), "prediction_id"),
        (sagemaker("66.5,2,true,Ulm", "1,0.8", inferenceId="a" * 201), "prediction_id"),
        ({"captureData": {}, "eventMetadata": {}}, "captureData"),
    ],
)
def test_what_is_odd_in_a_line_is_named(event: dict[str, Any], field: str) -> None:
    with pytest.raises(BadField) as refusal:
        read_captured("sagemaker", [event], MODEL)

    assert refusal.value.field.startswith("captured[0]")
    assert field in refusal.value.field


@pytest.mark.parametrize(
    "events",
    [
        [azure("model_inputs", "", [ROW])],
        [azure("model_inputs", "a", [ROW]), azure("model_inputs", "a", [ROW])],
        [azure("drift", "a", [ROW])],
    ],
)
def test_events_that_cannot_be_paired_are_refused(events: list[dict[str, Any]]) -> None:
    events = [{**each, "xrequestid": ""} for each in events]
    with pytest.raises(BadField, match="captured"):
        read_captured("azure", events, MODEL)
