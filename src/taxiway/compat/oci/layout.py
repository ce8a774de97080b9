"""How a bundle is told to an OCI registry: manifests of images, byte for byte the same for the same bundle. Pure.

The config of a bundle's image is its own manifest, so that the config's digest is the bundle's; every file is a layer
under its path, as ORAS names them. What was found and approved refers to the image (OCI image spec 1.1, `subject`).
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from msgspec import Struct

from taxiway.kernel.canonical import canonical_json
from taxiway.kernel.errors import BadField
from taxiway.models.bundles.bundle import MANIFEST, Manifest

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
BUNDLE = "application/vnd.taxiway.bundle.v1"
BUNDLE_CONFIG = "application/vnd.taxiway.bundle.config.v1+json"
BUNDLE_FILE = "application/vnd.taxiway.bundle.file.v1"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
TITLE = "org.opencontainers.image.title"
PREDICATE = "in-toto.io/predicate-type"
NOTHING = b"{}"

HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?|\[[0-9a-f:]+\](?::\d{1,5})?", re.IGNORECASE)
REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Place(Struct, frozen=True):
    """Where an image is. at: a tag, or a digest."""

    host: str
    repository: str
    at: str

    def __str__(self) -> str:
        return f"{self.host}/{self.repository}{'@' if DIGEST.fullmatch(self.at) else ':'}{self.at}"


class Descriptor(Struct, frozen=True):
    """What a manifest says of a blob, or an index of a manifest."""

    media_type: str
    digest: str
    size: int
    annotations: dict[str, str] = {}

    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        return {**told, "annotations": self.annotations} if self.annotations else told


def read_place(text: str, default: str = "") -> Place:
    """The place that a reference such as ``registry.example/models/mortgage:3`` names. Raises BadField.

    default: the tag where none is given; empty asks for one.
    """
    given = text.removeprefix("oci://")
    host, slash, rest = given.partition("/")
    name, at, digest = rest.partition("@")
    repository, colon, tag = (name, "", "") if at else name.partition(":")
    found = digest if at else tag or default
    is_right = bool(slash and HOST.fullmatch(host) and REPOSITORY.fullmatch(repository) and len(repository) <= 255)
    is_found = bool(DIGEST.fullmatch(found) if at else TAG.fullmatch(found)) and not (colon and not tag)
    if not (is_right and is_found):
        raise BadField(
            field="registry", value=repr(text[:200]), expected="HOST/REPOSITORY:TAG, such as ghcr.io/us/mortgage:3"
        )
    return Place(host, repository, found)


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def image_of(manifest: Manifest, *, model: str, version: int) -> bytes:
    """The OCI manifest of a bundle, as it is pushed."""
    config = canonical_json(manifest)
    own = Descriptor(BUNDLE_FILE, digest_of(config), len(config), {TITLE: MANIFEST})
    files = [Descriptor(BUNDLE_FILE, each.digest, each.size_bytes, {TITLE: each.path}) for each in manifest.files]
    return canonical_json(
        {
            "schemaVersion": 2,
            "mediaType": IMAGE,
            "artifactType": BUNDLE,
            "config": Descriptor(BUNDLE_CONFIG, own.digest, own.size).told(),
            "layers": [each.told() for each in [own, *files]],
            "annotations": {
                TITLE: f"{model}@{version}",
                "org.opencontainers.image.version": str(version),
                "dev.taxiway.bundle": own.digest,
                "dev.taxiway.model": model,
            },
        }
    )


def referrer_of(subject: Descriptor, kind: str, blob: Descriptor, annotations: dict[str, str]) -> bytes:
    """The OCI manifest of something that refers to an image, such as a signed statement."""
    return canonical_json(
        {
            "schemaVersion": 2,
            "mediaType": IMAGE,
            "artifactType": kind,
            "config": Descriptor(EMPTY, digest_of(NOTHING), len(NOTHING)).told(),
            "layers": [blob.told()],
            "subject": Descriptor(subject.media_type, subject.digest, subject.size).told(),
            "annotations": annotations,
        }
    )


def index_of(manifests: list[dict[str, Any]]) -> bytes:
    """The index of referrers that a registry without the referrers API keeps under a tag."""
    return canonical_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})


def listed(descriptor: Descriptor, kind: str) -> dict[str, Any]:
    """An entry of that index."""
    return {**descriptor.told(), "artifactType": kind}


def tag_of(digest: str) -> str:
    """The tag that stands for the referrers of a digest."""
    return digest.replace(":", "-")
