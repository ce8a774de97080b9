"""A version taken to a real registry and back, read there by another client, and what a registry may send wrong."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from taxiway.cli import main
from taxiway.compat.oci import contract, layout
from taxiway.compat.oci.pushing import Pulled, pull, push
from taxiway.compat.oci.refusals import NoBundleThere, RegistryRefused, RegistrySays
from taxiway.compat.oci.registry import Registry
from taxiway.evidence.dsse import Envelope
from taxiway.kernel.errors import BadField, NotFound
from taxiway.models.bundles.bundle import verify_bundle
from tests.gates.story import FAIR, Story
from tests.support.kept import Kept
from tests.support.registry import running_registry
from tests.support.venvs import venv


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture
def story(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    monkeypatch.chdir(tmp_path)
    with kept.again(Story, tmp_path) as story:
        yield story


def quietly(_: str) -> None: ...


def brought(registry: str, name: str, folder: Path) -> Pulled:
    return pull(f"{registry}/{name}", folder, is_plain=True, tell=quietly)


def test_a_version_goes_to_a_registry_and_comes_back_byte_for_byte(story: Story, registry: str, tmp_path: Path) -> None:
    version = story.version(FAIR)

    pushed = push(story.ana, "mortgage", f"{registry}/models/mortgage", is_plain=True, tell=quietly)
    found = brought(registry, "models/mortgage:1", tmp_path / "back")

    assert pushed.bundle == found.bundle == version.bundle
    assert pushed.digest == found.digest
    assert verify_bundle(tmp_path / "back", version.bundle).manifest.name == "mortgage"
    assert found.stage == "none"
    assert "https://taxiway.dev/release/v1" in found.statements
    for file in (tmp_path / "back.statements").iterdir():
        said = json.loads(file.read_bytes())
        envelope = Envelope(**{name.replace("payloadType", "payload_type"): value for name, value in said.items()})
        assert envelope.payload


def test_pushing_again_sends_nothing_and_tells_the_stage_of_now(story: Story, registry: str, tmp_path: Path) -> None:
    story.ready()
    first = push(story.ana, "mortgage", f"{registry}/again:latest", is_plain=True, tell=quietly)
    story.vera.gates.approve("mortgage", comment="seen")
    story.ana.models.promote("mortgage@1", "production")

    second = push(story.ana, "mortgage", f"{registry}/again:latest", is_plain=True, tell=quietly)
    found = brought(registry, "again", tmp_path / "back")

    assert first.new_bytes > 0
    assert (second.new_bytes, second.digest) == (0, first.digest)
    assert (first.stage, second.stage, found.stage) == ("none", "production", "production")
    assert second.statements > first.statements
    assert found.statements.count("https://taxiway.dev/approval/v1") == 1


def test_a_cluster_asks_whether_an_image_may_run(story: Story, registry: str) -> None:
    story.ready()
    pushed = push(story.ana, "mortgage", f"{registry}/asked", is_plain=True, tell=quietly)
    before = story.ana.transport.call(contract.show_image, digest=pushed.digest)
    story.vera.gates.approve("mortgage", comment="seen")
    story.ana.models.promote("mortgage@1", "production")

    after = story.ana.transport.call(contract.show_image, digest=pushed.digest)

    assert (before.stage, before.is_released, before.closed) == ("none", False, ["approvals"])
    assert (after.model, after.version, after.stage, after.is_released) == ("mortgage", 1, "production", True)
    with pytest.raises(NotFound, match="models push"):
        story.ana.transport.call(contract.show_image, digest=f"sha256:{'0' * 64}")


def test_the_platform_signs_which_image_stands_where(story: Story, registry: str) -> None:
    story.version(FAIR)
    pushed = push(story.ana, "mortgage", f"{registry}/signed", is_plain=True, tell=quietly)
    statements = story.ana.evidence.list(thing="model:mortgage@1").items
    [released] = [each for each in statements if each.predicate_type == "https://taxiway.dev/release/v1"]

    assert {subject.digest for subject in released.subjects} == {pushed.digest, pushed.bundle}
    shown = story.ana.evidence.show(released.id)
    assert story.ana.evidence.verify(shown.envelope).holds
    assert shown.predicate["open"] == {"staging": False, "production": False}


PULLING = """
import sys, oras.client
client = oras.client.OrasClient(insecure=True)
print(*client.pull(target=sys.argv[1], outdir=sys.argv[2]), sep="\\n")
"""


def test_another_client_pulls_the_same_files(story: Story, registry: str, tmp_path: Path) -> None:
    version = story.version(FAIR)
    push(story.ana, "mortgage", f"{registry}/oras", is_plain=True, tell=quietly)

    command = [str(venv("oras") / "python"), "-c", PULLING, f"{registry}/oras:1", str(tmp_path / "theirs")]
    pulled = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    assert pulled.returncode == 0, pulled.stderr
    assert verify_bundle(tmp_path / "theirs", version.bundle).digest == version.bundle


def test_a_shell_pushes_and_pulls(
    story: Story, registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    story.version(FAIR)
    monkeypatch.setenv("TAXIWAY_URL", story.live.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", story.live.tokens["ana"])

    codes = [
        main(["models", "push", "mortgage@1", f"{registry}/shell/mortgage:3", "--plain-http"]),
        main(["models", "pull", f"{registry}/shell/mortgage:3", str(tmp_path / "back"), "--plain-http"]),
    ]

    said = capsys.readouterr().out
    assert codes == [0, 0], said
    assert "Its stage is none." in said
    assert "every byte checked" in said


def test_a_file_that_was_changed_in_the_registry_is_found(story: Story, tmp_path: Path) -> None:
    with running_registry(tmp_path / "registry") as address:
        story.version(FAIR)
        push(story.ana, "mortgage", f"{address}/changed", is_plain=True, tell=quietly)
        data = next(
            f for f in (tmp_path / "registry").rglob("data") if f.is_file() and f.read_bytes().startswith(b"model ")
        )
        data.write_bytes(data.read_bytes()[:-1] + b"X")

        with pytest.raises(RegistryRefused):
            brought(address, "changed:1", tmp_path / "back")

    assert not (tmp_path / "back").exists()
    assert not list(tmp_path.glob(".incoming-*"))


def test_an_image_that_is_no_bundle_is_told(registry: str, tmp_path: Path) -> None:
    there = Registry(registry, "other", is_plain=True)
    there.put_blob(BytesIO(b"{}"), 2, layout.digest_of(b"{}"))
    config = layout.Descriptor("application/vnd.oci.image.config.v1+json", layout.digest_of(b"{}"), 2).told()
    image = json.dumps({"schemaVersion": 2, "mediaType": layout.IMAGE, "config": config, "layers": []}).encode()
    there.put_manifest(image, "1")

    with pytest.raises(NoBundleThere, match=r"of the kind application/vnd\.oci\.image\.config"):
        brought(registry, "other:1", tmp_path / "back")


def test_a_registry_that_asks_for_a_password_gets_the_one_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bcrypt = "ana:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC\n"  # myPassword
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with running_registry(tmp_path / "registry", bcrypt) as address:
        with pytest.raises(RegistrySays, match="docker login"):
            Registry(address, "secret", is_plain=True).has_blob(f"sha256:{'0' * 64}")
        (tmp_path / "docker").mkdir()
        auth = base64.b64encode(b"ana:myPassword").decode()
        (tmp_path / "docker" / "config.json").write_text(json.dumps({"auths": {address: {"auth": auth}}}))

        assert not Registry(address, "secret", is_plain=True).has_blob(f"sha256:{'0' * 64}")


@pytest.mark.parametrize(
    "reference",
    [
        "mortgage",
        "host/Upper:1",
        "host/a//b:1",
        "host/a:",
        "host/a@sha256:12",
        "ho st/a:1",
        "host/../a:1",
        "host/a:b c",
    ],
)
def test_what_names_no_place_is_refused(reference: str) -> None:
    with pytest.raises(BadField, match="HOST/REPOSITORY:TAG"):
        layout.read_place(reference, default="latest")


def test_http_is_spoken_only_where_it_was_asked_for(registry: str) -> None:
    with pytest.raises(RegistryRefused):
        Registry(registry, "models/mortgage").has_blob(f"sha256:{'0' * 64}")
