"""The same rows through the clients of every protocol: equal answers, to the last bit."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

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
    assert found == dict.fromkeys(WAYS, known)
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
