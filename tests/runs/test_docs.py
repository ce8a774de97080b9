"""The Python of the documents' page runs, and prints what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "runs.md"


def test_the_example_prints_what_the_page_says(folder: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    promised = [line.removeprefix("# ") for line in code.splitlines() if line.startswith("# ")]

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder)

    assert done.stdout.splitlines() == promised


def test_every_filter_of_the_page_finds_what_it_says(folder: Path) -> None:
    page = (PAGE.parent / "search.md").read_text().partition("## The parts")[0]
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    rows = re.findall(r"^\| `(.+)` \| ([a-z, -]+) \|$", page, re.MULTILINE)
    asked = [[text.replace("\\|", "|"), sorted(found.split(", "))] for text, found in rows]
    check = f"print([text for text, found in {asked!r} if sorted(r.name for r in client.runs.list(text)) != found])"

    done = subprocess.run([sys.executable, "-c", code + check], capture_output=True, text=True, check=True, cwd=folder)

    assert len(asked) == 14
    assert done.stdout.splitlines() == ["[]"]
