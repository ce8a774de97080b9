"""The platform's signing keys: Ed25519, made at first start, readable by the owner alone."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from msgspec import Struct

from taxiway.kernel.errors import TaxiwayError

NONCE_BYTES = 12


class Signature(Struct, frozen=True):
    """A signature and the id of the key that made it: the first 16 hex digits of the public key's SHA-256."""

    key_id: str
    signature: bytes


class KeyUnusable(TaxiwayError):
    """A home's signing key is no Ed25519 key that can be read."""

    status = 503
    file: str
    cause: str

    def __str__(self) -> str:
        return (
            f"The signing key {self.file} cannot be used: {self.cause}. Restore keys/ from the backup of the home, or "
            f"copy it from the home of the other server on this database; a new key could not stand for what the old "
            f"one signed. Nothing was changed."
        )


class Keys:
    """The signing key of a home and the public keys it ever had, in ``HOME/keys``."""

    def __init__(self, folder: Path, *, signed_with: str = "") -> None:
        """signed_with: the id of the key that signed the home's newest head; empty where nothing is signed yet, and
        only then a missing key is made. Raises KeyUnusable.
        """
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = folder / "signing.pem"
        if not file.exists():
            if signed_with:
                raise KeyUnusable(file=str(file), cause=f"it is gone, and key {signed_with} signed this home's log")
            make_key(file)
        key = self.private = read_key(file)
        self.key_id = key_id(key.public_key())
        public = folder / f"{self.key_id}.pub.pem"
        if not public.exists():
            public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def sign(self, data: bytes) -> Signature:
        return Signature(key_id=self.key_id, signature=self.private.sign(data))

    def seal(self, secret: str, label: str) -> bytes:
        """A secret as only this home reads it. label: what it belongs to; under another one it cannot be opened."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self._sealing_key()).encrypt(nonce, secret.encode(), label.encode())

    def unseal(self, sealed: bytes, label: str) -> str:
        """The secret that was sealed. Raises KeyUnusable where another key sealed it, or it was changed."""
        try:
            opened = AESGCM(self._sealing_key()).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], label.encode())
        except (InvalidTag, ValueError) as e:
            raise KeyUnusable(file=str(self.folder / "signing.pem"), cause=f"it did not seal what {label} has") from e
        return opened.decode()

    def _sealing_key(self) -> bytes:
        """A key of its own, made from the one that signs: a backup of that brings this back, too."""
        return HKDF(SHA256(), 32, salt=None, info=b"taxiway sealing").derive(self.private.private_bytes_raw())

    def verify(self, data: bytes, signature: Signature) -> bool:
        """Whether one of this home's keys made the signature over `data`."""
        file = self.folder / f"{signature.key_id}.pub.pem"
        return file.exists() and is_signed(data, signature, file.read_bytes())

    def public_keys(self) -> list[tuple[str, str]]:
        """Every public key of this home by its id, as PEM."""
        files = sorted(self.folder.glob("*.pub.pem"))
        return [(file.name.removesuffix(".pub.pem"), file.read_text(encoding="ascii")) for file in files]

    @property
    def public_file(self) -> Path:
        return self.folder / f"{self.key_id}.pub.pem"


def is_signed(data: bytes, signature: Signature, public_pem: bytes) -> bool:
    """Whether the public key's owner made the signature over `data`."""
    key = load_pem_public_key(public_pem)
    if not isinstance(key, Ed25519PublicKey) or key_id(key) != signature.key_id:
        return False
    try:
        key.verify(signature.signature, data)
    except InvalidSignature:
        return False
    return True


def key_id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def read_key(file: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as e:
        raise KeyUnusable(file=str(file), cause="it is no private key in PEM, or one with a password") from e
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(file=str(file), cause="it is not an Ed25519 key")
    return key


def make_key(file: Path) -> None:
    """Writes a new key, whole or not at all."""
    data = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    beside = file.with_suffix(f".{os.getpid()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
    beside.rename(file)
