"""A run's note on its page, and taking the run away and back."""

from __future__ import annotations

from urllib.parse import quote

from taxiway.kernel.errors import BadField
from taxiway.runs.contract import ChangeRun
from taxiway.runs.search.filter import NOTE
from taxiway.runs.service import Runs
from taxiway.runs.trash.trash import Trash
from taxiway.web.markdown import render_markdown
from taxiway.web.site import Redirect, Site, View

LONGEST = 8_000  # as of every tag


class NotePanel:
    def __init__(self, site: Site, runs: Runs, trash: Trash) -> None:
        self.site = site
        self.runs = runs
        self.trash = trash

    def draw(self, view: View, thing: str) -> str:
        run = self.runs.find(thing.removeprefix("run:"))
        note = view.sent.get("note", run.tags.get(NOTE, ""))
        may_write = self.runs.access.is_allowed(view.caller, "runs.write", run.project)
        return self.site.fragment(
            "runs/note.html",
            run=run,
            note=note,
            shown=render_markdown(note),
            may_write=may_write,
            form_token=view.form_token,
        )

    def save(self, view: View, fields: dict[str, str]) -> Redirect:
        run, note = view.path["run"], fields.get("note", "").replace("\r\n", "\n")
        if len(note) > LONGEST:
            raise BadField(field="note", value=f"{len(note):,} characters", expected=f"at most {LONGEST:,}")
        self.runs.change(view.caller, ChangeRun(tags={NOTE: note}), run=run)
        return Redirect(f"/runs/{run}")

    def delete(self, view: View, fields: dict[str, str]) -> Redirect:
        gone = self.trash.delete_run(view.caller, view.path["run"])
        return Redirect(f"/runs?project={quote(gone.project)}&deleted=1")

    def restore(self, view: View, fields: dict[str, str]) -> Redirect:
        return Redirect(f"/runs/{self.trash.restore_run(view.caller, view.path['run']).id}")
