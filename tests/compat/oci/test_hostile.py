"""A registry that answers as none should: refused by name, in bounded memory, and nothing is left behind."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from taxiway.compat.oci import layout
from taxiway.compat.oci.layout import digest_of
from taxiway.compat.oci.pushing import LARGEST_STATEMENT, pull
from taxiway.compat.oci.reading import release_in
from taxiway.compat.oci.refusals import RegistryRefused
from tests.gates import worked


class Hostile(ThreadingHTTPServer):
    """Answers each path that ends as a key does with what stands there; a text is where it redirects to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.answers: dict[str, bytes | str] = {}


class Answers(BaseHTTPRequestHandler):
    server: Hostile

    def do_GET(self) -> None:
        found = next((said for end, said in self.server.answers.items() if self.path.endswith(end)), None)
        self.send_response(404 if found is None else 302 if isinstance(found, str) else 200)
        if isinstance(found, str):
            self.send_header("Location", found)
        body = found if isinstance(found, bytes) else b"{}"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said: object) -> None: ...


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The answers of a registry that holds one bundle."""
    folder = worked.bundle(tmp_path_factory.mktemp("hostile") / "linear", worked.linear()).folder
    files = [each.read_bytes() for each in folder.rglob("*") if each.is_file()]
    manifest = (folder / "taxiway.json").read_bytes()
    config = {"mediaType": layout.BUNDLE_CONFIG, "digest": digest_of(manifest), "size": len(manifest)}
    return {**{digest_of(each): each for each in files}, "/manifests/1": json.dumps({"config": config}).encode()}


@pytest.fixture
def registry(bundle: dict[str, bytes]) -> Iterator[Hostile]:
    with Hostile() as server:
        server.answers = {**bundle}
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def index(*manifests: object) -> bytes:
    return json.dumps({"manifests": manifests}).encode()


def statement(size: object) -> tuple[bytes, bytes]:
    """The index of a statement that says to be so large, and its manifest."""
    manifest = json.dumps({"layers": [{"digest": f"sha256:{'0' * 64}", "size": size}]}).encode()
    return index({"artifactType": layout.ENVELOPE, "digest": digest_of(manifest)}), manifest


MANIFESTS = [b"[" * 100_000, b"x", b"[1]", "http://x:abc/", "https://[::bad/"]
REFERRING = [b"[]", b"x", b'{"manifests": "abc"}', index(1), index({"artifactType": layout.ENVELOPE})]


@pytest.mark.parametrize(
    ("at", "said"), [("/manifests/1", m) for m in MANIFESTS] + [("referrers", r) for r in REFERRING]
)
def test_what_no_registry_says_is_a_refusal(registry: Hostile, tmp_path: Path, at: str, said: bytes | str) -> None:
    subject = digest_of(registry.answers["/manifests/1"])  # type: ignore[arg-type]
    registry.answers[f"/referrers/{subject}" if at == "referrers" else at] = said

    with pytest.raises(RegistryRefused):
        pull(f"127.0.0.1:{registry.server_port}/m:1", tmp_path / "back", is_plain=True, tell=str)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [LARGEST_STATEMENT + 1, 1 << 50, "y", None])
def test_a_statement_of_no_size_is_not_taken(registry: Hostile, tmp_path: Path, size: object) -> None:
    told, manifest = statement(size)
    registry.answers |= {f"/referrers/{digest_of(registry.answers['/manifests/1'])}": told}  # type: ignore[arg-type]
    registry.answers[digest_of(manifest)] = manifest

    with pytest.raises(RegistryRefused, match="answer as registries do"):
        pull(f"127.0.0.1:{registry.server_port}/m:1", tmp_path / "back", is_plain=True, tell=str)


def test_a_release_that_is_none_is_passed_over() -> None:
    assert release_in(b'{"payload": "eyJwcmVkaWNhdGVUeXBlIjoieCIsInByZWRpY2F0ZSI6WzFdfQ=="}') is None
