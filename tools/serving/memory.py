"""What ten small models take of one machine's memory."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from tools.bench.figure import written
from tools.serving.lines import Cells
from tools.serving.load import requests_per_s
from tools.serving.ours import taxiway
from tools.serving.peers.models import table
from tools.serving.processes import resident_mb
from tools.serving.targets import peer, question
from tools.tracking.rows import verdict

SHARE = 1 / 4


def memory_lines(folder: Path, models: int) -> list[Cells]:
    """As many models behind one gateway, against a server of MLflow's for each; all were asked before."""
    rows = table()[0][:1]
    with ExitStack() as stack:
        theirs = []
        for number in range(models):
            own = folder / str(number)
            own.mkdir()
            target = stack.enter_context(peer("MLflow", "logistic", own))
            requests_per_s(target, question("MLflow", rows), connections=1, seconds=1)
            theirs += target.pids
        their_mb = resident_mb(theirs)
    names = [f"logistic-{number}" for number in range(models)]
    with taxiway(folder, ["logistic"], names) as target:
        for name in names:
            requests_per_s(target, question("Taxiway", rows, name), connections=1, seconds=1)
        our_mb = resident_mb(target.pids)
    must = verdict("≤ 1/4", is_kept=our_mb <= their_mb * SHARE)
    what = f"memory of {models} logistic regressions, all processes (PSS)"
    return [
        (what, f"MLflow: {written(their_mb)} MB", f"{written(our_mb)} MB", f"**1/{written(their_mb / our_mb)}**", must)
    ]
