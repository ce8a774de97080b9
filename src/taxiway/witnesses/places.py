"""Where heads are kept. Each place is named by a URL that only who starts the server can give."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import msgspec

from taxiway.audit.contract import TreeHead
from taxiway.audit.held import read_heads
from taxiway.hooks.addresses import Reach, Target, read_url, shown
from taxiway.hooks.posting import post
from taxiway.kernel.errors import BadField, TaxiwayError

HEADS = "heads.jsonl"
GIT_S = 30.0
NO_PROGRAMS = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")  # of the repository's own
EXPECTED = "file:///FILE, git:///REPOSITORY or https://HOST/PATH"


class WitnessUnusable(Exception):
    """A place did not take a head, or did not give back the last; its text says why."""


class Place(Protocol):
    """A place that keeps heads. url: how people are told of it, without what only the receiver should know."""

    url: str

    def newest(self) -> TreeHead | None:
        """The head that it kept last; None where it kept none or cannot say. Raises WitnessUnusable."""
        ...

    def keep(self, head: TreeHead) -> None:
        """Raises WitnessUnusable."""
        ...


class FilePlace:
    """A file with a head to a line; what stands in it is only added to."""

    def __init__(self, file: Path, url: str) -> None:
        self.file, self.url = file, url

    def newest(self) -> TreeHead | None:
        if self.file.exists() and not self.file.is_file():  # to read from a pipe would be to wait for ever
            raise WitnessUnusable("it is no plain file")
        try:
            kept = read_heads(self.file.read_bytes(), self.file.name)
        except FileNotFoundError:
            return None
        except (OSError, BadField) as e:
            raise WitnessUnusable(words_of(e)) from e
        return kept[-1] if kept else None

    def keep(self, head: TreeHead) -> None:
        line = msgspec.json.encode(head) + b"\n"
        try:
            handle = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o640)
            with os.fdopen(handle, "ab") as f:
                f.write(line)
                f.flush()
                os.fsync(f.fileno())
        except OSError as e:
            raise WitnessUnusable(words_of(e)) from e


class GitPlace:
    """A file of heads in a git repository, a commit for each; who pushes it elsewhere needs nothing more."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.file = FilePlace(folder / HEADS, url)

    def newest(self) -> TreeHead | None:
        self._git("rev-parse", "--git-dir")
        return self.file.newest()

    def keep(self, head: TreeHead) -> None:
        """Commits the file alone, by commands that know no filters, which are programs of the repository's own."""
        self.file.keep(head)
        known = self._git("rev-parse", "--verify", "--quiet", "HEAD", is_asked=True)
        file = f"100644,{self._git('hash-object', '-w', '--no-filters', '--', HEADS)},{HEADS}"
        with tempfile.TemporaryDirectory() as beside:
            index = Path(beside) / "index"  # so that what others are about to commit stays theirs
            if known:
                self._git("read-tree", known, index=index)
            self._git("update-index", "--add", "--cacheinfo", file, index=index)
            tree = self._git("write-tree", index=index)
        before = ("-p", known) if known else ()
        made = self._git("commit-tree", "--no-gpg-sign", *before, "-m", f"Head of {head.size} entries", tree)
        self._git("update-ref", "-m", "commit by Taxiway", "HEAD", made, known or "0" * len(made))
        self._git("update-index", "--add", "--cacheinfo", file)

    def _git(self, *words: str, is_asked: bool = False, index: Path | None = None) -> str:
        """What git says. is_asked: no is an answer, too, and is empty. index: instead of its own."""
        who = ("-c", "user.name=Taxiway", "-c", "user.email=taxiway@localhost")
        command = ["git", "-C", str(self.folder), *who, *NO_PROGRAMS, *words]
        surroundings = {**os.environ, "GIT_ALLOW_PROTOCOL": "none"}  # it fetches nothing that it lacks
        if index is not None:
            surroundings["GIT_INDEX_FILE"] = str(index)
        try:
            done = subprocess.run(command, capture_output=True, timeout=GIT_S, check=False, env=surroundings)
        except (OSError, subprocess.TimeoutExpired) as e:
            raise WitnessUnusable(words_of(e)) from e
        if done.returncode and not is_asked:
            said = (done.stderr or done.stdout).decode(errors="replace").strip().partition("\n")[0]
            raise WitnessUnusable(f"git {words[0]} failed: {said}")
        return "" if done.returncode else done.stdout.decode(errors="replace").strip()


class WebPlace:
    """An address that takes a head by POST, as JSON; what it kept it does not say."""

    def __init__(self, target: Target, url: str) -> None:
        self.target, self.url = target, shown(url)
        self.reach = Reach([target.named])

    def newest(self) -> TreeHead | None:
        return None

    def keep(self, head: TreeHead) -> None:
        try:
            addresses = self.reach.addresses(self.target)
        except TaxiwayError as e:
            raise WitnessUnusable(str(e)) from e
        headers = {"Content-Type": "application/json"}
        outcome = post(self.target, addresses, headers, msgspec.json.encode(head).decode())
        if not outcome.is_delivered:
            raise WitnessUnusable(outcome.error)


def read_places(urls: Sequence[str]) -> list[Place]:
    """The places that URLs name. Raises BadField."""
    return [read_place(url) for url in dict.fromkeys(urls)]


def read_place(url: str) -> Place:
    if url.startswith(("http://", "https://")):
        return WebPlace(read_url(url, "witness"), url)
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if parts.scheme not in ("file", "git") or parts.netloc or not path.is_absolute() or path == Path("/"):
        raise BadField(field="witness", value=repr(url[:200]), expected=EXPECTED)
    return FilePlace(path, url) if parts.scheme == "file" else GitPlace(path, url)


def words_of(error: Exception) -> str:
    match error:
        case subprocess.TimeoutExpired():
            return f"git did not end within {GIT_S:g} s"
        case OSError():
            return (error.strerror or str(error)).lower()
    return str(error)
