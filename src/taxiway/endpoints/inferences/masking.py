"""What of a row's inputs an endpoint's log keeps: fields dropped, hashed, or encrypted for the subject they are about.

It happens before anything is written, so what a policy keeps out was never in any file. A hash is keyed with a secret
of the home: without it nobody can try all ages or postcodes until one fits.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Raw

from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.kernel.canonical import canonical_json

if TYPE_CHECKING:
    from taxiway.endpoints.inferences.subjects import SubjectKey

NOTHING = b"{}"
HASH_BYTES = 32

fields_of = msgspec.json.Decoder(dict[str, Raw])


class Kept(NamedTuple):
    """What is written of a row's inputs."""

    inputs: bytes
    inputs_hash: str = ""
    subject_key: str = ""
    personal: str = ""


class Mask:
    """An endpoint's policy made ready. secret: of the home, for hashes."""

    def __init__(self, endpoint: str, policy: LogPolicy, secret: bytes) -> None:
        self.endpoint, self.policy, self.secret = endpoint, policy, secret
        self.personal = dict.fromkeys((*policy.personal, policy.subject)) if policy.subject else {}

    def subject_of(self, row: bytes) -> str:
        """Whose data a row holds; empty where it does not say."""
        if not self.policy.subject:
            return ""
        found = fields_of.decode(row).get(self.policy.subject)
        said = None if found is None else msgspec.json.decode(found)
        return "" if said is None or said == "" else said if isinstance(said, str) else canonical_json(said).decode()

    def kept(self, row: bytes, of: str, key: SubjectKey | None) -> Kept:
        """What is written of a row. of: its own id, to which the encrypted fields are bound; key: of its subject.

        Personal fields of a row that names no subject are not kept: nobody could ever have them erased.
        """
        policy = self.policy
        if policy.inputs == "none":
            return Kept(NOTHING)
        if policy.inputs == "hash":
            return Kept(NOTHING, self.hashed("", msgspec.json.decode(row)))
        fields = fields_of.decode(row)
        for name in policy.drop:
            fields.pop(name, None)
        for name in policy.hash:
            if name in fields:
                fields[name] = Raw(msgspec.json.encode(self.hashed(name, msgspec.json.decode(fields[name]))))
        secrets = {name: fields.pop(name) for name in self.personal if name in fields}
        inputs = msgspec.json.encode(fields)
        if key is None or not secrets:
            return Kept(inputs)
        return Kept(inputs, "", key.id, encrypted(msgspec.json.encode(secrets), of, key))

    def hashed(self, name: str, value: Any) -> str:
        """The keyed hash of a value, the same wherever the endpoint takes that value for that field."""
        said = canonical_json([self.endpoint, name, value])
        return f"hmac-sha256:{hmac.new(self.secret, said, hashlib.sha256).hexdigest()}"


def encrypted(data: bytes, of: str, key: SubjectKey) -> str:
    """AES-256-GCM with a nonce of its own, bound to the row it belongs to, in base64."""
    nonce = os.urandom(12)
    return base64.b64encode(nonce + key.cipher.encrypt(nonce, data, of.encode())).decode()


def decrypted(personal: str, of: str, key: SubjectKey) -> dict[str, Any]:
    """The personal fields of a row. Raises InvalidTag where they were changed, or are another row's."""
    data = base64.b64decode(personal)
    fields: dict[str, Any] = msgspec.json.decode(key.cipher.decrypt(data[:12], data[12:], of.encode()))
    return fields


def hash_secret(home: Path) -> bytes:
    """The secret that hashes of a home are keyed with, made at its first use. Raises OSError."""
    path = home / "keys" / "inferences" / "hash.key"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    waiting = path.with_name(f".hash.key.{os.getpid()}")
    waiting.write_bytes(os.urandom(HASH_BYTES))
    waiting.chmod(0o600)
    try:
        os.link(waiting, path)  # whoever is first makes it; nobody reads half of one
    except FileExistsError:
        pass
    finally:
        waiting.unlink()
    return path.read_bytes()
