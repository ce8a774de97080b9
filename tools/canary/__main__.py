"""Measures how often canaries err, and writes the tables of docs/canary.md.

python -m tools.canary             # 4,000 canaries for each row; a few minutes
python -m tools.canary --sets 200  # a look
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace

from taxiway.endpoints.canary.laws.verdict import Ask
from tools.canary import flights
from tools.canary.simulating import (
    margin_of,
    rolled_back_by_peeking,
    rolled_back_by_rows,
    run,
    share,
    uncertainty,
)
from tools.canary.worlds import DEGRADED, DIVIDED, EQUAL, Models, World

DOCS = Path(__file__).parent.parent.parent / "docs" / "canary.md"
KEPT = Path(__file__).parent / "flights.json"  # what tests read
BEGIN, END = "<!-- canaries: written by tools.canary -->", "<!-- canaries end -->"
SETS, CLUSTERS, SEED = 4_000, 100, 20261123
WORSE = 1.5
MARGIN = 0.5  # in deviations of a day's mean
WITHIN = (14, 28, 56)


def equal_rows(sets: int) -> Iterator[str]:
    """Equal models: how many of them each test rolls back."""
    yield "| equal models, looked at after each of 100 days | rolled back by ours | by rows, z > 1.96 | by days, t |"
    yield "|---|---|---|---|"
    for world in EQUAL:
        few = sets // 4 if isinstance(world, Models) else sets
        days = world.days(np.random.default_rng(SEED), few, CLUSTERS)
        ours = share(run(days, margin=margin_of(MARGIN)).rolled_back)
        others = rolled_back_by_rows(days), rolled_back_by_peeking(days)
        sure = f"{100 * ours:.1f} ± {100 * uncertainty(ours, few):.1f} %"
        yield f"| {world.name} | {sure} | {100 * others[0]:.0f} % | {100 * others[1]:.0f} % |"


def degraded_rows(sets: int) -> Iterator[str]:
    """Worse models: how many are rolled back in time, and how many are promoted all the same."""
    heads = " | ".join(f"rolled back within {days} days" for days in WITHIN)
    yield f"| worse models, {MARGIN:g} day deviations allowed | {heads} | promoted in 100 |"
    yield f"|---|{'---|' * len(WITHIN)}---|"
    for world in DEGRADED:
        ends = run(world.days(np.random.default_rng(SEED + 1), sets, CLUSTERS), margin=margin_of(MARGIN))
        found = " | ".join(f"{100 * share(ends.rolled_back, days):.0f} %" for days in WITHIN)
        yield f"| {world.name} | {found} | {100 * share(ends.promoted):.1f} % |"


def divided_rows(sets: int) -> Iterator[str]:
    """Requests divided, each scored by one model: how many equal ones are rolled back, and worse ones in time."""
    heads = " | ".join(f"worse, rolled back within {days} days" for days in (28, 56, 100))
    what = f"each day like the one before, r 0.3; worse is by {WORSE:g} day deviations"
    yield f"| {what} | equal, rolled back in 100 | {heads} |"
    yield "|---|---|---|---|---|"
    both = World("paired: both score all of 500 rows a day", kinship=0.3, unequal=0.4)
    for world in (both, *DIVIDED):
        days = world.days(np.random.default_rng(SEED), sets, CLUSTERS)
        equal = share(run(days, margin=margin_of(MARGIN)).rolled_back)
        days = replace(world, worse=WORSE).days(np.random.default_rng(SEED + 1), sets, CLUSTERS)
        ends = run(days, margin=margin_of(MARGIN)).rolled_back
        found = " | ".join(f"{100 * share(ends, within):.0f} %" for within in (28, 56, 100))
        name = world.name if world is both else f"unpaired: {world.name}"
        yield f"| {name} | {100 * equal:.1f} ± {100 * uncertainty(equal, sets):.1f} % | {found} |"


def flight_rows(found: list[flights.Recorded]) -> Iterator[str]:
    """The flights: where a naive test stops, and what ours says."""
    yield "| flights of 2013 | rows as if unrelated, z > 4 from row 200 | ours, 0.01 allowed, 14 days at least |"
    yield "|---|---|---|"
    for each in found:
        row, z = flights.naive(each.first)
        naive = f"{'worse' if z > 0 else 'better'} at row {row} (z {z:+.1f})" if row else "never stops"
        last = flights.ours(each.totals, Ask(non_inferiority=0.01))[-1]
        numbers = f"{last.estimate:+.3f} [{last.low:+.3f}, {last.high:+.3f}]"
        yield f"| {each.name} | {naive} | {last.decision} after {last.clusters} days: {numbers} |"


def write(sets: int) -> None:
    found = [flights.record(each) for each in flights.compared()]
    KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    tables = [*equal_rows(sets), "", *degraded_rows(sets), "", *divided_rows(sets), "", *flight_rows(found)]
    said = f"Each row: {sets:,} canaries of 100 days (a quarter as many where rows are drawn one by one), seed {SEED}."
    text = DOCS.read_text(encoding="utf-8")
    body = "\n".join([BEGIN, "", *tables, "", said, "", END])
    DOCS.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: body, text, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=SETS)
    write(parser.parse_args().sets)
