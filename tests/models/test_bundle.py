"""A bundle names the file that is not what was approved."""

from __future__ import annotations

import json
import os
import shutil
import struct
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.models.bundle import (
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
from taxiway.models.canonical import NotCanonical, canonical_json
from taxiway.models.signature import Column, Signature

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


@pytest.mark.parametrize(
    "path", ["../model", "/etc/passwd", "a/../b", "a//b", "", "a\\b", ".env", "taxiway.json"]
)
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


NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON))
def test_the_order_of_keys_makes_no_difference(value: dict[str, object]) -> None:
    backwards = dict(reversed(value.items()))

    assert canonical_json(backwards) == canonical_json(value)


@given(JSON)
def test_canonical_json_reads_back_as_the_same_value_and_is_its_own_canonical_form(value: object) -> None:
    once = canonical_json(value)

    assert json.loads(once, parse_int=float) == value
    assert canonical_json(msgspec.json.decode(once)) == once


@pytest.mark.parametrize(
    ("bits", "text"),
    [  # RFC 8785, appendix B
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_are_written_as_the_standard_writes_them(bits: str, text: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))

    assert canonical_json(value).decode() == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53 + 1, 10**400])
def test_a_number_without_a_canonical_form_is_refused(value: float) -> None:
    with pytest.raises(NotCanonical):
        canonical_json({"value": value})
