"""What the outside sees of the trash: putting runs and experiments into it, taking them out, and emptying it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from taxiway.kernel.endpoint import Endpoint, Nothing
from taxiway.runs.contract import Run


class NameExperiment(Struct, frozen=True, forbid_unknown_fields=True):
    project: str
    experiment: str


class Trashed(Struct, frozen=True):
    """An experiment that went to the trash or came back. runs: how many went or came with it."""

    project: str
    experiment: str
    runs: int
    deleted_at: datetime | None = None


class EmptyTrash(Struct, frozen=True, forbid_unknown_fields=True):
    """older_than_s: only what has been in the trash for so long. grace_s: bytes sent since then are left alone, for
    what they belong to may be on its way. is_dry: says what would be freed, and frees nothing."""

    older_than_s: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    grace_s: Annotated[float, Meta(ge=0, le=1e9)] = 3600.0
    is_dry: bool = False


class Kept(Struct, frozen=True):
    """Something that stays in the trash because something else needs it."""

    thing: str
    because: str


class Freed(Struct, frozen=True):
    """What emptying the trash took away for good.

    files, size_bytes: of the blobs that nothing names any more, as they stood on the disk; those of uploads that
    came to nothing count as well. young_files: those that nothing names either, left alone because they were just sent.
    """

    runs: int
    experiments: int
    files: int
    size_bytes: int
    kept: list[Kept] = []
    is_dry: bool = False
    young_files: int = 0


delete_run = Endpoint("DELETE", "/api/runs/{run}", Nothing, Run, "runs.write", "Put a run into the trash")
restore_run = Endpoint("POST", "/api/runs/{run}/restore", Nothing, Run, "runs.write", "Take a run out of the trash")
delete_experiment = Endpoint(
    "DELETE",
    "/api/runs/experiments",
    NameExperiment,
    Trashed,
    "runs.write",
    "Put an experiment and its runs into the trash",
)
restore_experiment = Endpoint(
    "POST",
    "/api/runs/experiments/restore",
    NameExperiment,
    Trashed,
    "runs.write",
    "Take an experiment and all its runs out of the trash",
)
empty_trash = Endpoint(
    "POST", "/api/runs/trash/empty", EmptyTrash, Freed, "storage.free", "Free what is in the trash", "platform"
)
