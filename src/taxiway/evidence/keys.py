"""The keys that sign statements: Ed25519, one file each in ``HOME/keys/evidence``, readable by the owner alone.

They are apart from the key of the audit log and of sealed secrets, so that they can be changed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from taxiway.kernel.ids import new_id
from taxiway.storage.keys import KeyUnusable, make_key, read_key


class KeyFolder:
    """The private keys of a home. Another server on the same database has a folder of its own.

    names: the fingerprints of the keys that are here.
    """

    def __init__(self, folder: Path) -> None:
        """Makes the first key where there is none."""
        self.folder = folder
        self.known: dict[str, Ed25519PrivateKey] = {}
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.names = {file.stem for file in folder.glob("*.pem")}
        if not self.names:
            self.make()

    def make(self) -> str:
        """A new key; gives its fingerprint."""
        beside = self.folder / f"{new_id()}.new"
        make_key(beside)
        name = fingerprint(read_key(beside).public_key())
        beside.rename(self.folder / f"{name}.pem")
        self.names.add(name)
        return name

    def sign(self, key: str, data: bytes) -> bytes:
        """Raises KeyUnusable."""
        return self._read(key).sign(data)

    def public_pem(self, key: str) -> str:
        """Raises KeyUnusable."""
        return pem_of(self._read(key).public_key())

    def _read(self, key: str) -> Ed25519PrivateKey:
        found = self.known.get(key)
        if found is None:
            file = self.folder / f"{key}.pem"
            found = read_key(file)
            if fingerprint(found.public_key()) != key:
                raise KeyUnusable(file=str(file), cause="it is another key than its name says")
            self.known[key] = found
        return found


def fingerprint(key: Ed25519PublicKey) -> str:
    """The SHA-256 of a public key in DER, as `openssl pkey -pubin -outform DER | sha256sum` prints it."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def pem_of(key: Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def is_signed_by(pem: str, data: bytes, signature: bytes) -> bool:
    """Whether the owner of a public key signed the bytes."""
    try:
        key = load_pem_public_key(pem.encode())
        if not isinstance(key, Ed25519PublicKey):
            return False
        key.verify(signature, data)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True
