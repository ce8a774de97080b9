"""Signatures over folders: ours by the tool `model-signing`, the tool's by us, and what neither may let through."""

import json
import stat
import subprocess
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, EllipticCurve, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from taxiway.client import Client
from taxiway.models.bundles.bundle import BundleTampered
from taxiway.models.refusals import ModelKeyUnusable, SignatureUnfit
from taxiway.models.signing import vouching
from taxiway.models.signing.openssf import own_key, pem_of, read_private, read_public, sign_folder, verify_folder
from tests.support.venvs import venv


@pytest.fixture(scope="session")
def tool() -> Callable[..., subprocess.CompletedProcess[str]]:
    """The tool itself."""
    program = venv("model-signing") / "model_signing"

    def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [str(program), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    (made / "inner").mkdir(parents=True)
    (made / "taxiway.json").write_text("{}")
    (made / "inner" / "weights.bin").write_bytes(bytes(range(256)))
    return made


def key_in(folder: Path, curve: EllipticCurve | None = None) -> Path:
    """A private key in a file, its public half beside it."""
    key = generate_private_key(curve or SECP256R1())
    file = folder / "key.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "key.pub.pem").write_bytes(pem_of(key.public_key()))
    return file


@pytest.mark.slow
def test_the_tool_verifies_what_we_sign_and_we_what_it_signs(
    tool: Callable[..., subprocess.CompletedProcess[str]], folder: Path, tmp_path: Path
) -> None:
    key, public = key_in(tmp_path), tmp_path / "key.pub.pem"
    ours, theirs = tmp_path / "ours.sig", tmp_path / "theirs.sig"
    signed = sign_folder(folder, read_private(key), ours)
    assert tool("sign", "key", folder, "--private_key", key, "--signature", theirs).returncode == 0

    verified = tool("verify", "key", folder, "--public_key", public, "--signature", ours)

    assert (verified.returncode, verified.stdout.strip()) == (0, "Verification succeeded"), verified.stderr
    assert verify_folder(folder, read_public(public), theirs) == signed
    (folder / "inner" / "weights.bin").write_bytes(b"other")
    assert "Hash mismatch" in tool("verify", "key", folder, "--public_key", public, "--signature", ours).stderr
    with pytest.raises(BundleTampered) as refusal:
        verify_folder(folder, read_public(public), theirs)
    assert refusal.value.file == "inner/weights.bin"


@pytest.mark.slow
def test_a_payload_that_the_tool_leaves_out_is_refused_by_us(
    tool: Callable[..., subprocess.CompletedProcess[str]], folder: Path, tmp_path: Path
) -> None:
    key, public, signature = key_in(tmp_path), tmp_path / "key.pub.pem", tmp_path / "model.sig"
    sign_folder(folder, read_private(key), signature)
    (folder / ".github").mkdir()
    (folder / ".github" / "payload.py").write_text("print('hidden')")

    assert tool("verify", "key", folder, "--public_key", public, "--signature", signature).returncode == 0
    with pytest.raises(SignatureUnfit, match=r"\.github is left out"):
        verify_folder(folder, read_public(public), signature)


def test_the_bundle_is_as_the_standard_says(folder: Path, tmp_path: Path) -> None:
    sign_folder(folder, read_private(key_in(tmp_path)), tmp_path / "model.sig")

    written = json.loads((tmp_path / "model.sig").read_text())

    assert written["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert written["dsseEnvelope"]["payloadType"] == "application/vnd.in-toto+json"
    assert written["verificationMaterial"]["tlogEntries"] == []


@pytest.mark.parametrize(
    ("change", "file"),
    [
        (lambda folder: (folder / "taxiway.json").write_text("[]"), "taxiway.json"),
        (lambda folder: (folder / "more.txt").write_text("x"), "more.txt"),
        (lambda folder: (folder / "inner" / "weights.bin").unlink(), "inner/weights.bin"),
        (lambda folder: (folder / "link").symlink_to("taxiway.json"), "link"),
    ],
)
def test_a_folder_that_was_changed_is_refused(
    folder: Path, tmp_path: Path, change: Callable[[Path], object], file: str
) -> None:
    key, signature = key_in(tmp_path), tmp_path / "model.sig"
    sign_folder(folder, read_private(key), signature)
    change(folder)

    with pytest.raises(BundleTampered) as refusal:
        verify_folder(folder, read_private(key).public_key(), signature)

    assert refusal.value.file == file


def test_a_signature_may_lie_within_the_folder(folder: Path, tmp_path: Path) -> None:
    key, signature = read_private(key_in(tmp_path, SECP384R1())), folder / "model.sig"

    signed = sign_folder(folder, key, signature)

    assert verify_folder(folder, key.public_key(), signature) == signed
    assert signed.files == 2


def test_another_key_another_file_and_a_changed_envelope_do_not_hold(folder: Path, tmp_path: Path) -> None:
    key, signature = read_private(key_in(tmp_path)), tmp_path / "model.sig"
    sign_folder(folder, key, signature)

    with pytest.raises(SignatureUnfit, match="another key"):
        verify_folder(folder, generate_private_key(SECP256R1()).public_key(), signature)
    written = json.loads(signature.read_text())
    written["dsseEnvelope"]["payload"] = written["dsseEnvelope"]["payload"].replace("A", "B", 1)
    signature.write_text(json.dumps(written))
    with pytest.raises(SignatureUnfit, match="signature is wrong"):
        verify_folder(folder, key.public_key(), signature)
    signature.write_text("{}")
    with pytest.raises(SignatureUnfit, match="no Sigstore bundle"):
        verify_folder(folder, key.public_key(), signature)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no key")

    with pytest.raises(ModelKeyUnusable):
        read_private(tmp_path / "key.pem")


def test_ones_own_key_is_made_once_and_is_ones_own(tmp_path: Path) -> None:
    file = own_key(tmp_path / "config")
    before = file.read_bytes()

    assert own_key(tmp_path / "config").read_bytes() == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_commands_sign_and_verify_a_folder(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    nobody = cast("Client", None)

    written = vouching.sign(nobody, Namespace(what=str(folder), key=None, out=""))

    assert (written.file, written.files) == ("model.sig", 2)
    assert vouching.verify_signed(nobody, str(folder), "model.sig", written.public).digest == written.digest
    (folder / "taxiway.json").write_text("[]")
    with pytest.raises(BundleTampered):
        vouching.verify_signed(nobody, str(folder), "model.sig", "")
