"""The executed cells of a notebook session, in their order: the code that its runs are made again from."""

from __future__ import annotations

import json
import sys
import weakref
from typing import Any

from msgspec import Struct

from taxiway.runs.capturing.redact import redact

FORMAT = {"nbformat": 4, "nbformat_minor": 5}


class Cell(Struct):
    """A cell as it was executed. is_failed: it raised."""

    source: str
    is_failed: bool = False


class Cells:
    """The cells that a session has executed: those before it was looked at, then each as it runs.

    The cell that runs now is among them.
    """

    def __init__(self, shell: Any) -> None:
        self.executed = executed_before(shell.history_manager)
        shell.events.register("pre_run_cell", self._before)
        shell.events.register("post_run_cell", self._after)

    def _before(self, info: Any) -> None:
        if info.raw_cell.strip() and info.store_history:
            self.executed.append(Cell(info.raw_cell))

    def _after(self, result: Any) -> None:
        if self.executed and result.info.raw_cell == self.executed[-1].source:
            self.executed[-1].is_failed = not result.success

    def written(self) -> bytes:
        """The cells as a notebook file, without outputs, secrets taken out."""
        cells = [as_cell(number, cell) for number, cell in enumerate(self.executed, start=1)]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        said = {"cells": cells, "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}}, **FORMAT}
        return json.dumps(said, indent=1).encode()


def executed_before(history: Any) -> list[Cell]:
    """What a session executed until now. An IPython before 9 does not know which of them raised: any may have."""
    raised = getattr(history, "exceptions", None)
    cells = enumerate(history.input_hist_raw[1:], start=1)
    return [Cell(source, raised is None or number in raised) for number, source in cells if source.strip()]


def as_cell(number: int, cell: Cell) -> dict[str, Any]:
    """A cell as notebook files say it; tagged as Jupyter tags cells that may raise, where it did."""
    source, _ = redact(cell.source)
    metadata = {"tags": ["raises-exception"]} if cell.is_failed else {}
    return {
        "cell_type": "code",
        "id": f"cell-{number}",
        "execution_count": number,
        "metadata": metadata,
        "source": source.splitlines(keepends=True),
        "outputs": [],
    }


known: weakref.WeakKeyDictionary[Any, Cells] = weakref.WeakKeyDictionary()


def cells_of_session() -> Cells | None:
    """The cells of the IPython session that this process is; None where it is none."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    if shell is None:
        return None
    if shell not in known:
        known[shell] = Cells(shell)
    return known[shell]
