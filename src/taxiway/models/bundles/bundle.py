"""A bundle: what a model version is on disk. A folder that lists its own files by digest and never changes.

The bundle's digest is the SHA-256 of its canonical manifest. `taxiway.json` holds exactly those bytes, so
`sha256sum taxiway.json` prints the same digest, and since the manifest lists every other file with its own
digest, one string pins the whole folder.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Collection, Iterator, Mapping
from io import BufferedReader
from pathlib import Path

import msgspec
from msgspec import Struct

from taxiway.kernel.canonical import NotCanonical, canonical_json
from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.version import VERSION
from taxiway.models.predicting.signature import Signature
from taxiway.models.twins.record import Twin

MANIFEST = "taxiway.json"
LOCK = "requirements.lock"
FORMAT = 1
LARGEST_MANIFEST_BYTES = 16 * 2**20


class BundleFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of a bundle: where it is (relative, with forward slashes), its size and `sha256:<hex>`."""

    path: str
    size_bytes: int
    digest: str


class NativeModel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file that the model's own library reads, and how.

    serialization: such as "skops", which rebuilds named types only, or "pickle", which runs code.
    trusted_types: the types in a skops file that skops itself does not vouch for.
    """

    file: str
    serialization: str
    trusted_types: tuple[str, ...] = ()


class UsedVersion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model version that a service asks, by the name it has for it; its bundle lies whole under `models/NAME`."""

    name: str
    model: str
    version: int
    bundle: str


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Everything a version says of itself. A draft leaves the last four fields to `write_bundle`.

    threshold: the score from which a binary classifier says yes; run: id of the run that logged it;
    datasets: digests of what it was trained on; environment: digest of `requirements.lock`;
    uses: versions that a service asks; twin: what was found of a compiled form of it; taxiway: the release that wrote
    it. What is at its default is left out of the file, so that a later release can add a field without changing the
    digest of what stands.
    """

    name: str
    flavour: str
    signature: Signature
    native: NativeModel
    example: str | None = None
    threshold: float | None = None
    run: str | None = None
    datasets: tuple[str, ...] = ()
    risk_tier: str | None = None
    uses: tuple[UsedVersion, ...] = ()
    twin: Twin | None = None
    files: tuple[BundleFile, ...] = ()
    environment: str | None = None
    taxiway: str = ""
    format: int = 0


class Bundle(Struct, frozen=True, kw_only=True):
    """A bundle that was read: its folder, its manifest and the digest that stands for both."""

    folder: Path
    manifest: Manifest
    digest: str


class BundleTampered(TaxiwayError):
    """A file of a bundle is not what the manifest says: changed, missing, added, or no plain file at all."""

    status = 409
    is_audited = True
    file: str
    expected: str
    found: str

    def __str__(self) -> str:
        return (
            f"{self.file} is not the file that was approved: expected {self.expected}, found {self.found}. "
            f"Do not load this bundle; fetch the version again, or log the model anew as a new version."
        )


class NotABundle(TaxiwayError):
    """A folder that cannot be read as a bundle at all."""

    status = 422
    folder: str
    reason: str

    def __str__(self) -> str:
        return f"{self.folder} is no model bundle: {self.reason}. `run.log_model` makes one."


def write_bundle(folder: Path, draft: Manifest, *, lock: str | None = None) -> Bundle:
    """Seals a folder of model files: writes the lock, and `taxiway.json` that lists every file by digest.

    lock: the text of `requirements.lock`, where the folder does not have one yet.
    Raises NotABundle where the folder is sealed already or the native file is absent, and BundleTampered
    for what no bundle may hold: links, hidden files, anything that is no plain file.
    """
    if (folder / MANIFEST).exists():
        raise NotABundle(folder=str(folder), reason=f"it is sealed already by its {MANIFEST}")
    if lock is not None:
        (folder / LOCK).write_text(lock, encoding="utf-8")
    files = tuple(_describe(folder, path) for path in _files(folder))
    digests = {file.path: file.digest for file in files}
    if draft.native.file not in digests:
        raise NotABundle(folder=str(folder), reason=f"it has no {draft.native.file}, which its manifest names")
    manifest = msgspec.structs.replace(
        draft, files=files, environment=digests.get(LOCK), taxiway=VERSION, format=FORMAT
    )
    data = canonical_json(manifest)
    with (folder / MANIFEST).open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return Bundle(folder=folder, manifest=manifest, digest=digest_of(data))


def read_manifest(folder: Path) -> Manifest:
    """What `taxiway.json` says, believed for what it is: nothing else in the folder is looked at.

    Raises NotABundle when the file is absent, is no manifest, or is of a newer format.
    """
    return _parse(folder, _manifest_bytes(folder))


def bundle_digest(manifest: Manifest) -> str:
    """The digest that stands for a bundle: `sha256:` and the SHA-256 of the manifest's canonical JSON.

    Canonical as in RFC 8785, so the order of keys and the spelling of numbers make no difference.
    """
    return digest_of(canonical_json(manifest))


def digest_of(data: bytes) -> str:
    """`sha256:` and 64 hexadecimal digits.

    >>> digest_of(b"")[:14]
    'sha256:e3b0c44'
    """
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def verify_bundle(folder: Path, digest: str | None = None) -> Bundle:
    """The bundle, after every byte of it was checked.

    digest: the one that was approved. Without it the folder is only known to agree with its own manifest,
    and whoever can write the folder can write the manifest too.
    Raises BundleTampered for the first file, in the order of paths, that is changed, missing, added, or no
    plain file; NotABundle when there is no manifest to check against.
    """
    data = _manifest_bytes(folder)
    if digest is not None and (found := digest_of(data)) != digest:
        raise BundleTampered(file=MANIFEST, expected=digest, found=found)
    manifest = _parse(folder, data)
    canonical = canonical_json(msgspec.json.decode(data))
    if data != canonical:
        raise BundleTampered(file=MANIFEST, expected=digest_of(canonical), found=digest_of(data))
    listed = {file.path: file for file in manifest.files}
    present = set(_files(folder)) - {MANIFEST}
    for path in sorted(listed.keys() | present):
        _check_listed(path, listed, present)
        _check_content(folder, listed[path])
    return Bundle(folder=folder, manifest=manifest, digest=digest_of(data))


def read_verified(bundle: Bundle, path: str) -> bytes:
    """A file's bytes, checked as they were read, so nothing can be swapped between the check and the use.

    Raises BundleTampered when they are not the bytes that the manifest lists.
    """
    listed = {file.path: file for file in bundle.manifest.files}
    _check_listed(path, listed, {path})
    with _opened(bundle.folder, path) as file:
        data = file.read()
    if (found := digest_of(data)) != listed[path].digest:
        raise BundleTampered(file=path, expected=listed[path].digest, found=found)
    return data


def _manifest_bytes(folder: Path) -> bytes:
    path = folder / MANIFEST
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError) as e:
        raise NotABundle(folder=str(folder), reason=f"it has no {MANIFEST}") from e
    if not stat.S_ISREG(status.st_mode):
        raise BundleTampered(file=MANIFEST, expected="a plain file", found=_kind(status.st_mode))
    if status.st_size > LARGEST_MANIFEST_BYTES:
        raise NotABundle(folder=str(folder), reason=f"its {MANIFEST} is larger than any manifest")
    return path.read_bytes()


def _parse(folder: Path, data: bytes) -> Manifest:
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
        canonical_json(msgspec.json.decode(data))
    except (msgspec.DecodeError, NotCanonical, UnicodeEncodeError) as e:
        raise NotABundle(folder=str(folder), reason=f"its {MANIFEST} cannot be read ({e})") from e
    if manifest.format > FORMAT:
        reason = f"its format {manifest.format} is newer than this release knows ({FORMAT})"
        raise NotABundle(folder=str(folder), reason=reason)
    for file in manifest.files:
        _check_path(file.path)
    return manifest


def _check_path(path: str) -> None:
    """Only a relative path that stays inside and hides nothing may be listed."""
    parts = path.split("/")
    is_plain = all(part and not part.startswith(".") for part in parts) and "\\" not in path and path.isprintable()
    if not is_plain or path == MANIFEST:
        raise BundleTampered(file=path, expected="a relative path of plain, visible names", found=repr(path))


def _files(folder: Path, inside: str = "") -> Iterator[str]:
    """The paths of all files, relative to the bundle. Refuses links, hidden names and special files."""
    for entry in sorted(os.scandir(folder / inside), key=lambda entry: entry.name):
        path = f"{inside}/{entry.name}" if inside else entry.name
        mode = entry.stat(follow_symlinks=False).st_mode
        if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            raise BundleTampered(file=path, expected="a plain file", found=_kind(mode))
        if path != MANIFEST:
            _check_path(path)
        if stat.S_ISDIR(mode):
            yield from _files(folder, path)
        else:
            yield path


def _kind(mode: int) -> str:
    return "a symbolic link" if stat.S_ISLNK(mode) else "a folder" if stat.S_ISDIR(mode) else "a special file"


def _opened(folder: Path, path: str) -> BufferedReader:
    """A file open for reading, refusing to follow a link in its last step."""
    try:
        return os.fdopen(os.open(folder / path, os.O_RDONLY | os.O_NOFOLLOW), "rb")
    except FileNotFoundError as e:
        raise BundleTampered(file=path, expected="a file", found="nothing") from e
    except OSError as e:
        if e.errno != errno.ELOOP:
            raise
        raise BundleTampered(file=path, expected="a plain file", found="a symbolic link") from e


def _describe(folder: Path, path: str) -> BundleFile:
    with _opened(folder, path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size_bytes = file.tell()
    return BundleFile(path=path, size_bytes=size_bytes, digest=f"sha256:{digest}")


def _check_listed(path: str, listed: Mapping[str, BundleFile], present: Collection[str]) -> None:
    if path not in listed:
        raise BundleTampered(file=path, expected="no such file", found="a file that the manifest does not list")
    if path not in present:
        raise BundleTampered(file=path, expected=listed[path].digest, found="nothing")


def _check_content(folder: Path, listed: BundleFile) -> None:
    found = _describe(folder, listed.path)
    if found != listed:
        raise BundleTampered(file=listed.path, expected=listed.digest, found=found.digest)
