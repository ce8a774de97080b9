"""What the outside sees of logged models: what a run made, before anything of it is registered under a name."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Page
from taxiway.kernel.numbers import Number
from taxiway.models.contract import Tags

LoggedStatus = Literal["pending", "ready", "failed"]


class LoggedMetric(Struct, frozen=True):
    """A number that was measured of a logged model, with the run and the data that it was measured on."""

    key: str
    value: Number
    step: int
    at: datetime
    run: str
    dataset: str = ""
    dataset_digest: str = ""


class LoggedFile(Struct, frozen=True):
    """A file of a logged model; `path` is relative to it."""

    path: str
    digest: str
    size_bytes: int
    media_type: str
    added_at: datetime


class LoggedModel(Struct, frozen=True, kw_only=True):
    """A model that a run made. `id` is ``m-`` and 32 hexadecimal digits; `experiment` is the experiment's number.

    status: pending until all its files are there. registered: the versions made of it, as ``name@version``.
    """

    id: str
    project: str
    experiment: int
    name: str
    kind: str
    status: LoggedStatus
    status_message: str
    run: str
    created_by: str
    created_at: datetime
    changed_at: datetime
    params: dict[str, str] = {}
    tags: dict[str, str] = {}
    metrics: list[LoggedMetric] = []
    registered: list[str] = []

    @property
    def ref(self) -> str:
        return f"logged:{self.id}"


class LogModel(Struct, frozen=True, kw_only=True):
    """kind: what sort of model, in the logger's own words. run: the run that made it; empty where none did.

    id, made_at: of one that was made elsewhere; otherwise it is given an id now.
    """

    project: str
    experiment: int
    name: str = ""
    kind: str = ""
    run: str = ""
    params: Tags = {}
    tags: Tags = {}
    id: str = ""
    made_at: datetime | None = None


class ListLogged(Struct, frozen=True, forbid_unknown_fields=True):
    """run: only those that this run made."""

    project: str = ""
    run: str = ""


show_logged = Endpoint("GET", "/api/models/logged/{logged}", Nothing, LoggedModel, "models.read", "A logged model")
list_logged = Endpoint(
    "GET", "/api/models/logged", ListLogged, Page[LoggedModel], "models.read", "What runs made", "platform"
)
