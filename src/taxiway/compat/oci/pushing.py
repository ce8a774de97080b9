"""Taking a version to a registry, and bringing one back."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from taxiway.compat.oci import contract, layout
from taxiway.compat.oci.layout import Descriptor
from taxiway.compat.oci.reading import release_in
from taxiway.compat.oci.refusals import NoBundleThere
from taxiway.compat.oci.registry import Registry
from taxiway.evidence.contract import Shown
from taxiway.kernel.canonical import canonical_json
from taxiway.models import contract as models_contract
from taxiway.models.bundles.bundle import LARGEST_MANIFEST_BYTES, MANIFEST, read_manifest, verify_bundle
from taxiway.models.client import split

if TYPE_CHECKING:
    from taxiway.client import Client

Tell = Callable[[str], object]
STATEMENTS = "statements"
MOST_STATEMENTS = 10_000
LARGEST_STATEMENT = 4 << 20


class Pushed(Struct, frozen=True):
    """An image that was pushed. reference: by digest, as a cluster should name it. new_bytes: what was not there."""

    reference: str
    digest: str
    bundle: str
    stage: str
    statements: int
    new_bytes: int


class Pulled(Struct, frozen=True):
    """A bundle that came from a registry. stage: as the platform signed it last, empty where it signed nothing."""

    folder: str
    digest: str
    bundle: str
    files: int
    statements: list[str]
    stage: str = ""


def push(client: Client, name: str, to: str, *, is_plain: bool, tell: Tell) -> Pushed:
    """Pushes a version's bundle with every statement about it. Raises BadField, NoBundle, RegistryRefused."""
    found = client.models.find(name)
    place = layout.read_place(to, default=str(found.version))
    registry = Registry(place.host, place.repository, is_plain=is_plain)
    manifest = client.models.manifest(name)
    where = split(f"{found.model}@{found.version}")
    with registry.understood():
        own = canonical_json(manifest)
        new = len(own) * registry.put_blob(BytesIO(own), len(own), layout.digest_of(own))
        for file in manifest.files:
            if not registry.has_blob(file.digest):
                tell(f"{file.path} ({file.size_bytes:,} bytes)")
                with tempfile.TemporaryFile() as held:
                    client.transport.download(models_contract.download_file, held, **where, file=file.path)
                    held.seek(0)
                    new += file.size_bytes * registry.put_blob(held, file.size_bytes, file.digest)
        image = layout.image_of(manifest, model=found.model, version=found.version)
        subject = registry.put_manifest(image)
        released = client.transport.call(contract.release_image, contract.ReleaseImage(), **where)
        statements = [released, *all_about(client, found.ref, but=released.statement.id)]
        tell(f"{len(statements)} signed statements")
        registry.refer(subject, layout.ENVELOPE, [told(shown) for shown in reversed(statements)])
        registry.put_manifest(image, place.at if not layout.DIGEST.fullmatch(place.at) else "")
    return Pushed(
        reference=f"{place.host}/{place.repository}@{subject.digest}",
        digest=subject.digest,
        bundle=found.bundle,
        stage=str(released.predicate["stage"]),
        statements=len(statements),
        new_bytes=new,
    )


def all_about(client: Client, thing: str, *, but: str) -> list[Shown]:
    """Every statement about a version with its envelope, newest first."""
    found: list[Shown] = []
    before = ""
    while True:
        page = client.evidence.list(thing=thing, before=before, limit=100)
        found += [client.evidence.show(each.id) for each in page.items if each.id != but]
        if not page.next:
            return found
        before = page.next


def told(shown: Shown) -> tuple[bytes, dict[str, str]]:
    """A statement as a registry keeps it: its envelope, and what the index says of it."""
    said = {
        layout.PREDICATE: shown.statement.predicate_type,
        layout.TITLE: f"{shown.statement.id}.dsse.json",
        "org.opencontainers.image.created": shown.statement.at.isoformat().replace("+00:00", "Z"),
    }
    return msgspec.json.encode(shown.envelope, order="sorted"), said


def pull(source: str, to: Path, *, is_plain: bool, tell: Tell) -> Pulled:
    """Brings a bundle into a folder that is not there yet, every byte checked, and its statements beside it.

    Raises BadField, BundleTampered, FileExistsError, NoBundleThere, RegistryRefused.
    """
    if to.exists():
        raise FileExistsError(f"{to} is there already. Give a folder that is not, or remove it.")
    place = layout.read_place(source, default="latest")
    registry = Registry(place.host, place.repository, is_plain=is_plain)
    with registry.understood():
        subject, found = registry.get_manifest(place.at)
        config = bundle_of(found, str(place))
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=".incoming-") as name:
        beside = Path(name) / "bundle"
        beside.mkdir()
        with registry.understood(), (beside / MANIFEST).open("xb") as into:
            registry.get_blob(config.digest, into, config.size)
        manifest = read_manifest(beside)
        for file in manifest.files:
            tell(f"{file.path} ({file.size_bytes:,} bytes)")
            (beside / file.path).parent.mkdir(parents=True, exist_ok=True)
            with registry.understood(), (beside / file.path).open("xb") as into:
                registry.get_blob(file.digest, into, file.size_bytes)
        bundle = verify_bundle(beside, config.digest)
        with registry.understood():
            envelopes = envelopes_of(registry, subject.digest)
        beside.rename(to)
    statements = write_envelopes(to, envelopes)
    return Pulled(str(to), subject.digest, bundle.digest, len(manifest.files), statements, stage_of(envelopes))


def bundle_of(found: dict[str, Any], place: str) -> Descriptor:
    """The config of an image that holds a bundle. Raises NoBundleThere."""
    config = found.get("config")
    if not isinstance(config, dict) or config.get("mediaType") != layout.BUNDLE_CONFIG:
        kind = found.get("artifactType") or (config or {}).get("mediaType") or found.get("mediaType")
        raise NoBundleThere(place=place, cause=f"it is of the kind {kind}")
    digest, size = str(config.get("digest")), config.get("size")
    if not layout.DIGEST.fullmatch(digest) or not isinstance(size, int) or not 0 < size <= LARGEST_MANIFEST_BYTES:
        raise NoBundleThere(place=place, cause="what it says of its manifest cannot be")
    return Descriptor(layout.BUNDLE_CONFIG, digest, size)


def envelopes_of(registry: Registry, digest: str) -> list[tuple[dict[str, Any], bytes]]:
    """The signed statements that refer to an image, with what the index says of each."""
    found = []
    referring = [each for each in registry.referrers(digest) if each.get("artifactType") == layout.ENVELOPE]
    if len(referring) > MOST_STATEMENTS:
        raise ValueError(f"{len(referring)} statements")
    for each in referring:
        _, manifest = registry.get_manifest(str(each["digest"]))
        [layer] = manifest["layers"]
        held, size = BytesIO(), int(layer["size"])
        if size > LARGEST_STATEMENT:
            raise ValueError(f"a statement of {size} bytes")
        registry.get_blob(str(layer["digest"]), held, size)
        found.append((dict(each.get("annotations") or manifest.get("annotations") or {}), held.getvalue()))
    return found


def write_envelopes(folder: Path, envelopes: list[tuple[dict[str, Any], bytes]]) -> list[str]:
    """Writes the statements beside the bundle: within, they would be files that it does not list."""
    beside = folder.with_name(f"{folder.name}.{STATEMENTS}")
    names = []
    for number, (said, data) in enumerate(sorted(envelopes, key=lambda one: str(one[0].get(layout.TITLE)))):
        beside.mkdir(exist_ok=True)
        (beside / f"{number:03d}.dsse.json").write_bytes(data)
        names.append(str(said.get(layout.PREDICATE, "")))
    return names


def stage_of(envelopes: list[tuple[dict[str, Any], bytes]]) -> str:
    """The stage that the newest release says; its signature is for `taxiway evidence verify` to look at."""
    releases = [release for said, data in envelopes if (release := release_in(data)) is not None]
    newest = max(releases, key=lambda release: str(release.get("at")), default=None)
    return str(newest.get("stage", "")) if newest else ""
