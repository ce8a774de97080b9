"""The same rows through the clients of every protocol: equal answers, to the last bit."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.compat.conftest import Adder
from tests.compat.standing import Running
from tests.endpoints.conftest import Site, until, with_adder
from tests.support.venvs import venv

WAYS = {
    *("requests", "mlflow form", "kserve v1", "boto3", "boto3 csv"),
    *(f"triton {shape} {form}" for shape in ("columns", "matrix") for form in ("json", "binary")),
}


def spoken(said: Mapping[str, Any]) -> Any:
    """What the clients say."""
    command = [str(venv("serving-clients") / "python"), str(Path(__file__).with_name("speaking.py"))]
    ended = subprocess.run(command, input=json.dumps(said), capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return json.loads(ended.stdout)


@pytest.mark.slow
def test_every_client_gets_the_same_answers_to_the_last_bit(
    alone: Running, rows: list[dict[str, float]], known: dict[str, list[str]]
) -> None:
    found = spoken({"address": alone.url, "rows": rows})

    variant, attributes, status, message = found.pop("boto3 heard")
    said = found["requests"]
    assert found == dict.fromkeys(WAYS, said)
    assert said["labels"] == known["labels"]
    scores = zip(map(float.fromhex, said["scores"]), map(float.fromhex, known["scores"]), strict=True)
    assert max(abs(one - other) for one, other in scores) <= 1e-12  # a twin answers: it may add up in another order
    assert (variant, attributes, status) == ("revision-1", "trace=7", 422)
    assert "Row 0, field 'age'" in message


@pytest.mark.slow
def test_boto3_signs_in_with_a_token_and_never_with_a_signature(tmp_path: Path) -> None:
    token = "a token"
    site = with_adder(Site(tmp_path / "home"))
    try:
        site.change("adder", login_required=True, token_hashes=(sha256(token.encode()).hexdigest(),))
        until(lambda: site.ask({"x": 1}).status == 401)
        signed, bearer = spoken({"address": f"{site.address.host}:{site.address.port}", "token": token})
    finally:
        site.stop()

    assert signed[0] == "AccessDeniedException"
    assert "Authorization: Bearer" in signed[1]
    assert bearer == 2.0


@pytest.mark.slow
def test_boto3_gets_the_pieces_of_our_own_stream_and_its_errors(adder: Adder) -> None:
    own = adder.invoke({"x": 20}, Accept="application/x-ndjson").body.splitlines()

    found = spoken({"pieces": f"{adder.site.address.host}:{adder.site.address.port}"})

    *pieces, end = map(json.loads, own)
    assert [json.loads(each) for each in found["parts"]] == [each["piece"] for each in pieces]
    assert (len(pieces), end["end"]["outcome"]) == (20, "complete")
    assert found["said"] == ["application/jsonlines", "revision-1", "trace=7"]
    assert found["before"][0] == 500
    assert "'old'" in found["before"][1]
    *first, (code, message) = found["amid"]
    assert (len(first), code) == (2, "ModelStreamError")
    assert "ZeroDivisionError" in message
