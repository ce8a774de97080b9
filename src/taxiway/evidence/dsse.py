"""DSSE, the Dead Simple Signing Envelope 1.0: bytes, what kind they are, and signatures over both. Pure.

It knows no algorithm: whoever signs brings a function that signs bytes, whoever verifies one that verifies them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from msgspec import Struct

IN_TOTO = "application/vnd.in-toto+json"


class EnvelopeSignature(Struct, frozen=True):
    """A signature in base64. keyid: a hint at the key; it is not signed."""

    sig: str
    keyid: str = ""


class Envelope(Struct, frozen=True, rename={"payload_type": "payloadType"}):
    """The payload in base64, its kind, and the signatures over both."""

    payload: str
    payload_type: str
    signatures: list[EnvelopeSignature]


class NoEnvelope(ValueError):
    """What came as an envelope cannot be read as one."""


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: the Pre-Authentication Encoding of kind and payload.

    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, sign: Callable[[bytes], bytes], *, keyid: str, payload_type: str = IN_TOTO) -> Envelope:
    """The payload with one signature."""
    signature = base64.b64encode(sign(pae(payload_type, payload))).decode()
    return Envelope(base64.b64encode(payload).decode(), payload_type, [EnvelopeSignature(signature, keyid)])


def payload_of(envelope: Envelope) -> bytes:
    """The payload, whoever signed it. Raises NoEnvelope."""
    return decoded(envelope.payload, "payload")


def signers(envelope: Envelope, verify: Callable[[str, bytes, bytes], bool]) -> list[str]:
    """The key ids of the signatures that hold. verify: given a key id, the signed bytes and a signature.

    Raises NoEnvelope.
    """
    signed = pae(envelope.payload_type, payload_of(envelope))
    return [each.keyid for each in envelope.signatures if verify(each.keyid, signed, decoded(each.sig, "signature"))]


def decoded(text: str, what: str) -> bytes:
    """Bytes from base64, standard or safe for addresses: a verifier takes both. Raises NoEnvelope."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/").encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as e:
        raise NoEnvelope(f"its {what} is not base64") from e
