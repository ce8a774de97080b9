"""Bundles as folders in the home, made of blobs by hard link, so that a worker can load one.

A bundle that is not there, because another server registered it or the folder was lost, is made of its blobs again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from taxiway.kernel.canonical import canonical_json
from taxiway.kernel.errors import NotFound
from taxiway.models.bundles.bundle import MANIFEST, Bundle, BundleFile, Manifest, bundle_digest, verify_bundle
from taxiway.storage.blobs import Blobs, sync_folder


class Shelf:
    """``HOME/bundles``, with a read-only folder for each bundle, named by the digest's 64 hexadecimal digits."""

    def __init__(self, folder: Path, blobs: Blobs) -> None:
        self.folder = folder
        self.blobs = blobs
        self.manifest_of: Callable[[str], Manifest | None] = lambda _: None  # by a bundle's digest
        folder.mkdir(parents=True, exist_ok=True)

    def place(self, digest: str) -> Path:
        """Where a bundle stands, or would stand if it were known here. Raises NotFound for a file that is lost."""
        place = self._folder(digest)
        if not place.exists() and (manifest := self.manifest_of(digest)) is not None:
            self.put(manifest)
        return place

    def _folder(self, digest: str) -> Path:
        return self.folder / digest.removeprefix("sha256:")

    def put(self, manifest: Manifest) -> Bundle:
        """The bundle on the shelf, every byte checked; a bundle that stands there already is checked again.

        Raises NotFound for a file that was not stored before, BundleTampered for anything that differs.
        """
        digest = bundle_digest(manifest)
        place = self._folder(digest)
        if not place.exists():
            beside = Path(tempfile.mkdtemp(dir=self.folder, prefix="incoming-"))
            try:
                self._fill(beside, manifest)
                verify_bundle(beside, digest)
                close(beside)
                take(beside, place)
            finally:
                remove(beside)
        return verify_bundle(place, digest)

    def verify(self, digest: str) -> Bundle:
        """The bundle after a check of every byte. Raises BundleTampered, NotABundle."""
        return verify_bundle(self.place(digest), digest)

    def clear_incoming(self) -> None:
        """Removes what a killed process left half-made."""
        for beside in self.folder.glob("incoming-*"):
            remove(beside)

    def _fill(self, folder: Path, manifest: Manifest) -> None:
        for file in manifest.files:
            source = self.blobs.file(file.digest)
            target = folder / file.path
            if not source.exists():
                raise not_stored(file)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(source, target)
            except OSError:  # a file system without hard links, or a blob with as many links as it may have
                shutil.copyfile(source, target)
                target.chmod(0o444)
        with (folder / MANIFEST).open("xb") as file_out:
            file_out.write(canonical_json(manifest))
            file_out.flush()
            os.fsync(file_out.fileno())
        (folder / MANIFEST).chmod(0o444)


def not_stored(file: BundleFile) -> NotFound:
    return NotFound(kind="blob", name=file.digest, hint=f"Store the bytes of {file.path} first.")


def take(beside: Path, place: Path) -> None:
    """Puts a finished folder in its place; whoever was faster put the same bytes there."""
    try:
        beside.rename(place)
    except OSError:
        if not place.exists():
            raise
    sync_folder(place.parent)


def close(folder: Path) -> None:
    """Makes the folders of a bundle read-only, and what is in them durable."""
    for inner in sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True):
        sync_folder(inner)
        inner.chmod(0o555)
    sync_folder(folder)
    folder.chmod(0o555)


def remove(folder: Path) -> None:
    """Removes a folder that was made read-only; nothing where it is gone already."""
    if not folder.exists():
        return
    for inner in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
        inner.chmod(0o755)
    shutil.rmtree(folder)
