"""A bundle names the file that is not what was approved."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import pytest

from taxiway.kernel.canonical import canonical_json
from taxiway.models.bundles.bundle import (
    Bundle,
    BundleTampered,
    Manifest,
    NativeModel,
    NotABundle,
    bundle_digest,
    digest_of,
    read_manifest,
    read_verified,
    verify_bundle,
    write_bundle,
)
from taxiway.models.predicting.signature import Column, Signature

SIGNATURE = Signature(
    inputs=(
        Column(name="income", type="number"),
        Column(name="house", type="category", categories=("a", "b")),
    ),
    outputs=(Column(name="prediction", type="integer"),),
)
DRAFT = Manifest(
    name="mortgage",
    flavour="sklearn",
    signature=SIGNATURE,
    native=NativeModel(file="model.skops", serialization="skops"),
    threshold=0.5,
    run="0" * 32,
    datasets=(digest_of(b"data"),),
    risk_tier="high",
)
EVERY_FILE = ["MLmodel", "model.skops", "requirements.lock", "trees/first.bin"]


@pytest.fixture
def sealed(tmp_path: Path) -> Bundle:
    folder = tmp_path / "sealed"
    (folder / "trees").mkdir(parents=True)
    (folder / "model.skops").write_bytes(b"the weights")
    (folder / "trees" / "first.bin").write_bytes(b"a tree")
    (folder / "MLmodel").write_text("{}")
    return write_bundle(folder, DRAFT, lock="numpy==2.4.6\n")


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_sealed_bundle_verifies_against_its_digest(sealed: Bundle) -> None:
    assert verify_bundle(sealed.folder, sealed.digest) == sealed
    assert [file.path for file in sealed.manifest.files] == EVERY_FILE
    assert sealed.manifest.environment == digest_of(b"numpy==2.4.6\n")


def test_the_digest_is_the_sha256_of_the_manifest_file(sealed: Bundle) -> None:
    assert sealed.digest == digest_of((sealed.folder / "taxiway.json").read_bytes())
    assert bundle_digest(read_manifest(sealed.folder)) == sealed.digest


def test_the_same_content_has_the_same_digest_wherever_it_stands(sealed: Bundle, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(sealed.folder, tmp_path / "copy"))

    assert verify_bundle(copy).digest == sealed.digest


@pytest.mark.parametrize("file", EVERY_FILE)
def test_one_flipped_bit_names_the_file(sealed: Bundle, file: str) -> None:
    flip_a_bit(sealed.folder / file)

    with pytest.raises(BundleTampered) as refusal:
        verify_bundle(sealed.folder, sealed.digest)

    assert refusal.value.file == file
    assert refusal.value.found == digest_of((sealed.folder / file).read_bytes())
    assert file in str(refusal.value)


def test_one_flipped_bit_of_the_manifest_names_the_manifest(sealed: Bundle) -> None:
    flip_a_bit(sealed.folder / "taxiway.json")

    with pytest.raises(BundleTampered) as refusal:
        verify_bundle(sealed.folder, sealed.digest)

    assert (refusal.value.file, refusal.value.expected) == ("taxiway.json", sealed.digest)


def test_a_manifest_that_says_the_same_in_other_bytes_is_refused(sealed: Bundle) -> None:
    manifest = sealed.folder / "taxiway.json"
    manifest.write_bytes(msgspec.json.format(manifest.read_bytes()))

    with pytest.raises(BundleTampered, match=r"taxiway\.json"):
        verify_bundle(sealed.folder)


def test_a_missing_file_is_named(sealed: Bundle) -> None:
    (sealed.folder / "trees" / "first.bin").unlink()

    with pytest.raises(BundleTampered) as refusal:
        verify_bundle(sealed.folder, sealed.digest)

    assert (refusal.value.file, refusal.value.found) == ("trees/first.bin", "nothing")


@pytest.mark.parametrize("file", ["extra.py", ".git", "trees/.hidden", "trees/extra"])
def test_an_added_file_is_named(sealed: Bundle, file: str) -> None:
    (sealed.folder / file).write_text("import os")

    with pytest.raises(BundleTampered) as refusal:
        verify_bundle(sealed.folder, sealed.digest)

    assert refusal.value.file == file


def test_a_link_is_refused_even_to_the_very_same_bytes(sealed: Bundle, tmp_path: Path) -> None:
    (sealed.folder / "model.skops").rename(tmp_path / "elsewhere")
    (sealed.folder / "model.skops").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(BundleTampered) as refusal:
        verify_bundle(sealed.folder, sealed.digest)
    with pytest.raises(BundleTampered, match="symbolic link"):
        read_verified(sealed, "model.skops")

    assert (refusal.value.file, refusal.value.found) == ("model.skops", "a symbolic link")


def test_a_pipe_is_refused_without_waiting_for_it(sealed: Bundle) -> None:
    os.mkfifo(sealed.folder / "pipe")

    with pytest.raises(BundleTampered, match="special file"):
        verify_bundle(sealed.folder)


@pytest.mark.parametrize("path", ["../model", "/etc/passwd", "a/../b", "a//b", "", "a\\b", ".env", "taxiway.json"])
def test_a_listed_path_stays_inside_the_folder(sealed: Bundle, path: str) -> None:
    listed = msgspec.structs.replace(sealed.manifest.files[0], path=path)
    manifest = msgspec.structs.replace(sealed.manifest, files=(listed,))
    (sealed.folder / "taxiway.json").write_bytes(canonical_json(manifest))

    with pytest.raises(BundleTampered):
        verify_bundle(sealed.folder)
    with pytest.raises(BundleTampered):
        read_manifest(sealed.folder)


def test_bytes_swapped_after_the_check_are_refused_when_read(sealed: Bundle) -> None:
    verified = verify_bundle(sealed.folder, sealed.digest)
    (sealed.folder / "model.skops").write_bytes(b"THE WEIGHTS")

    with pytest.raises(BundleTampered, match=r"model\.skops"):
        read_verified(verified, "model.skops")


def test_a_sealed_folder_is_not_sealed_again(sealed: Bundle) -> None:
    with pytest.raises(NotABundle, match="sealed already"):
        write_bundle(sealed.folder, DRAFT)


def test_a_folder_without_its_native_file_is_not_sealed(tmp_path: Path) -> None:
    with pytest.raises(NotABundle, match=r"model\.skops"):
        write_bundle(tmp_path, DRAFT)

    assert not (tmp_path / "taxiway.json").exists()


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"name": 3}', b"\xff", b'{"name": NaN}'])
def test_an_unreadable_manifest_is_no_bundle(sealed: Bundle, content: bytes) -> None:
    (sealed.folder / "taxiway.json").write_bytes(content)

    with pytest.raises(NotABundle):
        verify_bundle(sealed.folder)


def test_a_newer_format_says_so(sealed: Bundle) -> None:
    newer = msgspec.structs.replace(sealed.manifest, format=99)
    (sealed.folder / "taxiway.json").write_bytes(canonical_json(newer))

    with pytest.raises(NotABundle, match="newer"):
        verify_bundle(sealed.folder)


def test_an_absent_folder_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(NotABundle):
        verify_bundle(tmp_path / "nowhere")
