"""A live endpoint as other systems meet it: exported as typed, and asked at the server's own port."""

from __future__ import annotations

import http.client
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from taxiway.cli import main
from tests.endpoints.conftest import until

if TYPE_CHECKING:
    from tests.endpoints.running_server import Platform


@pytest.mark.parametrize(
    ("to", "kinds"), [("kserve", ["ServingRuntime", "InferenceService"]), ("kubernetes", ["Deployment", "Service"])]
)
def test_an_endpoint_becomes_manifests_of_the_version_that_answers(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, kinds: list[str]
) -> None:
    monkeypatch.setenv("TAXIWAY_URL", platform.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", platform.owner.access.make_token("olu").token)
    file = tmp_path / "manifests.yaml"
    wish = ["--image", "registry.example/mortgage:1", "--storage", "s3://models/mortgage/1", "--out", str(file)]

    code = main(["endpoints", "export", "mortgage", "--to", to, *wish])

    written = [msgspec.yaml.decode(text) for text in file.read_text().split("---\n")]
    active = platform.olu.endpoints.show("mortgage")
    bundle = next(r.bundle for r in active.revisions if r.number == active.endpoint.active)
    assert code == 0
    assert [each["kind"] for each in written] == kinds
    assert bundle in file.read_text()


def test_what_a_cluster_must_know_is_asked_for(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    codes = [
        main(["endpoints", "export", "mortgage", *more]) for more in ([], ["--to", "kserve"], ["--to", "kubernetes"])
    ]

    assert codes == [1, 1, 1]
    assert [line.partition(":")[0] for line in capsys.readouterr().err.replace("taxiway: ", "").splitlines()] == [
        "--to",
        "--storage",
        "--image",
    ]


def test_the_servers_own_port_speaks_other_protocols_to_who_has_a_token(platform: Platform) -> None:
    token = {"Authorization": f"Bearer {platform.owner.access.make_token('olu').token}"}
    nobody = {"Authorization": f"Bearer {platform.owner.access.make_token('eve').token}"}

    def get(path: str, headers: dict[str, str]) -> tuple[int, Any]:
        with closing(http.client.HTTPConnection(platform.url.removeprefix("http://"), timeout=20)) as connection:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, msgspec.json.decode(response.read())

    until(lambda: get("/v1/models/mortgage", token) == (200, {"name": "mortgage", "ready": True}))

    # Other tests may have left endpoints of their own there: all that one may see are told of, and nobody else's.
    seen = [each.name for each in platform.olu.endpoints.list()]
    assert "mortgage" in seen
    assert get("/v1/models", token) == (200, {"models": seen})
    assert get("/v1/models", nobody) == (200, {"models": []})
    assert get("/v2/models/mortgage", token)[1]["inputs"]
    assert [get(path, {})[0] for path in ("/v1/models", "/v2/models/mortgage", "/v2/health/live")] == [401, 401, 200]
    assert isinstance(get("/v2/models/mortgage", {})[1]["error"], str)
