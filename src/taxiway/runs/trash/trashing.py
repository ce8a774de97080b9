"""The SDK of the trash, and of notes."""

from __future__ import annotations

from taxiway.kernel.transport import Transport
from taxiway.runs import contract
from taxiway.runs.contract import ChangeRun, Run
from taxiway.runs.search.filter import NOTE
from taxiway.runs.trash import trashed
from taxiway.runs.trash.trashed import EmptyTrash, Freed, NameExperiment, Trashed
from taxiway.runs.values import run_in_floats


class Trashing:
    """What `client.runs` can set aside, take back and free."""

    transport: Transport

    def delete(self, run: str) -> Run:
        """Puts a run into the trash: hidden from lists, there by its id, and back with `restore`. Raises NotFound."""
        return run_in_floats(self.transport.call(trashed.delete_run, run=run))

    def restore(self, run: str) -> Run:
        """Takes a run out of the trash. Raises NotFound."""
        return run_in_floats(self.transport.call(trashed.restore_run, run=run))

    def delete_experiment(self, project: str, experiment: str) -> Trashed:
        """Puts an experiment and all its runs into the trash. Raises NotFound."""
        return self.transport.call(trashed.delete_experiment, NameExperiment(project, experiment))

    def restore_experiment(self, project: str, experiment: str) -> Trashed:
        """Takes an experiment out of the trash with all its runs, those that went alone as well. Raises NotFound."""
        return self.transport.call(trashed.restore_experiment, NameExperiment(project, experiment))

    def empty_trash(self, *, older_than_s: float = 0.0, grace_s: float = 3600.0, dry_run: bool = False) -> Freed:
        """Frees what is in the trash for good, and every byte that nothing names any more. Raises NotAllowed.

        older_than_s: only what has been there for so long. grace_s: bytes sent since then stay. dry_run: only says
        what would go. A run that a model version was made by stays, and is told of.
        """
        return self.transport.call(trashed.empty_trash, EmptyTrash(older_than_s, grace_s, dry_run))

    def note(self, run: str, text: str) -> Run:
        """Writes a run's note, in Markdown; an empty text clears it. Raises NotFound, RunTrashed."""
        return run_in_floats(self.transport.call(contract.change_run, ChangeRun(tags={NOTE: text}), run=run))
