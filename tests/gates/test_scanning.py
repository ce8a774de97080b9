"""The scan of a bundle: programs, however they are wrapped, secrets, licences and advisories."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import pickle
import zipfile
import zlib
from collections import OrderedDict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from taxiway.gates.checks.scan import Scan, ScanAsks
from taxiway.gates.contract import Outcome
from taxiway.gates.scanning import packages
from taxiway.gates.scanning.files import Piece, Program, program, unfolded
from taxiway.gates.scanning.opcodes import unknown, walk
from taxiway.gates.working.opening import open_case
from taxiway.models.bundles.bundle import Manifest, NativeModel, write_bundle
from tests.gates import worked
from tests.gates.story import SIGNATURE


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("true",)


EVIL = {protocol: pickle.dumps(Evil(), protocol) for protocol in range(6)}


def zipped(data: bytes, name: str = "inner/data.pkl") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return out.getvalue()


def array_of_objects() -> bytes:
    out = io.BytesIO()
    np.save(out, np.array([Evil()], dtype=object), allow_pickle=True)
    return out.getvalue()


WRAPPED = {
    **{f"protocol {protocol}": data for protocol, data in EVIL.items()},
    "gzip": gzip.compress(EVIL[4]),
    "bzip2": bz2.compress(EVIL[4]),
    "zlib": zlib.compress(EVIL[4]),
    "zip": zipped(EVIL[4]),
    "zip in zip": zipped(zipped(EVIL[2]), "model.npz"),
    "array": array_of_objects(),
    "array in npz": zipped(array_of_objects(), "a.npy"),
    "cut off": EVIL[4][:-1],
    "put together": pickle.dumps(OrderedDict(a=Evil())),
}


def programs(data: bytes) -> list[Program]:
    pieces = [each for each in unfolded(Piece("model.bin", data), 0) if isinstance(each, Piece)]
    return [found for each in pieces if (found := program(each)) is not None]


@pytest.mark.parametrize("how", WRAPPED)
def test_a_program_is_found_however_it_is_wrapped(how: str) -> None:
    names = [name for found in programs(WRAPPED[how]) for name in unknown(found.found.names)]

    assert names == ["posix.system"]


@pytest.mark.parametrize("protocol", range(6))
def test_what_rebuilds_data_is_known(protocol: int) -> None:
    what = {"a": np.arange(3), "b": OrderedDict(c=np.float64(1.5)), "d": {1, 2}, "e": worked.linear()}

    [found] = programs(pickle.dumps(what, protocol))

    assert found.found.is_whole
    assert list(unknown(found.found.names)) == []


TEXTS = [b"city\nparis\nlyon\n", b"c,d\n1,2\n", b"(1, 2)\n", b"{}", b"I am no pickle.", b"", b".", b"\x80", b"cos"]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_no_program(text: bytes) -> None:
    assert programs(text) == []


def test_a_name_that_only_the_stack_knows_is_not_taken_for_a_known_one() -> None:
    data = b"\x80\x04\x8c\x05posix\x8c\x06system\x86\x85R."  # no STACK_GLOBAL by constants
    hidden = b"\x80\x04N\x93\x8c\x04trueR."

    assert walk(data).names == []
    assert list(unknown(walk(hidden).names)) == ["a name that is put together while it runs"]


def scan(folder: Path, files: dict[str, bytes], asks: ScanAsks | None = None, lock: str = "", **given: Any) -> Outcome:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "model.bin").write_bytes(b"1")
    native = NativeModel(file="model.bin", serialization="none")
    made = write_bundle(folder, Manifest(name="m", flavour="none", signature=SIGNATURE, native=native), lock=lock)
    return Scan().ask(asks or ScanAsks(), open_case(worked.job("scan", {}, made, features=(), **given)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "bundle"
    made.mkdir()
    return made


def test_a_pickle_of_a_stranger_fails_and_is_named(folder: Path) -> None:
    outcome = scan(folder, {"extra.dat": EVIL[4]})

    assert outcome.verdict == "fail"
    assert "extra.dat is a pickle that imports posix.system" in outcome.reason


def test_what_is_only_warned_of_passes_and_is_listed(folder: Path) -> None:
    outcome = scan(folder, {"extra.dat": EVIL[4]}, ScanAsks(pickle="warn"))

    assert outcome.verdict == "pass"
    assert any("posix.system" in line for line in outcome.details)


def test_an_allowed_global_passes(folder: Path) -> None:
    assert scan(folder, {"extra.dat": EVIL[4]}, ScanAsks(allow=["posix.system"])).verdict == "pass"


def test_a_secret_is_named_by_its_place_and_never_told(folder: Path) -> None:
    secret = "AKIA" + "ABCDEFGHIJKLMNOP"

    outcome = scan(folder, {"notes.txt": f"first\nkey {secret}\n".encode(), "weights.env": b"x"})

    assert outcome.verdict == "fail"
    assert "notes.txt holds a secret in line 2" in outcome.reason
    assert "weights.env is named like one" in outcome.reason
    assert secret not in str(outcome)


def test_a_real_model_passes(tmp_path: Path) -> None:
    made = worked.bundle(tmp_path / "linear", worked.linear())

    assert Scan().ask(ScanAsks(), open_case(worked.job("scan", {}, made))).verdict == "pass"


def test_a_denied_licence_names_its_package(folder: Path) -> None:
    asks = msgspec.convert({"licences": {"deny": ["BSD"]}}, ScanAsks)

    outcome = scan(folder, {}, asks, lock="numpy==2.0 \\\n    --hash=sha256:00\nno-such-package==1\n")

    assert outcome.verdict == "fail"
    assert "numpy 2.0 is under BSD" in outcome.reason
    assert any("no-such-package" in line for line in outcome.details)


ADVISORY = {
    "id": "PYSEC-2026-1",
    "summary": "reads what it should not",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Some_Package"},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.10"}, {"introduced": "2.0rc1"}]}
            ],
            "versions": ["1.11.post1"],
        }
    ],
}
VERSIONS = [("1.9", True), ("1.10", False), ("1.11.post1", True), ("1.12", False), ("2.0rc1", True), ("3", True)]


@pytest.mark.parametrize(("version", "is_affected"), VERSIONS)
def test_advisories_speak_of_versions_as_osv_says(version: str, *, is_affected: bool) -> None:
    found = list(packages.against([packages.Package("some-package", version)], [ADVISORY]))

    assert bool(found) is is_affected


def test_a_vulnerable_package_fails_and_says_what_mends_it(folder: Path) -> None:
    table = pa.table({"osv": [msgspec.json.encode(ADVISORY).decode(), "not one"]})

    outcome = scan(
        folder, {}, ScanAsks(advisories="security/advisories"), "some-package==1.9\n", named={"advisories": table}
    )

    assert outcome.verdict == "fail"
    assert "some-package 1.9 has PYSEC-2026-1 (reads what it should not; mended in 1.10)" in outcome.reason
