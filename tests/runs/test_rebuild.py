"""Environments made anew by uv, without an index: from a wheel on this disk."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from taxiway.runs.again import rebuild as rebuilding
from taxiway.runs.again.rebuild import rebuild
from taxiway.runs.capturing.environment import look_around
from taxiway.runs.contract import Environment
from taxiway.runs.launch import launch
from taxiway.runs.refusals import UvMissing
from tests.support.live import Live


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The smallest package there is."""
    file = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as parts:
        parts.writestr("tiny.py", "SIZE = 1\n")
        parts.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        parts.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        parts.writestr("tiny-1.0.dist-info/RECORD", "tiny.py,,\ntiny-1.0.dist-info/METADATA,,\n")
    return file


def here() -> Environment:
    return Environment(
        python=".".join(map(str, sys.version_info[:3])), implementation="", platform="", machine="", cpus=1
    )


def test_what_can_be_had_is_there_and_the_rest_is_named(wheel: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = f"# CPython\ntiny @ {wheel.as_uri()}#sha256={digest}  # 1.0\nnot-in-any-index-tw==3.1\n"
    told: list[str] = []

    built = rebuild(lock, here(), tmp_path / "environment", told.append)

    run = subprocess.run(
        [built.python, "-c", "import tiny; print(tiny.SIZE)"], capture_output=True, text=True, check=True
    )
    assert run.stdout == "1\n"
    assert told == [f"installing 2 packages for Python {here().python}"]
    assert [gap.what.partition(":")[0] for gap in built.gaps] == ["not-in-any-index-tw could not be installed"]


def test_a_package_whose_bytes_are_others_is_named(wheel: Path, tmp_path: Path) -> None:
    lock = f"tiny @ {wheel.as_uri()}#sha256={'0' * 64}  # 1.0\n"

    built = rebuild(lock, here(), tmp_path / "environment", print)

    assert [gap.kind for gap in built.gaps] == ["environment"]
    assert "tiny could not be installed" in built.gaps[0].what


def test_nothing_in_a_lock_is_taken_for_an_option() -> None:
    elsewhere = "--index-" + "url=https://evil.example"
    lock = f"-r /etc/passwd\n{elsewhere}\n# tiny==1\n\ntiny==1.0+cu12\nown @ git+https://a.test/b@c\n"

    assert rebuilding.lines_of(lock) == ["tiny==1.0+cu12", "own @ git+https://a.test/b@c"]


def test_our_own_package_stands_in_for_one_from_a_folder(tmp_path: Path) -> None:
    lock = "taxiway @ file:///gone/taxiway  # 0.1.0, editable: its sources are where they were written\n"

    built = rebuild(lock, here(), tmp_path / "environment", print)

    [place] = (tmp_path / "environment" / "lib").glob("python*/site-packages/taxiway")
    assert (place / "runs" / "again" / "rebuild.py").is_file()
    assert built.gaps == []


def test_a_python_that_is_not_to_be_had_falls_back(tmp_path: Path) -> None:
    major, minor = sys.version_info[:2]
    odd = Environment(python=f"{major}.{minor}.999", implementation="", platform="", machine="", cpus=1)

    assert rebuild("", odd, tmp_path / "environment", print).python.exists()


def test_without_uv_the_refusal_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rebuilding, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "")

    with pytest.raises(UvMissing, match=r"pip install 'taxiway\[reproduce\]'.*--env current"):
        rebuild("", here(), tmp_path / "environment", print)


def test_the_lock_names_every_package_and_its_place() -> None:
    found = look_around()

    names = [line.partition("==")[0].partition(" @ ")[0] for line in found["lock"]]
    assert names == sorted(found["packages"])
    assert f"numpy=={found['packages']['numpy']}" in found["lock"]
    assert any(line.startswith("taxiway @ file:") for line in found["lock"])


def test_a_run_whose_packages_cannot_be_had_says_which(
    open_live: Live, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = open_live.client
    (folder / "train.py").write_text("print(1)\n")
    done = launch(client.transport, client.settings, [sys.executable, "train.py"], name="", home=client.settings.home)
    monkeypatch.setenv("UV_NO_CACHE", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setattr(rebuilding, "lines_of", lambda lock: lock.splitlines()[1:4])

    found = client.runs.reproduce(done.run)

    assert found.verdict == "bit-equal"  # it needs none of them
    assert len([gap for gap in found.inputs if "could not be installed" in gap.what]) == 3


@pytest.mark.judge
def test_all_packages_of_a_run_are_made_anew(
    open_live: Live, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("UV_OFFLINE")
    client = open_live.client
    (folder / "train.py").write_text(
        "import numpy, random, taxiway as tw\n"
        "with tw.run() as run:\n"
        "    run.seed(7)\n"
        "    run.log(loss=random.random() + numpy.random.random())\n"
    )
    done = launch(client.transport, client.settings, [sys.executable, "train.py"], name="", home=client.settings.home)

    found = client.runs.reproduce(done.run)

    again = client.runs.show(found.again)
    assert (found.verdict, [gap for gap in found.inputs if gap.kind != "environment"]) == ("bit-equal", [])
    assert "/environment/bin/python" in again.command[0]
