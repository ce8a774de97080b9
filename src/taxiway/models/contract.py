"""What the outside sees of models."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Page, Raw
from taxiway.models.bundles.bundle import Manifest
from taxiway.models.predicting.signature import Signature
from taxiway.projects.contract import RiskTier
from taxiway.runs.contract import Predictions

# Where a version stands on its path. `none` is where it begins; nothing goes back there.
ModelStage = Literal["none", "staging", "production", "archived"]
Target = Literal["staging", "production", "archived"]
CardSource = Literal["recorded", "entered", "missing"]


# The pinned predictions that a version is judged by: what its run logged, under the name it has here.
Evaluation = Predictions


class ModelVersion(Struct, frozen=True, kw_only=True):
    """One immutable bundle under a model's name; only `stage` and `aliases` move. `datasets` are references.

    source: where it was registered from, as whoever did it wrote it; empty for a bundle that was sent.
    A version without a bundle only names its source: `bundle` and `flavour` are empty, its signature has no
    columns. unfit: why it cannot answer, with what to do; empty where it can. logged_model: the model that a run
    made and that this one was registered from.
    """

    model: str
    version: int
    project: str
    bundle: str
    flavour: str
    signature: Signature
    threshold: float | None
    run: str | None
    datasets: list[str]
    environment: str | None
    risk: RiskTier
    evaluation: Evaluation | None
    stage: ModelStage
    aliases: list[str]
    size_bytes: int
    note: str
    created_by: str
    created_at: datetime
    changed_at: datetime
    source: str = ""
    run_label: str = ""
    logged_model: str = ""
    unfit: str = ""
    description: str = ""
    tags: dict[str, str] = {}
    deleted_at: datetime | None = None

    @property
    def ref(self) -> str:
        return f"model:{self.model}@{self.version}"

    @property
    def is_pending(self) -> bool:
        """Whether it still waits for its number, as what `run.log_model` gives may do."""
        return False

    def _repr_html_(self) -> str:
        from taxiway.models.describing.displays import version_html

        return version_html(self)


class Model(Struct, frozen=True):
    """A name under which versions are kept, owned by one project. `newest` is the highest version, 0 before any."""

    name: str
    project: str
    newest: int
    aliases: dict[str, int]
    created_by: str
    created_at: datetime
    changed_at: datetime
    description: str = ""
    tags: dict[str, str] = {}


TagKey = Annotated[str, Meta(min_length=1, max_length=250)]
TagValue = Annotated[str, Meta(max_length=100_000)]
Description = Annotated[str, Meta(max_length=100_000)]
Tags = dict[TagKey, TagValue]


class CreateModel(Struct, frozen=True, forbid_unknown_fields=True):
    """A name for versions to come."""

    project: str
    model: str
    description: Description = ""
    tags: Tags = {}


class ChangeModel(Struct, frozen=True, forbid_unknown_fields=True):
    """What is None stays as it is. tags are set beside those there are; `untag` takes tags away.

    name: a new name; versions, tags and aliases follow.
    """

    name: str | None = None
    description: Description | None = None
    tags: Tags = {}
    untag: list[str] = []


class ChangeVersion(Struct, frozen=True, forbid_unknown_fields=True):
    """What is None stays as it is. tags are set beside those there are; `untag` takes tags away."""

    description: Description | None = None
    tags: Tags = {}
    untag: list[str] = []


class RegisterSource(Struct, frozen=True, forbid_unknown_fields=True):
    """A version that names where its files are. source: a label for people, such as the address of a file elsewhere.

    run and folder: files that a run left behind. logged_model: the model that a run made. Where these hold an MLmodel
    file, they become the version's bundle. like: MODEL@VERSION, another version that this one is a copy of.
    """

    source: Annotated[str, Meta(min_length=1, max_length=2000)]
    run: Annotated[str, Meta(max_length=300)] | None = None
    folder: Annotated[str, Meta(max_length=1000)] | None = None
    logged_model: str = ""
    like: str = ""
    description: Description = ""
    tags: Tags = {}
    note: str = ""


class Deleted(Struct, frozen=True):
    """What is gone: a version, or with number 0 the model and all its versions. Its numbers are not given again."""

    model: str
    version: int
    versions: list[int]


class RegisterVersion(Struct, frozen=True, forbid_unknown_fields=True):
    """A sealed bundle whose files were stored before, each under its digest. `digest` is the bundle's own."""

    project: str
    manifest: Manifest
    digest: str
    evaluation: Evaluation | None = None
    note: str = ""


class LogModel(Struct, frozen=True, forbid_unknown_fields=True):
    """A bundle's manifest as the run knows it, its files stored before: what the run read and its project's risk are
    filled in, then it is registered."""

    manifest: Manifest
    evaluation: Evaluation | None = None
    note: str = ""


class ListModels(Struct, frozen=True, forbid_unknown_fields=True):
    """project: only this one's; empty means all that one may see."""

    project: str = ""


class Promote(Struct, frozen=True, forbid_unknown_fields=True):
    """archive_others: with it, the versions that stood in that stage go to the archive in the same change."""

    stage: Target
    reason: str = ""
    archive_others: bool = False


class StageEntry(Struct, frozen=True):
    """When a version entered a stage, who moved it there and why."""

    stage: ModelStage
    entered_at: datetime
    by: str
    reason: str


class PointAlias(Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    reason: str = ""


class Alias(Struct, frozen=True):
    """A name that points at one version of a model."""

    model: str
    alias: str
    version: int
    moved_by: str
    moved_at: datetime
    reason: str


class CardField(Struct, frozen=True):
    """One thing that people should know about a version.

    recorded: taken from what the platform holds, and nobody can write it. entered: written by `by`. missing: no
    one has said it yet. `links` are references to where a recorded value comes from.
    """

    name: str
    title: str
    value: str
    source: CardSource
    links: list[str] = []
    by: str = ""
    at: datetime | None = None


class Card(Struct, frozen=True):
    """All fields of a version's card. `digest` stands for what people entered; `missing` names what they did not."""

    model: str
    version: int
    digest: str
    fields: list[CardField]
    missing: list[str]


class EnterCard(Struct, frozen=True, forbid_unknown_fields=True):
    """Texts by the field's name; an empty text takes the field back."""

    fields: dict[str, str]


class Verified(Struct, frozen=True):
    """A bundle whose every byte is what was registered."""

    model: str
    version: int
    digest: str
    files: int
    size_bytes: int


log_model = Endpoint(
    "POST", "/api/runs/{run}/models", LogModel, ModelVersion, "models.write", "Register a model that a run made"
)
register_version = Endpoint(
    "POST", "/api/models", RegisterVersion, ModelVersion, "models.write", "Register a version of a model"
)
list_models = Endpoint(
    "GET", "/api/models", ListModels, Page[Model], "models.read", "The models one may see", "platform"
)
create_model = Endpoint(
    "POST", "/api/models/names", CreateModel, Model, "models.write", "Open a name for versions to come"
)
change_model = Endpoint(
    "PATCH", "/api/models/{model}", ChangeModel, Model, "models.write", "Describe, tag or rename a model"
)
delete_model = Endpoint(
    "DELETE", "/api/models/{model}", Nothing, Deleted, "models.write", "Delete a model and its versions"
)
register_source = Endpoint(
    "POST",
    "/api/models/{model}/versions",
    RegisterSource,
    ModelVersion,
    "models.write",
    "Register a version by where its files are",
)
change_version = Endpoint(
    "PATCH",
    "/api/models/{model}/versions/{version}",
    ChangeVersion,
    ModelVersion,
    "models.write",
    "Describe or tag a version",
)
delete_version = Endpoint(
    "DELETE",
    "/api/models/{model}/versions/{version}",
    Nothing,
    Deleted,
    "models.write",
    "Delete a version",
)
judge_by = Endpoint(
    "PUT",
    "/api/models/{model}/versions/{version}/evaluation",
    Predictions,
    ModelVersion,
    "models.write",
    "Pin the predictions that a version is judged by",
)
seal_version = Endpoint(
    "POST",
    "/api/models/{model}/versions/{version}/bundle",
    Nothing,
    ModelVersion,
    "models.write",
    "Look again for the files of a version without a bundle",
)
show_model = Endpoint("GET", "/api/models/{model}", Nothing, Model, "models.read", "A model and its aliases")
list_versions = Endpoint(
    "GET",
    "/api/models/{model}/versions",
    Nothing,
    Page[ModelVersion],
    "models.read",
    "A model's versions, newest first",
)
find_version = Endpoint(
    "GET",
    "/api/models/{model}/versions/{version}",
    Nothing,
    ModelVersion,
    "models.read",
    "A version, by its number or by an alias",
)
list_stages = Endpoint(
    "GET",
    "/api/models/{model}/versions/{version}/stages",
    Nothing,
    Page[StageEntry],
    "models.read",
    "When a version entered which stage",
)
promote = Endpoint(
    "POST",
    "/api/models/{model}/versions/{version}/stage",
    Promote,
    ModelVersion,
    "models.promote",
    "Move a version to a stage of its path",
    guarded=True,
)
point_alias = Endpoint(
    "PUT",
    "/api/models/{model}/aliases/{alias}",
    PointAlias,
    Alias,
    "models.promote",
    "Point an alias at a version",
    guarded=True,
)
drop_alias = Endpoint(
    "DELETE", "/api/models/{model}/aliases/{alias}", Nothing, Alias, "models.promote", "Take an alias away"
)
show_card = Endpoint(
    "GET", "/api/models/{model}/versions/{version}/card", Nothing, Card, "models.read", "A version's card"
)
enter_card = Endpoint(
    "PUT",
    "/api/models/{model}/versions/{version}/card",
    EnterCard,
    Card,
    "models.write",
    "Enter fields of a version's card",
)
verify_version = Endpoint(
    "GET",
    "/api/models/{model}/versions/{version}/verification",
    Nothing,
    Verified,
    "models.read",
    "Check every byte of a version's bundle",
)
show_manifest = Endpoint(
    "GET",
    "/api/models/{model}/versions/{version}/manifest",
    Nothing,
    Manifest,
    "models.read",
    "What a version's bundle holds",
)
download_file = Endpoint(
    "GET",
    "/api/models/{model}/versions/{version}/files/{file:path}",
    Nothing,
    Raw,
    "models.read",
    "One file of a version's bundle",
)
