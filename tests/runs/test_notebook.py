"""Runs of a notebook: the executed cells are their code. A real IPython shell, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from taxiway.runs.again.notebook import Cell, as_cell
from taxiway.runs.again.replay import replay, run_plainly
from taxiway.runs.again.verdicts import sentence
from tests.support.live import Live

SESSION = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.colors = "nocolor"
for cell in (
    "import random, taxiway as tw",
    "1 / 0",
    "run = tw.run('from cells')\\nrun.seed(3)",
    "%timeit -n1 -r1 1 + 1",
    "password = 'hunter22'" if SECRET else "x = [random.random() for _ in range(3)]",
    "run.log(loss=random.random())\\nrun.finish()",
    "after = 'the run has ended'",
):
    shell.run_cell(cell, store_history=True)
print(shell.user_ns["run"].id)
"""


def session(live: Live, folder: Path, *, secret: bool) -> str:
    """The id of the run that a session of seven cells made."""
    done = subprocess.run(
        [sys.executable, "-c", SESSION.replace("SECRET", str(secret))],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env={**os.environ, "TAXIWAY_HOME": str(live.house.home), "IPYTHONDIR": str(folder / ".ipython")},
    )
    return done.stdout.split()[-1]


def test_the_executed_cells_are_kept_in_their_order_and_run_again(open_live: Live, folder: Path) -> None:
    client = open_live.client
    id_ = session(open_live, folder, secret=False)

    kept = json.loads(client.runs.download(id_, "code/notebook.ipynb", folder).read_text())
    found = client.runs.reproduce(id_, environment="current")

    assert ["".join(cell["source"]) for cell in kept["cells"]] == [
        "import random, taxiway as tw",
        "1 / 0",
        "run = tw.run('from cells')\nrun.seed(3)",
        "%timeit -n1 -r1 1 + 1",
        "x = [random.random() for _ in range(3)]",
        "run.log(loss=random.random())\nrun.finish()",
    ]
    assert [cell["metadata"].get("tags") for cell in kept["cells"][:3]] == [None, ["raises-exception"], None]
    assert found.verdict == "bit-equal", sentence(found)
    assert client.runs.show(found.again).metrics == client.runs.show(id_).metrics


def test_cells_with_secrets_cannot_run_again(open_live: Live, folder: Path) -> None:
    id_ = session(open_live, folder, secret=True)

    found = open_live.client.runs.reproduce(id_, environment="current")

    assert found.because == ["its cells held secrets, which were not kept"]


def notebook(folder: Path, *cells: Cell) -> Path:
    file = folder / "cells.ipynb"
    file.write_text(json.dumps({"cells": [as_cell(number, cell) for number, cell in enumerate(cells, start=1)]}))
    return file


def test_plain_python_runs_cells_in_one_namespace(folder: Path) -> None:
    namespace: dict[str, object] = {}

    code = replay(
        notebook(folder, Cell("a = 1"), Cell("1 / 0", is_failed=True), Cell("b = a + 1")), run_plainly(namespace)
    )

    assert (code, namespace["b"]) == (0, 2)


def test_a_cell_that_raises_now_and_did_not_then_ends_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    namespace: dict[str, object] = {}

    code = replay(notebook(folder, Cell("1 / 0"), Cell("b = 1")), run_plainly(namespace))

    assert code == 1
    assert "b" not in namespace
    assert "cell 1 of 2 raised" in capsys.readouterr().err
