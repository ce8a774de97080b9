"""What the gateway serves: signed by the server, kept on disk, checked by the gateway.

The envelope follows DSSE: the signature covers the pre-authentication encoding of type and payload, so that a
signature made for another purpose does not fit. A serial that only grows keeps old configurations out.
"""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.endpoints.rollout.declared import Rollout
from taxiway.endpoints.setup import PLAIN, Setup
from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.ids import is_name

PAYLOAD_TYPE = "application/vnd.taxiway.gateway+json"
FILE = "configuration.json"
ANY_HOST = "*"  # among the allowed hosts: whatever name a platform calls an image by
log = logging.getLogger("taxiway.gateway")
APPLIED = "applied.json"  # the last envelope that was accepted, to go on from after a restart


class Signature(Struct, frozen=True):
    """An Ed25519 signature and the id of its key, whose public half is HOME/keys/KEYID.pub.pem."""

    keyid: str
    signature: bytes


class Stopped(Struct, frozen=True, forbid_unknown_fields=True):
    """By whom an endpoint was stopped, when and why: what its callers are told."""

    by: str
    at: datetime
    reason: str


class ServedEndpoint(Struct, frozen=True, forbid_unknown_fields=True):
    """An endpoint as the gateway needs it: who may call, and which revision answers.

    fallback: what each row is answered with while it is stopped; without one callers get 503.
    rollout: how its requests are divided; without one `active` answers all of them.
    """

    name: str
    project: str
    active: int | None  # the number of the revision that answers
    login_required: bool = False
    token_hashes: tuple[str, ...] = ()  # sha256 of the bearer tokens that may call, in hex
    is_stopped: bool = False
    stopped: Stopped | None = None
    fallback: dict[str, Any] | None = None
    rollout: Rollout | None = None
    callers: tuple[str, ...] = ()  # the account of each token, in their order; an empty one may speak for others
    log: LogPolicy = LogPolicy("buffered")  # its durability is settled
    expire_at: tuple[datetime | None, ...] = ()  # when each token runs out, in their order; without a server, too


class ServedRevision(Struct, frozen=True, forbid_unknown_fields=True):
    """One model version as it is served."""

    endpoint: str
    number: int
    model: str
    version: int
    bundle: str  # the bundle's folder: absolute, or relative to the home
    bundle_digest: str  # sha256:...
    workers: int = 1
    may_run_code: bool = False  # whether a pickle, or a type we do not know, may be loaded
    setup: Setup = PLAIN


class Configuration(Struct, frozen=True, forbid_unknown_fields=True):
    """All that the gateway serves. `serial` grows with each one written."""

    serial: int
    written_at: datetime
    endpoints: tuple[ServedEndpoint, ...] = ()
    revisions: tuple[ServedRevision, ...] = ()
    allowed_hosts: tuple[str, ...] = ()  # host names besides the loopback ones
    status_token_hashes: tuple[str, ...] = ()  # where given, GET /status asks for one of these
    otlp: str = ""  # where spans go; empty is nowhere

    def revision(self, endpoint: str, number: int) -> ServedRevision | None:
        """The revision of that number, if it is listed."""
        return next((r for r in self.revisions if r.endpoint == endpoint and r.number == number), None)


class Envelope(Struct, frozen=True, forbid_unknown_fields=True):
    """The signed file: payload and signature in base64, as DSSE has them."""

    payload_type: str
    payload: str
    keyid: str
    signature: str


class ConfigurationRefused(TaxiwayError):
    """The gateway's configuration may not be applied: signature, form or age are wrong."""

    status = 409
    file: str
    problem: str

    def __str__(self) -> str:
        return (
            f"The gateway's configuration {self.file} is refused: {self.problem}. "
            "What was applied before goes on; deploying anything writes a new configuration."
        )


def write_configuration(folder: Path, configuration: Configuration, sign: Callable[[bytes], Signature]) -> None:
    """Puts the configuration in force: checked, signed, and in one step: readers see the old one or the new.

    folder: HOME/gateway. Raises ConfigurationRefused when the configuration contradicts itself.
    """
    check(configuration, folder / FILE)
    payload = msgspec.json.encode(configuration)
    signed = sign(to_be_signed(payload))
    envelope = Envelope(
        PAYLOAD_TYPE,
        base64.b64encode(payload).decode(),
        signed.keyid,
        base64.b64encode(signed.signature).decode(),
    )
    replace(folder / FILE, msgspec.json.format(msgspec.json.encode(envelope)))


def read_configuration(folder: Path, public_key: bytes, file: str = FILE) -> Configuration:
    """The configuration, if the key signed it. Raises ConfigurationRefused, FileNotFoundError.

    folder: HOME/gateway. public_key: Ed25519, PEM.
    """
    path = folder / file
    return open_envelope(path, read_envelope(path), public_key)


def read_envelope(path: Path) -> Envelope:
    """The envelope in a file, its signature not checked. Raises ConfigurationRefused, FileNotFoundError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise ConfigurationRefused(file=str(path), problem=f"it is not a signed envelope ({e})") from e


def open_envelope(path: Path, envelope: Envelope, public_key: bytes) -> Configuration:
    """The configuration in an envelope, after its signature was checked. Raises ConfigurationRefused."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(public_key)
        if not isinstance(key, Ed25519PublicKey):
            raise ConfigurationRefused(file=str(path), problem=f"the key {envelope.keyid} is not an Ed25519 key")
        payload = base64.b64decode(envelope.payload, validate=True)
        key.verify(base64.b64decode(envelope.signature, validate=True), to_be_signed(payload))
    except InvalidSignature as e:
        problem = f"the signature of key {envelope.keyid} does not fit, so it was changed after signing"
        raise ConfigurationRefused(file=str(path), problem=problem) from e
    except ValueError as e:
        raise ConfigurationRefused(file=str(path), problem=str(e)) from e
    if envelope.payload_type != PAYLOAD_TYPE:
        raise ConfigurationRefused(file=str(path), problem=f"its type is {envelope.payload_type}")
    try:
        configuration = msgspec.json.decode(payload, type=Configuration)
    except msgspec.DecodeError as e:
        raise ConfigurationRefused(file=str(path), problem=f"its payload does not fit ({e})") from e
    check(configuration, path)
    return configuration


def accept(home: Path, in_force: Configuration | None = None) -> Configuration | None:
    """The configuration to serve now, or None where nothing was ever deployed. Raises ConfigurationRefused.

    The key is looked up by its id in HOME/keys. What is accepted is remembered, and an older serial, or other
    content under the same serial, is refused: a copy of an old configuration brings nothing back.
    in_force: what the caller serves, which no file can take back. A stop must get through: neither a full disk nor a
    damaged memory of what was accepted holds up what is signed and newer.
    """
    folder = home / "gateway"
    path = folder / FILE
    if not path.exists():
        return last_accepted(home)
    envelope = read_envelope(path)
    found = open_envelope(path, envelope, public_key(home, envelope, path))
    remembered = remembered_in(home)
    known = max((c for c in (in_force, remembered) if c is not None), key=lambda c: c.serial, default=None)
    if known is not None and found.serial < known.serial:
        problem = f"its serial is {found.serial}, and {known.serial} was in force already"
        raise ConfigurationRefused(file=str(path), problem=problem)
    if known is not None and found.serial == known.serial and found != known:
        problem = f"another configuration of the same serial {found.serial} was in force already"
        raise ConfigurationRefused(file=str(path), problem=problem)
    if remembered != found:
        try:
            replace(folder / APPLIED, msgspec.json.encode(envelope))
        except OSError as e:
            log.error("What is applied could not be remembered: %s", e)  # noqa: TRY400  the cause is in the sentence
    return found


def remembered_in(home: Path) -> Configuration | None:
    """What was accepted last, as far as that can be read: who can damage the file could as well remove it."""
    try:
        return last_accepted(home)
    except (ConfigurationRefused, OSError) as e:
        log.error("%s", e)  # noqa: TRY400  the refusal says it all
        return None


def last_accepted(home: Path) -> Configuration | None:
    """The configuration that a gateway of this home accepted last. Raises ConfigurationRefused."""
    path = home / "gateway" / APPLIED
    if not path.exists():
        return None
    envelope = read_envelope(path)
    return open_envelope(path, envelope, public_key(home, envelope, path))


def public_key(home: Path, envelope: Envelope, path: Path) -> bytes:
    """The public half of the key an envelope names. Raises ConfigurationRefused."""
    if not is_name(envelope.keyid):
        raise ConfigurationRefused(file=str(path), problem=f"{envelope.keyid!r} is no key id")
    try:
        return (home / "keys" / f"{envelope.keyid}.pub.pem").read_bytes()
    except FileNotFoundError as e:
        problem = f"it is signed by the key {envelope.keyid}, which is not in {home / 'keys'}"
        raise ConfigurationRefused(file=str(path), problem=problem) from e


def check(configuration: Configuration, path: Path) -> None:
    """Refuses names that could leave their folder, and endpoints whose revision is not listed."""
    for endpoint in configuration.endpoints:
        if not is_name(endpoint.name):
            raise ConfigurationRefused(file=str(path), problem=f"{endpoint.name!r} is no endpoint name")
        if endpoint.active is not None and not configuration.revision(endpoint.name, endpoint.active):
            problem = f"revision {endpoint.active} of endpoint {endpoint.name} is active and not listed"
            raise ConfigurationRefused(file=str(path), problem=problem)
        for number in endpoint.rollout.split.revisions if endpoint.rollout else ():
            if not configuration.revision(endpoint.name, number):
                problem = f"revision {number} of endpoint {endpoint.name} takes traffic and is not listed"
                raise ConfigurationRefused(file=str(path), problem=problem)
    for revision in configuration.revisions:
        if revision.number < 1 or not 1 <= revision.workers <= 64:
            problem = f"revision {revision.number} of {revision.endpoint} asks for {revision.workers} workers"
            raise ConfigurationRefused(file=str(path), problem=problem)


def to_be_signed(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding of our payload: type and payload, each with its length."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def replace(path: Path, content: bytes) -> None:
    """Writes a file so that a reader, or a crash, finds the old content or the new, on disk."""
    path.parent.mkdir(exist_ok=True)
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    with waiting.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    waiting.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
