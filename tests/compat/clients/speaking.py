"""Asks one endpoint through other vendors' clients, as their users would, and tells what each of them understood.

Run by the Python of `.venvs/serving-clients`: the address and the rows come in, answers by client go out, each score
in its bits.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

boto3: Any = importlib.import_module("boto3")
botocore: Any = importlib.import_module("botocore")
http: Any = importlib.import_module("tritonclient.http")
np: Any = importlib.import_module("numpy")
requests: Any = importlib.import_module("requests")

Rows = list[dict[str, float]]


def told(predictions: Any, scores: Any = ()) -> dict[str, list[str]]:
    """Labels, and scores to the last bit."""
    return {"labels": [str(each) for each in predictions], "scores": [float(each).hex() for each in scores]}


def by_requests(address: str, rows: Rows) -> dict[str, Any]:
    """Our own form, MLflow's, KServe's first."""
    own = requests.post(f"http://{address}/endpoints/credit/invocations", json=rows, timeout=20).json()["predictions"]
    split = {"columns": list(rows[0]), "data": [list(row.values()) for row in rows]}
    asked = {"dataframe_split": split, "params": {"score": True}}
    mlflow = requests.post(f"http://{address}/invocations", json=asked, timeout=20).json()["predictions"]
    instances = {"instances": rows, "parameters": {"score": True}}
    kserve = requests.post(f"http://{address}/v1/models/credit:predict", json=instances, timeout=20).json()
    found = {"requests": own, "mlflow form": mlflow, "kserve v1": kserve["predictions"]}
    return {
        name: told([answer["prediction"] for answer in answers], [answer["score"] for answer in answers])
        for name, answers in found.items()
    }


def by_boto3(address: str, rows: Rows) -> dict[str, Any]:
    """SageMaker's runtime, signed as ever, in JSON and in CSV."""
    client = runtime(address)
    body = json.dumps({"instances": rows, "params": {"score": True}})
    answer = client.invoke_endpoint(
        EndpointName="credit", Body=body, ContentType="application/json", CustomAttributes="trace=7"
    )
    predictions = json.load(answer["Body"])["predictions"]
    text = "\n".join(",".join(map(repr, row.values())) for row in rows)
    plain = client.invoke_endpoint(
        EndpointName="credit", Body=text, ContentType="text/csv", Accept="text/csv; header=present"
    )
    _, *lines = plain["Body"].read().decode().splitlines()
    cells = [line.split(",") for line in lines]
    refused: list[Any] = []
    try:
        client.invoke_endpoint(EndpointName="credit", Body=b'{"age": "old"}', ContentType="application/json")
    except client.exceptions.ModelError as e:
        refused = [e.response["OriginalStatusCode"], e.response["OriginalMessage"]]
    return {
        "boto3": told([each["prediction"] for each in predictions], [each["score"] for each in predictions]),
        "boto3 csv": told([label for label, _ in cells], [score for _, score in cells]),
        "boto3 heard": [answer["InvokedProductionVariant"], answer["CustomAttributes"], *refused],
    }


def runtime(address: str, **config: Any) -> Any:
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": "eu-central-1"}
    chosen = importlib.import_module("botocore.config").Config(retries={"max_attempts": 1}, **config)
    return boto3.client("sagemaker-runtime", endpoint_url=f"http://{address}", config=chosen, **keys)


def by_triton(address: str, rows: Rows) -> dict[str, Any]:
    """Tensors in JSON and in bytes, one for each column and one for all."""
    found = {}
    client = http.InferenceServerClient(address)
    assert client.is_server_ready()
    assert client.is_model_ready("credit")
    columns = [column["name"] for column in client.get_model_metadata("credit")["inputs"]]
    matrix = np.array([[row[name] for name in columns] for row in rows])
    for is_binary in (False, True):
        each = [http.InferInput(name, [len(rows)], "FP64") for name in columns]
        for number, tensor in enumerate(each):
            tensor.set_data_from_numpy(np.ascontiguousarray(matrix[:, number]), binary_data=is_binary)
        together = http.InferInput("rows", list(matrix.shape), "FP64")
        together.set_data_from_numpy(matrix, binary_data=is_binary)
        for name, inputs in (("columns", each), ("matrix", [together])):
            outputs = [http.InferRequestedOutput(o, binary_data=is_binary) for o in ("prediction", "score")]
            answer = client.infer("credit", inputs, outputs=outputs, request_id="7")
            assert answer.get_response()["id"] == "7"
            key = f"triton {name} {'binary' if is_binary else 'json'}"
            found[key] = told(answer.as_numpy("prediction").tolist(), answer.as_numpy("score"))
    client.close()
    return found


def with_token(address: str, token: str) -> list[Any]:
    """What boto3 hears where a token is asked for: signed as ever, and with the token in its place."""
    heard: list[Any] = []
    bearer = runtime(address, signature_version=botocore.UNSIGNED)
    bearer.meta.events.register("before-send.sagemaker-runtime", lambda request, **_: set_token(request.headers, token))
    for client in (runtime(address), bearer):
        try:
            answer = client.invoke_endpoint(EndpointName="adder", Body=b'{"x": 1}', ContentType="application/json")
            heard.append(json.load(answer["Body"])["predictions"][0]["prediction"])
        except client.exceptions.ClientError as e:
            heard.append([e.response["Error"]["Code"], e.response["Error"]["Message"]])
    return heard


def set_token(headers: Any, token: str) -> None:
    headers["Authorization"] = f"Bearer {token}"


def in_pieces(address: str) -> dict[str, Any]:
    """What boto3 hears of answers in pieces: parts, what came with them, and errors before and amid them."""
    client = runtime(address)
    answer = client.invoke_endpoint_with_response_stream(
        EndpointName="adder", Body=b'{"x": 20}', ContentType="application/json", CustomAttributes="trace=7"
    )
    parts = [event["PayloadPart"]["Bytes"].decode() for event in answer["Body"]]
    said = [answer["ContentType"], answer["InvokedProductionVariant"], answer["CustomAttributes"]]
    before: list[Any] = []
    try:
        client.invoke_endpoint_with_response_stream(
            EndpointName="adder", Body=b'{"x": "old"}', ContentType="application/json"
        )
    except client.exceptions.ModelError as e:
        before = [e.response["OriginalStatusCode"], e.response["OriginalMessage"]]
    amid: list[Any] = []
    broken = client.invoke_endpoint_with_response_stream(
        EndpointName="adder", Body=b'{"x": 20, "mood": "raise"}', ContentType="application/json"
    )
    try:
        amid.extend(event["PayloadPart"]["Bytes"].decode() for event in broken["Body"])
    except botocore.exceptions.EventStreamError as e:
        amid.append([e.response["Error"]["Code"], e.response["Error"]["Message"]])
    return {"parts": parts, "said": said, "before": before, "amid": amid}


if __name__ == "__main__":
    given = json.load(sys.stdin)
    if "pieces" in given:
        importlib.import_module("botocore.exceptions")
        json.dump(in_pieces(given["pieces"]), sys.stdout)
    elif "token" in given:
        json.dump(with_token(given["address"], given["token"]), sys.stdout)
    else:
        asked = given["address"], given["rows"]
        json.dump({**by_requests(*asked), **by_boto3(*asked), **by_triton(*asked)}, sys.stdout)
