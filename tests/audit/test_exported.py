"""The log as a file: checked without a platform, and every changed byte of it found."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from taxiway.audit.contract import LogIncomplete, TreeHead, Verification
from taxiway.audit.exported import check_lines
from taxiway.audit.merkle import leaf_hash
from taxiway.kernel.errors import BadField
from tests.support.live import Live


def check(file: Path, held: Sequence[TreeHead] = ()) -> Verification:
    return check_lines(file.read_bytes().splitlines(keepends=True), held, lambda _: None)


def exported(live: Live, tmp_path: Path) -> Path:
    for n in range(6):
        live.client.projects.create(f"project-{n}", purpose="Größe \U0001f600", risk="high")
    file = tmp_path / "log.jsonl"
    live.client.audit.export(file)
    return file


def test_a_log_is_checked_where_no_platform_is(live: Live, tmp_path: Path) -> None:
    file = exported(live, tmp_path)
    kept = live.client.audit.head()
    (tmp_path / "head.json").write_bytes(msgspec.json.encode(kept))

    found = check(file, [kept])
    told = subprocess.run(
        [sys.executable, "-m", "taxiway", "audit", "verify", "--log", file.name, "--head", "head.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert found == Verification(is_intact=True, entries=kept.size, heads=1)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith(f"The log holds: {kept.size} entries, 1 signed head")
    assert not (tmp_path / ".taxiway").exists()


def test_every_changed_byte_is_found(live: Live, tmp_path: Path) -> None:
    file = exported(live, tmp_path)
    whole = file.read_bytes()
    kept = live.client.audit.head()
    rng = random.Random(8785)
    missed: list[int] = []

    for at in rng.sample(range(len(whole)), 400):
        changed = bytearray(whole)
        changed[at] ^= 1 << rng.randrange(8)
        file.write_bytes(changed)
        try:
            found = check(file, [kept])
        except BadField:  # the first line is no beginning any more
            continue
        beginning = whole.index(b"\n")
        if found.is_intact and at > beginning:
            missed.append(at)

    assert missed == []


@pytest.mark.parametrize(("cut", "said"), [(-1, "entries were cut"), (3, "entry 2 is missing")])
def test_lines_that_are_gone_are_named(live: Live, tmp_path: Path, cut: int, said: str) -> None:
    file = exported(live, tmp_path)
    lines = file.read_bytes().splitlines(keepends=True)
    del lines[cut]
    file.write_bytes(b"".join(lines))

    assert said in (check(file).problem or "")


def test_the_entry_that_was_changed_is_named(live: Live, tmp_path: Path) -> None:
    file = exported(live, tmp_path)
    lines = file.read_bytes().splitlines(keepends=True)
    lines[4] = lines[4].replace(b'"high"', b'"low"').replace(b'"sdk"', b'"cli"')
    file.write_bytes(b"".join(lines))

    found = check(file)

    assert found.first_bad_seq == 3
    assert "entry 3 was changed" in (found.problem or "")


def test_a_changed_entry_with_its_new_hash_does_not_fit_the_head(live: Live, tmp_path: Path) -> None:
    file = exported(live, tmp_path)
    lines = file.read_bytes().splitlines(keepends=True)
    entry = lines[4].partition(b"\t")[0].replace(b'"sdk"', b'"cli"')
    lines[4] = entry + b"\t" + leaf_hash(entry).hex().encode() + b"\n"
    file.write_bytes(b"".join(lines))

    assert "do not match their head" in (check(file).problem or "")


def test_two_heads_of_one_size_that_differ_are_a_fork(live: Live, tmp_path: Path) -> None:
    file = exported(live, tmp_path)
    kept = live.client.audit.head()
    other = msgspec.structs.replace(kept, root="0" * 64)

    for heads in ([kept, other], [other, kept]):
        assert "was forked" in (check(file, heads).problem or "")
        assert "was forked" in (live.client.audit.verify(*heads).problem or "")


def test_an_old_file_shows_against_a_newer_head(live: Live, tmp_path: Path) -> None:
    file = exported(live, tmp_path)
    live.client.projects.create("later")

    found = check(file, [live.client.audit.head()])

    assert "entries were cut off" in (found.problem or "")


@pytest.mark.parametrize("text", ["", "{}", '{"format":"other","head":{},"keys":[]}', "\x00"])
def test_what_is_no_log_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "log").write_text(text)

    with pytest.raises(BadField, match="log"):
        check(tmp_path / "log")


def test_who_sees_some_projects_only_exports_nothing(live: Live, tmp_path: Path) -> None:
    live.as_person("ana").projects.create("hers")
    live.as_person("bob").projects.create("his")

    with pytest.raises(LogIncomplete, match="Ask an admin"):
        live.people["bob"].audit.export(tmp_path / "log.jsonl")
