"""What the audit log costs: an entry, a check of a million, a proof. Run by `make bench-audit`."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from taxiway.audit.contract import ProveConsistency, ProveInclusion, VerifyLog
from taxiway.audit.service import Record
from taxiway.audit.store import newest_head
from taxiway.house import House
from taxiway.kernel.caller import SYSTEM
from taxiway.storage.writes import Change

AT_ONCE = 20_000
FACTS: dict[str, Any] = {
    "stage": "production",
    "before": "staging",
    "reason": "weekly champion",
    "bundle": f"sha256:{'a' * 64}",
    "path": "path:careful@1",
    "evidence": [f"{number:032x}" for number in range(5)],
    "project": None,
}


def append(house: House, count: int, *, together: bool) -> float:
    """Adds entries as changes do; gives the processor time of one, without the commit that all of them share."""
    spent: list[float] = []
    said = ("models.promote", "model:mortgage@3", FACTS)

    def make(change: Change) -> None:
        record = Record(change, caller=SYSTEM, verb="models.promote", thing="model:mortgage@3", project="mortgage")
        began = time.thread_time()
        if together:
            house.ledger._append(record, newest_head(change.connection), [said] * count)
        else:
            for _ in range(count):
                house.ledger._append(record, newest_head(change.connection), [said])
        spent.append((time.thread_time() - began) / count)

    house.writer.write(make)
    return spent[0]


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds."""
    wall, spent = time.monotonic(), time.process_time()
    act()
    return time.monotonic() - wall, time.process_time() - spent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    entries = parser.parse_args().entries
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder) / "home")
        append(house, 200, together=False)
        each = statistics.median(append(house, 500, together=False) for _ in range(5))
        while (size := house.audit.head().size) < entries:
            append(house, min(AT_ONCE, entries - size), together=True)
        wall, spent = timed(lambda: house.audit.verify(VerifyLog()))
        proofs = [timed(lambda: house.audit.inclusion(ProveInclusion(seq=entries // 3)))[0] for _ in range(9)]
        grown = [timed(lambda: house.audit.consistency(ProveConsistency(first=entries // 3)))[0] for _ in range(9)]
        is_intact = house.audit.verify(VerifyLog(held=[house.audit.head()])).is_intact
        house.close()
    print(f"append: {each * 1e6:,.0f} us of processor time an entry")
    print(f"verify {entries:,} entries: {wall:.1f} s, {spent:.1f} s of processor time, intact: {is_intact}")
    print(f"inclusion proof: {statistics.median(proofs) * 1e3:.1f} ms")
    print(f"consistency proof: {statistics.median(grown) * 1e3:.1f} ms")
    return 0 if is_intact else 1


if __name__ == "__main__":
    sys.exit(main())
