"""Runs the fenced blocks of a page in order, as a reader would who copies them into a terminal and a Python prompt.

- ``bash`` and ``python`` blocks run in one shell and one interpreter for the whole page, in an empty folder;
- a block of any language whose first line is a comment with a file's name, such as ``# train.py``, becomes that file;
- a ``text`` block is what the block before it printed: its lines come in this order, others may stand between them,
  ``…`` stands for anything, and runs of blanks or dashes count as one;
- any other block is only shown.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# ([\w-]+\.(?:py|yaml|toml|csv))\n")
END = "end of block"
PATIENCE_S = 120.0

BASH = ["bash", "--noprofile", "--norc"]
# An answer for each line that comes in: a block of Python, as JSON.
READER = f"""
import json, sys, traceback
space = {{"__name__": "__main__"}}
for line in sys.stdin:
    failed = 0
    try:
        exec(compile(json.loads(line), "block", "exec"), space)
    except BaseException:
        failed = 1
        traceback.print_exc()
    print("\\n{END}", failed, flush=True)
"""
PYTHON = [sys.executable, "-uc", READER]


class Block(NamedTuple):
    """A fenced block and the line of the page that it begins on."""

    language: str
    text: str
    line: int


class BlockFailed(AssertionError):
    """A block ended with an error, or printed something else than the page says."""


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text()
    return [Block(m[1], m[2], text.count("\n", 0, m.start()) + 1) for m in FENCE.finditer(text)]


class Session:
    """An interpreter that takes one block after the other."""

    def __init__(self, command: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, text: str) -> tuple[str, bool]:
        """What a block prints, and whether all of it succeeded."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        watchdog = threading.Timer(PATIENCE_S, self.end)
        watchdog.start()
        self.process.stdin.write(text)
        self.process.stdin.flush()
        printed: list[str] = []
        for line in self.process.stdout:
            if line.startswith(END):
                watchdog.cancel()
                return "".join(printed), line.split()[-1] == "0"
            printed.append(line)
        watchdog.cancel()
        raise BlockFailed(f"ended, or took more than {PATIENCE_S:g} s:\n{''.join(printed)}")

    def end(self) -> None:
        """Ends the interpreter and everything it started."""
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
        except ProcessLookupError:
            return

    def close(self) -> None:
        self.end()
        self.process.communicate(timeout=30)


def as_bash(text: str) -> str:
    """A command that fails without an ``||`` fails the block; the shell itself goes on."""
    return f"failed=0; trap 'failed=1' ERR\n{{\n{text}\n}} </dev/null\necho; echo '{END}' $failed\n"


def as_python(text: str) -> str:
    return json.dumps(text) + "\n"


@contextmanager
def sessions(folder: Path, environment: dict[str, str]) -> Iterator[dict[str, Session]]:
    with ExitStack() as stack:
        opened = {}
        for language, command in (("bash", BASH), ("python", PYTHON)):
            opened[language] = Session(command, folder, environment)
            stack.callback(opened[language].close)
        yield opened


def run_page(page: Path, folder: Path, *, port: int, stage: Path | None = None) -> list[Block]:
    """Runs a page's blocks in `folder`, and says which; where it says 5500, its server takes `port`.

    Raises BlockFailed.

    stage: a script that is run before, in the page's interpreter: what the page takes for granted.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TAXIWAY_")}
    binaries = str(Path(sys.executable).parent)
    environment = kept | {
        "PATH": f"{binaries}:{kept['PATH']}",
        "COLUMNS": "100",
        "XDG_CACHE_HOME": str(folder / ".cache"),
        "XDG_STATE_HOME": str(folder / ".state"),
    }
    printed = ""
    ran: list[Block] = []
    set_up = [Block("python", stage.read_text(), 0)] if stage else []
    with sessions(folder, environment) as opened:
        for block in (*set_up, *blocks_of(page)):
            text = block.text.replace("5500", str(port))
            where = f"{page.name}:{block.line}"
            if name := FILE_NAME.match(text):
                (folder / name[1]).write_text(text)
            elif block.language in opened:
                as_input = as_bash if block.language == "bash" else as_python
                printed, is_done = opened[block.language].run(as_input(text))
                if not is_done:
                    raise BlockFailed(f"{where} failed:\n{text}\nIt printed:\n{printed}")
                ran.append(block)
            elif block.language == "text" and (missing := first_missing(text, printed)):
                raise BlockFailed(f"{where}: no line like {missing!r} (in this order) in:\n{printed}")
    return ran[len(set_up) :]


def first_missing(expected: str, printed: str) -> str:
    """The first line of `expected` that does not come, in order, in what was printed; empty if all do."""
    lines = iter([plain(line) for line in printed.splitlines()])
    for line in filter(None, map(plain, expected.splitlines())):
        pattern = ".*".join(map(re.escape, line.split("…")))
        if not any(re.fullmatch(pattern, found) for found in lines):
            return line
    return ""


def plain(line: str) -> str:
    return re.sub(r"-{2,}", "--", " ".join(line.split()))
