"""Signatures over a model's folder in the form of OpenSSF Model Signing 1.0, made and checked with a key of one's own.

A file of its own beside the model: a Sigstore bundle whose envelope holds an in-toto Statement, which lists every file
by SHA-256. The tool `model-signing` reads what is written here, and what it signs with a key is read here. It leaves
out paths such as `.gitignore` unless told otherwise; here nothing is left out, so a folder with such a path is refused.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from msgspec import Struct

from taxiway.evidence.dsse import IN_TOTO, Envelope, NoEnvelope, payload_of, seal, signers
from taxiway.evidence.statement import STATEMENT, NoStatement, Said, read_statement
from taxiway.models.bundles.bundle import BundleTampered
from taxiway.models.refusals import ModelKeyUnusable, SignatureUnfit

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PREDICATE = "https://model_signing/signature/v1.0"
LEFT_OUT = (".git", ".gitattributes", ".github", ".gitignore")  # by the tool, where nobody says otherwise
HASHES: dict[str, HashAlgorithm] = {"secp256r1": SHA256(), "secp384r1": SHA384(), "secp521r1": SHA512()}


class PublicKeyHint(Struct, frozen=True):
    """The SHA-256 of the public key as PEM."""

    hint: str = ""


class Material(Struct, frozen=True, rename={"public_key": "publicKey", "tlog_entries": "tlogEntries"}):
    public_key: PublicKeyHint
    tlog_entries: list[Any] = []


class SigstoreBundle(
    Struct,
    frozen=True,
    rename={"media_type": "mediaType", "material": "verificationMaterial", "envelope": "dsseEnvelope"},
):
    """A signature as a file."""

    media_type: str
    material: Material
    envelope: Envelope


class Signed(Struct, frozen=True):
    """What a signature was found to cover. digest: the SHA-256 over the digests of all files, in their order."""

    name: str
    digest: str
    files: int
    size_bytes: int
    key: str


def sign_folder(folder: Path, key: EllipticCurvePrivateKey, signature: Path) -> Signed:
    """Writes the signature over every file of a folder, itself left out. Raises SignatureUnfit, BundleTampered."""
    listed = digests(folder, signature)
    resources = [{"name": name, "algorithm": "sha256", "digest": digest} for name, digest in listed.items()]
    inside = [signature.resolve().relative_to(folder.resolve()).as_posix()] if is_within(signature, folder) else []
    ignored = [*LEFT_OUT, *inside]
    how = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": ignored}
    payload = {
        "_type": STATEMENT,
        "subject": [{"name": folder.resolve().name, "digest": {"sha256": root_of(listed)}}],
        "predicateType": PREDICATE,
        "predicate": {"resources": resources, "serialization": how},
    }
    public = key.public_key()
    algorithm = ECDSA(hash_of(public))
    envelope = seal(msgspec.json.encode(payload), lambda data: key.sign(data, algorithm), keyid="")
    bundle = SigstoreBundle(MEDIA_TYPE, Material(PublicKeyHint(hint_of(public))), envelope)
    signature.write_bytes(msgspec.json.encode(bundle))
    return told(folder, listed, public)


def verify_folder(folder: Path, key: EllipticCurvePublicKey, signature: Path) -> Signed:
    """Checks every file against the signature, and the signature against the key.

    Raises BundleTampered for the first file, in the order of paths, that is changed, missing or not signed, whatever
    the signature says of files to be left out; SignatureUnfit where the signature does not hold or is another kind's.
    """
    expected = read_signed(signature, key)
    found = digests(folder, signature)
    for name in sorted({*expected, *found}):
        if name not in expected:
            raise BundleTampered(file=name, expected="no such file", found="a file that was not signed")
        if name not in found:
            raise BundleTampered(file=name, expected=f"sha256:{expected[name]}", found="nothing")
        if found[name] != expected[name]:
            raise BundleTampered(file=name, expected=f"sha256:{expected[name]}", found=f"sha256:{found[name]}")
    return told(folder, found, key)


def read_signed(signature: Path, key: EllipticCurvePublicKey) -> dict[str, str]:
    """The files that a signature covers, by name, each with its SHA-256. Raises SignatureUnfit, OSError."""

    def unfit(problem: str) -> SignatureUnfit:
        return SignatureUnfit(signature=str(signature), problem=problem)

    try:
        bundle = msgspec.json.decode(signature.read_bytes(), type=SigstoreBundle)
    except msgspec.MsgspecError as e:
        raise unfit(f"it is no Sigstore bundle that was signed with a key ({e})") from e
    algorithm = ECDSA(hash_of(key))
    if bundle.material.public_key.hint not in ("", hint_of(key)):
        raise unfit(f"it was made with another key, {bundle.material.public_key.hint}")

    def is_good(_: str, data: bytes, made: bytes) -> bool:
        try:
            key.verify(made, data, algorithm)
        except InvalidSignature:
            return False
        return True

    try:
        if bundle.envelope.payload_type != IN_TOTO or not signers(bundle.envelope, is_good):
            raise unfit("its signature is wrong")
        return listed_in(read_statement(payload_of(bundle.envelope)))
    except (NoEnvelope, NoStatement, LookupError, TypeError, AttributeError) as e:
        raise unfit(f"what it signs cannot be read ({e})") from e


def listed_in(said: Said) -> dict[str, str]:
    """The files of the Statement. Raises NoStatement, LookupError, TypeError."""
    how = said.predicate["serialization"]
    if said.predicate_type != PREDICATE or how["method"] != "files":
        raise NoStatement(f"it is of the kind {said.predicate_type}, by {how['method']}, not by files")
    listed: dict[str, str] = {}
    for each in said.predicate["resources"]:
        if each["algorithm"] != "sha256" or each["name"] in listed:
            raise NoStatement(f"{each['name']} is listed with {each['algorithm']}, or twice")
        listed[each["name"]] = each["digest"]
    if [each.digest.get("sha256") for each in said.subject] != [root_of(listed)]:
        raise NoStatement("its files do not make the digest of its subject")
    return listed


def digests(folder: Path, signature: Path) -> dict[str, str]:
    """Every file's SHA-256 by its path, sorted; not the signature's own. Raises BundleTampered, SignatureUnfit."""
    found = {}
    for place, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            file = Path(place) / name
            path = file.relative_to(folder).as_posix()
            if name.startswith(".git"):
                why = f"{path} is left out by the tool model-signing, so nobody would sign what is there: move it away"
                raise SignatureUnfit(signature=str(signature), problem=why)
            if file.is_symlink() or not (file.is_dir() or file.is_file()):
                raise BundleTampered(file=path, expected="a plain file", found="a link or a special file")
            if file.is_file() and file.resolve() != signature.resolve():
                with file.open("rb") as data:
                    found[path] = hashlib.file_digest(data, "sha256").hexdigest()
    return dict(sorted(found.items()))


def root_of(listed: dict[str, str]) -> str:
    return hashlib.sha256(b"".join(bytes.fromhex(digest) for digest in listed.values())).hexdigest()


def told(folder: Path, listed: dict[str, str], key: EllipticCurvePublicKey) -> Signed:
    size = sum((folder / name).stat().st_size for name in listed)
    return Signed(folder.resolve().name, f"sha256:{root_of(listed)}", len(listed), size, hint_of(key))


def is_within(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


# --- keys ---


def read_private(file: Path) -> EllipticCurvePrivateKey:
    """Raises ModelKeyUnusable, OSError."""
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as e:
        raise ModelKeyUnusable(file=str(file), problem="it is no private key in PEM, or one with a password") from e
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name not in HASHES:
        raise ModelKeyUnusable(file=str(file), problem=f"its curve is none of {', '.join(HASHES)}")
    return key


def read_public(file: Path) -> EllipticCurvePublicKey:
    """Raises ModelKeyUnusable, OSError."""
    try:
        key = load_pem_public_key(file.read_bytes())
    except (ValueError, UnsupportedAlgorithm) as e:
        raise ModelKeyUnusable(file=str(file), problem="it is no public key in PEM") from e
    if not isinstance(key, EllipticCurvePublicKey) or key.curve.name not in HASHES:
        raise ModelKeyUnusable(file=str(file), problem=f"its curve is none of {', '.join(HASHES)}")
    return key


def own_key(folder: Path) -> Path:
    """One's own key, made at its first use: P-256, readable by its owner alone, its public half beside it."""
    private, public = folder / "model-signing.pem", folder / "model-signing.pub.pem"
    if not private.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = generate_private_key(SECP256R1())
        handle = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(pem_of(read_private(private).public_key()))
    return private


def pem_of(key: EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def hint_of(key: EllipticCurvePublicKey) -> str:
    return hashlib.sha256(pem_of(key)).hexdigest()


def hash_of(key: EllipticCurvePublicKey) -> HashAlgorithm:
    return HASHES[key.curve.name]
