"""Where the pages of runs are: the table, one run, runs side by side."""

from __future__ import annotations

from taxiway.runs.comparison import Comparisons
from taxiway.runs.points.log import Log
from taxiway.runs.service import Runs
from taxiway.runs.showing.compare_page import ComparePage
from taxiway.runs.showing.notes import NotePanel
from taxiway.runs.showing.preview import ArtifactPage
from taxiway.runs.showing.run_page import RunPage
from taxiway.runs.showing.table_page import TablePage
from taxiway.runs.showing.views import SavedViews
from taxiway.runs.trash.trash import Trash
from taxiway.web.site import Site


def add(site: Site, runs: Runs, log: Log, comparisons: Comparisons, trash: Trash) -> None:
    """Slots for panels of the nouns above: ``runs/run`` is given a run's reference; ``runs/compare`` those of all the
    runs compared, with a blank between."""
    table = TablePage(runs, log, SavedViews(runs.database, runs.ledger, runs.access))
    one, note = RunPage(site, runs, log), NotePanel(site, runs, trash)
    site.page("/runs", table.all, needs="runs.read", scope="platform")
    site.page("/runs/rows", table.rows, needs="runs.read", scope="platform")
    site.form("/runs/views", table.save, page=table.all, needs="access.self", scope="platform")
    site.form("/runs/views/forget", table.forget, page=table.all, needs="access.self", scope="platform")
    site.page("/runs/compare", ComparePage(site, log, comparisons).show, needs="runs.read", scope="platform")
    site.page("/runs/{run}", one.show, needs="runs.read")  # after those whose names could be an id
    site.page("/runs/{run}/charts", one.charts, needs="runs.read")
    site.page("/runs/{run}/metric", one.metric, needs="runs.read")
    site.page("/runs/{run}/artifact", ArtifactPage(runs).show, needs="runs.read")
    site.form("/runs/{run}/note", note.save, page=one.show, needs="runs.write")
    site.form("/runs/{run}/delete", note.delete, page=one.show, needs="runs.write")
    site.form("/runs/{run}/restore", note.restore, page=one.show, needs="runs.write")
    site.panel("runs/run", note.draw)
    site.finds("Runs", table.find)
    site.names("run", runs.names)
