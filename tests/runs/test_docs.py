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
