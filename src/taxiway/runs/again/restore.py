"""Puts the sources of a past run back into a clean folder, from what was kept and the commit where it is at hand."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from taxiway.kernel.errors import Unexpected
from taxiway.runs.again.sameness import InputGap
from taxiway.runs.capturing.capture import git, is_source
from taxiway.runs.capturing.redact import REDACTED, redact
from taxiway.runs.contract import Code

GIT_S = 120.0
PROSE = (".md", ".rst", ".txt")  # what no program needs to be whole


class Restored(Struct):
    """What came back. lacking: why it cannot be run, one sentence for each reason; gaps: what else is not the same."""

    lacking: list[str]
    gaps: list[InputGap]


def put_back(code: Code, texts: Mapping[str, str], folder: Path) -> Restored:
    """Writes the sources into the folder.

    The files of the commit come first, where a repository at hand has it: data and whatever was left out are among
    them. Then what was kept goes over them: changes and untracked files.
    """
    restored = Restored([], [])
    repository = find_commit(code)
    if repository is not None:
        check_out(repository, code.commit, folder)
        take_away_what_was_gone(code, texts, folder)
    for path, text in texts.items():
        target = within(folder, path)
        if not (code.redactions and REDACTED in text):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())
        elif not find_original(code, path, text, target):
            lost = f"{path} held secrets, which were not kept"
            restored.gaps.append(InputGap("code", lost))
            if target.suffix not in PROSE:
                restored.lacking.append(lost)
    restored.gaps += [
        InputGap("code", f"not kept: {line}")
        for line in code.left_out
        if repository is None or not (folder / line.partition(":")[0]).is_file()
    ]
    return restored


def find_commit(code: Code) -> Path | None:
    """A repository on this machine that has the commit: where the sources stood, or the one we are in."""
    for place in (Path(code.root) if code.root else None, Path.cwd()):
        known = place is not None and place.is_dir() and code.commit
        if known and place is not None and git(place, "cat-file", "-e", f"{code.commit}^{{commit}}") is not None:
            return place
    return None


def check_out(repository: Path, commit: str, folder: Path) -> None:
    """The files of a commit, without touching the repository."""
    top = (git(repository, "rev-parse", "--show-toplevel") or str(repository)).strip()
    done = subprocess.run(
        ["git", "-C", top, "archive", "--format=tar", commit], capture_output=True, check=False, timeout=GIT_S
    )
    if done.returncode:
        raise Unexpected(detail=f"The commit {commit} cannot be read: {done.stderr.decode(errors='replace').strip()}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as files:
        files.extractall(folder, filter="data")


def take_away_what_was_gone(code: Code, texts: Mapping[str, str], folder: Path) -> None:
    """Removes sources that the commit has and the run's tree had not any more."""
    named = {line.partition(":")[0] for line in code.left_out}
    if any(name.startswith("and ") for name in named):
        return  # not all that was left out is known
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder).as_posix()
        if file.is_file() and not file.is_symlink() and is_source(path) and path not in texts and path not in named:
            file.unlink()


def find_original(code: Code, path: str, text: str, target: Path) -> bool:
    """Whether the file as it was before its secrets were taken out is at hand; then it stands in the folder."""
    if target.is_file() and reads_as(target, text):
        return True
    there = Path(code.root) / path if code.root else None
    if there is not None and there.is_file() and reads_as(there, text):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(there, target)
        return True
    return False


def reads_as(file: Path, text: str) -> bool:
    try:
        return redact(file.read_bytes().decode())[0] == text
    except (OSError, UnicodeDecodeError):
        return False


def within(folder: Path, path: str) -> Path:
    """The place of a kept file; what was kept comes from a server, so it may not lead elsewhere. Raises Unexpected."""
    place = (folder / path).resolve()
    if Path(path).is_absolute() or not place.is_relative_to(folder.resolve()):
        raise Unexpected(detail=f"The kept sources name {path!r}, which leads out of their folder.")
    return place
