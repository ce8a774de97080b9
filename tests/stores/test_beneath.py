"""Files are opened beneath their folder and nowhere else, whatever a path says and whatever links stand there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from taxiway.stores.beneath import open_beneath


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file in it, and another file beside it."""
    (tmp_path / "store" / "a" / "b").mkdir(parents=True)
    (tmp_path / "store" / "a" / "b" / "file.txt").write_text("inside")
    (tmp_path / "secret.txt").write_text("outside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file.txt").write_text("outside")
    return tmp_path / "store"


def test_a_file_beneath_a_folder_is_opened(folder: Path) -> None:
    with open_beneath(folder, "a/b/file.txt") as file:
        assert file.read() == b"inside"


@pytest.mark.parametrize(
    "place",
    [
        "../secret.txt",
        "a/../../secret.txt",
        "a/../a/b/file.txt",
        "/etc/passwd",
        "//etc/passwd",
        "a//b/file.txt",
        "a/./b/file.txt",
        "a/b/file.txt/",
        "a\\b\\file.txt",
        "a/b/file.txt\0.png",
        "a/b",
        "",
        ".",
        "..",
        "a/" * 3000 + "file.txt",
    ],
)
def test_a_place_that_could_lead_elsewhere_is_refused(folder: Path, place: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        open_beneath(folder, place)


def test_a_link_in_place_of_a_file_is_not_followed(folder: Path) -> None:
    (folder / "a" / "link.txt").symlink_to("../../secret.txt")

    with pytest.raises(ValueError, match="link"):
        open_beneath(folder, "a/link.txt")


def test_a_link_in_place_of_a_folder_is_not_followed(folder: Path) -> None:
    (folder / "a" / "away").symlink_to("../../outside")

    with pytest.raises(ValueError, match="link"):
        open_beneath(folder, "a/away/file.txt")


def test_what_is_no_plain_file_is_refused_without_waiting(folder: Path) -> None:
    os.mkfifo(folder / "pipe")

    with pytest.raises(ValueError, match="plain file"):
        open_beneath(folder, "pipe")


def test_what_is_not_there_is_not_found(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_beneath(folder, "a/none.txt")
