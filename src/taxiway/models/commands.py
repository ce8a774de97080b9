"""The CLI of models."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from msgspec.structs import asdict

from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.errors import BadField
from taxiway.models.bundles.bundle import MANIFEST, BundleTampered, verify_bundle
from taxiway.models.contract import Alias, Card, Deleted, Model, ModelVersion, Target, Verified
from taxiway.models.logged.contract import LoggedModel
from taxiway.models.signing.vouching import COMMANDS as VOUCHING
from taxiway.models.signing.vouching import verify_signed
from taxiway.models.twins.commands import COMMANDS as TWINS
from taxiway.models.twins.commands import told

if TYPE_CHECKING:
    from taxiway.client import Client
    from taxiway.gates.reviews.contract import Inventoried

MODEL = Argument("model", "the model's name")
EXPORTS = ("huggingface", "sagemaker", "cyclonedx")
WHAT = Argument("what", "MODEL, or MODEL@VERSION for one version")
VERSION = Argument("version", "MODEL@VERSION or MODEL@ALIAS; MODEL alone is the newest version")


def list_(client: Client, given: Namespace) -> list[Model]:
    return client.models.list(project=given.project)


def versions(client: Client, given: Namespace) -> list[ModelVersion]:
    return client.models.versions(given.model)


class VersionShown(ModelVersion, frozen=True, kw_only=True):
    """A version, and which form of it answers."""

    runs: str = ""


def show(client: Client, given: Namespace) -> VersionShown:
    found = client.models.find(given.version)
    name = f"{found.model}@{found.version}"
    return VersionShown(**asdict(found), runs=told(client.models.manifest(name).twin) if found.bundle else "")


def promote(client: Client, given: Namespace) -> ModelVersion:
    return client.models.promote(given.version, given.stage, reason=given.reason, archive_others=given.archive_others)


def show_promoted(version: ModelVersion) -> str:
    """Where the version stands now, and what comes next."""
    name = f"{version.model}@{version.version}"
    moved = f"; the alias {' and '.join(version.aliases)} moved with it" if version.aliases else ""
    if version.stage == "production":
        following = f"taxiway endpoints deploy {version.model} {name}"
    else:
        following = f"taxiway gates show {version.model} {version.version}"
    return f"{name} is in {version.stage}{moved}. Next: `{following}`"


def create(client: Client, given: Namespace) -> Model:
    return client.models.create(given.model, project=given.project, description=given.description)


def register(client: Client, given: Namespace) -> ModelVersion:
    return client.models.register_source(
        given.model, given.source, run=given.run or None, folder=given.folder, logged_model=given.logged
    )


def logged(client: Client, given: Namespace) -> list[LoggedModel]:
    found = client.models.logged(run=given.run, project=given.project)
    if not found and given.run:
        client.runs.show(given.run)
    return found


def seal(client: Client, given: Namespace) -> ModelVersion:
    return client.models.seal(given.version)


def describe(client: Client, given: Namespace) -> Model | ModelVersion:
    if given.text is None and not given.tag and not given.untag:
        raise BadField(field="what to say", value="nothing", expected="--text, --tag or --untag")
    tags = dict(pair(text) for text in given.tag or [])
    return client.models.describe(given.what, description=given.text, tags=tags, untag=given.untag or [])


def rename(client: Client, given: Namespace) -> str:
    model = client.models.rename(given.model, given.to)
    return f"{given.model} is called {model.name} now, and so are its versions up to {model.newest}"


def delete(client: Client, given: Namespace) -> Deleted:
    return client.models.delete(given.what)


def show_deleted(deleted: Deleted) -> str:
    if deleted.version:
        return f"{deleted.model}@{deleted.version} is deleted; its number is not given again"
    return f"{deleted.model} is deleted with {len(deleted.versions)} versions"


def alias(client: Client, given: Namespace) -> Alias:
    if given.drop:
        return client.models.drop_alias(given.model, given.alias)
    if given.number is None:
        raise BadField(field="number", value="nothing", expected="the version's number, or --drop")
    return client.models.point_alias(given.model, given.alias, version=given.number, reason=given.reason)


def card(client: Client, given: Namespace) -> Card | str:
    if given.export or given.out:
        if not (given.export and given.out) or given.set:
            raise BadField(field="--export", value="with --set or without --out", expected="--export FORM --out FILE")
        return str(client.dossiers.save_card(given.version, given.out, export=given.export))
    if not given.set:
        return client.models.card(given.version)
    fields = dict(pair(text) for text in given.set)
    return client.models.enter_card(given.version, **fields)


def pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BadField(field="NAME=TEXT", value=repr(text), expected="NAME=TEXT, such as limits='not for companies'")
    return name, value


def verify(client: Client, given: Namespace) -> Verified:
    """A folder is checked here, a version by the server that holds it."""
    if given.signature:
        return verify_signed(client, given.what, given.signature, given.key)
    folder = Path(given.what)
    if not (folder.is_dir() or "/" in given.what or given.what.endswith(MANIFEST)):
        found = client.models.verify(given.what)
        if given.digest and given.digest != found.digest:
            raise BundleTampered(file=MANIFEST, expected=given.digest, found=found.digest)
        return found
    bundle = verify_bundle(folder.parent if folder.name == MANIFEST else folder, given.digest or None)
    files = bundle.manifest.files
    size_bytes = sum(file.size_bytes for file in files)
    return Verified(bundle.manifest.name, 0, bundle.digest, len(files), size_bytes)


def show_verified(verified: Verified) -> str:
    which = f"{verified.model}@{verified.version}" if verified.version else f"a bundle of {verified.model}"
    return f"intact: {which}, {verified.files} files, {verified.size_bytes:,} bytes\n{verified.digest}"


def download(client: Client, given: Namespace) -> str:
    if Path(given.to).exists():
        raise BadField(field="to", value=repr(given.to), expected="a folder that is not there yet")
    bundle = client.models.download(given.version, given.to)
    return f"{bundle.folder}\n{bundle.digest}"


def show_card(card: Card | str) -> str:
    if isinstance(card, str):
        return card
    lines = [f"{card.model} v{card.version}"]
    for field in card.fields:
        by = f", {field.by}" if field.by else ""
        lines.append(f"{field.title} ({field.source}{by})\n    {field.value or '-'}")
    return "\n".join(lines)


def inventory(client: Client, given: Namespace) -> list[Inventoried]:
    state = "overdue" if given.overdue else ""
    return client.gates.reviews.inventory(project=given.project, tier=given.tier, state=state)


COMMANDS = (
    Command(
        "list",
        "the models you may see",
        list_,
        (Argument("--project", "only this project's", default=""),),
        ("name", "project", "newest", "aliases", "created_by"),
    ),
    Command(
        "inventory",
        "the models in use, with owner, tier and when they are reviewed",
        inventory,
        (
            Argument("--overdue", "only those that were not looked at again in time", is_flag=True),
            Argument("--tier", "only of this risk tier", default="", choices=("low", "medium", "high")),
            Argument("--project", "only this project's", default=""),
        ),
        ("model", "version", "stage", "owner", "tier", "reviewed_at", "due_at", "state", "reviewers"),
    ),
    Command(
        "versions",
        "a model's versions, newest first",
        versions,
        (MODEL,),
        ("version", "stage", "aliases", "flavour", "run", "created_by", "created_at"),
    ),
    Command("show", "a version", show, (VERSION,)),
    Command(
        "promote",
        "move a version to a stage of its path, if the gates let it",
        promote,
        (
            VERSION,
            Argument("stage", "where to", choices=get_args(Target)),
            Argument("--archive-others", "archive what stands in that stage", is_flag=True),
            Argument("--reason", "why", default=""),
        ),
        show=show_promoted,
    ),
    Command(
        "create",
        "open a name before there is a version of it",
        create,
        (
            MODEL,
            Argument("--project", "the project it belongs to", default="default"),
            Argument("--description", "what it is for", default=""),
        ),
    ),
    Command(
        "register",
        "register a version by where its files are: a run's folder, or a logged model",
        register,
        (
            MODEL,
            Argument("source", "where it comes from, in words or as an address"),
            Argument("--run", "the run that left its files behind", default=""),
            Argument("--folder", "where among the run's artifacts"),
            Argument("--logged", "the id of the logged model", default=""),
        ),
    ),
    Command(
        "logged",
        "models that runs made, before anything of them was registered",
        logged,
        (
            Argument("--run", "only this run's", default=""),
            Argument("--project", "only this project's", default=""),
        ),
        ("id", "name", "kind", "status", "run", "registered", "created_at"),
    ),
    Command("seal", "look again for the files of a version that has none", seal, (VERSION,)),
    Command(
        "describe",
        "say what a model or a version is, and tag it",
        describe,
        (
            WHAT,
            Argument("--text", "the description; an empty one takes it away"),
            Argument("--tag", "NAME=TEXT, as often as you like", is_many=True),
            Argument("--untag", "a tag to take away, as often as you like", is_many=True),
        ),
    ),
    Command(
        "rename",
        "give a model another name; versions, tags and aliases follow",
        rename,
        (MODEL, Argument("to", "the new name")),
    ),
    Command(
        "delete",
        "delete a version, or a model with all of them; numbers stay taken",
        delete,
        (WHAT,),
        show=show_deleted,
    ),
    Command(
        "alias",
        "point an alias at a version, or take it away",
        alias,
        (
            MODEL,
            Argument("alias", "the alias"),
            Argument("number", "the version's number", int, is_optional=True),
            Argument("--drop", "take it away", is_flag=True),
            Argument("--reason", "why", default=""),
        ),
    ),
    Command(
        "card",
        "what people should know about a version, or enter a part of it",
        card,
        (
            VERSION,
            Argument("--set", "FIELD=TEXT, as often as you like", is_many=True),
            Argument("--export", "the card as another system takes it", choices=EXPORTS),
            Argument("--out", "the file to export it to", is_file=True),
        ),
        show=show_card,
    ),
    Command(
        "verify",
        "check every byte of a version or of a folder; exit code 1 if one was changed",
        verify,
        (
            Argument("what", "MODEL@VERSION_OR_ALIAS, or the path of a bundle's folder", is_file=True),
            Argument("--digest", "the digest that it must have", default=""),
            Argument("--signature", "a signature over its files, as `taxiway models sign` writes it", is_file=True),
            Argument("--key", "the public key of the signature in PEM; by default your own", is_file=True),
        ),
        show=show_verified,
    ),
    Command(
        "download",
        "fetch a version's bundle into a folder",
        download,
        (VERSION, Argument("to", "a folder that is not there yet", is_file=True)),
    ),
    *TWINS,
    *VOUCHING,
)
