"""Executes the cells of a notebook in their order, with IPython where it is installed. Other interpreters run this as
a script, so it imports nothing of ours: ``python replay.py notebook.ipynb``."""

import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

Execute = Callable[[str], bool]


def replay(notebook: Path, execute: Execute) -> int:
    """Executes every cell; stops at one that raises now and did not then. Gives the exit code."""
    cells: list[dict[str, Any]] = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    for number, cell in enumerate(cells, start=1):
        if cell["cell_type"] != "code":
            continue
        may_raise = "raises-exception" in cell.get("metadata", {}).get("tags", [])
        if not execute("".join(cell["source"])) and not may_raise:
            print(f"cell {number} of {len(cells)} raised, and had not when it was recorded", file=sys.stderr)
            return 1
    return 0


def choose() -> Execute:
    """IPython's own way to run a cell, or without it plain Python in one namespace."""
    try:
        from IPython.core.interactiveshell import InteractiveShell
    except ImportError:
        return run_plainly({"__name__": "__main__"})
    shell = InteractiveShell.instance()
    shell.colors = "nocolor"

    def execute(source: str) -> bool:
        result: Any = shell.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
        return bool(result.success)

    return execute


def run_plainly(namespace: dict[str, Any]) -> Execute:
    def execute(source: str) -> bool:
        try:
            exec(compile(source, "<cell>", "exec"), namespace)  # noqa: S102 - the user's own cells, at their word
        except Exception:  # noqa: BLE001 - whatever a cell raises is told, as a notebook does
            traceback.print_exc()
            return False
        return True

    return execute


if __name__ == "__main__":
    sys.path[0] = str(Path.cwd())
    sys.exit(replay(Path(sys.argv[1]), choose()))
