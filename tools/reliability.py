"""Writes docs/reliability.md from the figures that the fault tests of serving found.

``make reliability`` runs them and this; ``python -m tools.reliability FIGURES`` reads a file of theirs.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

PAGE = Path(__file__).parents[1] / "docs/reliability.md"
HEAD = """# What breaks, and what callers notice

Each line is a fault that a test brings about on purpose, with real processes under load: six callers, each asking again
as soon as it was answered; two workers; the gateway, its log and its checks as in service. The test fails where the
bar is not held. `make reliability` runs them anew and writes this page; `make faults` runs these and all other faults.

"""
TAIL = """
Some faults are held by other tests, without a figure here: twenty rollouts in a minute (tests/faults/test_rollouts.py);
revisions that raise, lag, leak, answer NaN, never listen or die at load (tests/endpoints/rollout); a gateway killed
between answer and record (tests/faults/test_inference_log.py); a full disk, power loss and killed processes of the
server itself (tests/faults).
"""


class Found(Struct, frozen=True):
    """What one fault test found."""

    fault: str
    bar: str
    figures: dict[str, Any]
    test: str


def read(file: Path) -> list[Found]:
    """In the order of the tests; of one that ran twice the later."""
    found = [msgspec.json.decode(line, type=Found) for line in file.read_bytes().splitlines()]
    return list({each.fault: each for each in found}.values())


def write(found: list[Found], *, machine: str, commit: str, on: str) -> str:
    """The page.

    >>> text = write([Found("a", "b", {"failed": 0}, "t")], machine="m", commit="c", on="2026-01-01")
    >>> "| a | b | failed 0 |" in text
    True
    """
    lines = [HEAD + f"Found on {on} on {machine}, at commit {commit}.", "", "| fault | bar | found |", "|---|---|---|"]
    lines += [f"| {each.fault} | {each.bar} | {said(each.figures)} |" for each in found]
    return "\n".join(lines) + "\n" + TAIL


def said(figures: dict[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in figures.items())


def main() -> None:
    """Reads the file that the first argument names; what follows it is said of the machine."""
    cores = len(os.sched_getaffinity(0))
    machine = f"{platform.system()} {platform.release()}, {cores} cores, Python {platform.python_version()}"
    machine = ", ".join([machine, *sys.argv[2:]])
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    today = datetime.now(UTC).date().isoformat()
    PAGE.write_text(write(read(Path(sys.argv[1])), machine=machine, commit=commit.stdout.strip(), on=today))


if __name__ == "__main__":
    main()
