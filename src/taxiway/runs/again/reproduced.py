"""Runs done again over HTTP, and on the page of the run."""

from __future__ import annotations

from taxiway.kernel.numbers import from_wire
from taxiway.kernel.thing import parse
from taxiway.runs import contract
from taxiway.runs.again.reproductions import Reproductions
from taxiway.runs.again.sameness import Reproduction, SameVerdict
from taxiway.runs.again.verdicts import sentence
from taxiway.web.serve import Server
from taxiway.web.site import Site, View

LOOKS: dict[SameVerdict, str] = {
    "bit-equal": "pass",
    "within tolerance": "pass",
    "differs": "fail",
    "impossible": "missing",
}


def bind(server: Server, reproductions: Reproductions) -> None:
    server.serve(contract.record_reproduction, reproductions.record)
    server.serve(contract.list_reproductions, reproductions.list)


def add(site: Site, reproductions: Reproductions) -> None:
    """Adds what is known of a run done again to its page, where there is something."""

    def panel(view: View, ref: str) -> str | None:
        found = reproductions.list(view.caller, run=parse(ref).name).items
        if not found:
            return None
        lines = [(LOOKS[one.verdict], sentence(one), one, rows_of(one)) for one in found]
        return site.fragment("runs/reproductions.html", lines=lines)

    site.panel("runs/run", panel)


def rows_of(found: Reproduction) -> list[tuple[str, float, str]]:
    """The results that are not equal: name, largest difference, and what else is to be said."""
    gaps = [gap for gap in (*found.metrics, *found.predictions) if not gap.is_equal]
    return [(gap.name, from_wire(gap.largest), gap.note) for gap in gaps]
