"""The envelope, held against the specification's own vector, and the Statement against what others read."""

import base64
import json

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from taxiway.evidence.dsse import Envelope, EnvelopeSignature, NoEnvelope, pae, payload_of, seal, signers
from taxiway.evidence.statement import NoStatement, Subject, read_statement, statement_bytes, subjects_of

# The example of DSSE's protocol.md, 1.0.0.
X = 46950820868899156662930047687818585632848591499744589407958293238635476079160
Y = 5640078356564379163099075877009565129882514886557779369047442380624545832820
VECTOR = (
    b'{"payload": "aGVsbG8gd29ybGQ=", "payloadType": "http://example.com/HelloWorld", "signatures": [{"sig": '
    b'"A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="}]}'
)


def by_the_vectors_key(keyid: str, data: bytes, signature: bytes) -> bool:
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    key = EllipticCurvePublicNumbers(X, Y, SECP256R1()).public_key()
    try:
        key.verify(encode_dss_signature(r, s), data, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def test_the_specifications_envelope_holds() -> None:
    envelope = msgspec.json.decode(VECTOR, type=Envelope)

    assert payload_of(envelope) == b"hello world"
    assert pae(envelope.payload_type, payload_of(envelope)) == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert signers(envelope, by_the_vectors_key) == [""]


@pytest.mark.parametrize(
    "changed", [{"payload": "aGVsbG8gd29ybGU="}, {"payload_type": "http://example.com/HelloWorle"}]
)
def test_another_payload_or_kind_does_not_hold(changed: dict[str, str]) -> None:
    envelope = msgspec.structs.replace(msgspec.json.decode(VECTOR, type=Envelope), **changed)

    assert signers(envelope, by_the_vectors_key) == []


def test_either_base64_is_read_and_nothing_else() -> None:
    data = bytes(range(248, 256))
    urlsafe = Envelope(base64.urlsafe_b64encode(data).decode(), "x", [EnvelopeSignature("AA==")])

    assert payload_of(urlsafe) == data
    with pytest.raises(NoEnvelope):
        payload_of(Envelope("no base64!", "x", []))


@given(st.text(), st.binary(), st.text(), st.binary())
def test_no_two_payloads_have_the_same_signed_bytes(kind: str, payload: bytes, kind2: str, payload2: bytes) -> None:
    assert (pae(kind, payload) == pae(kind2, payload2)) == ((kind, payload) == (kind2, payload2))


def test_an_envelope_is_written_as_the_specification_says() -> None:
    envelope = seal(b"hello world", lambda data: data[:6], keyid="k", payload_type="http://example.com/HelloWorld")

    assert json.loads(msgspec.json.encode(envelope)) == {
        "payload": "aGVsbG8gd29ybGQ=",
        "payloadType": "http://example.com/HelloWorld",
        "signatures": [{"sig": "RFNTRXYx", "keyid": "k"}],
    }


def test_a_statement_reads_back_what_it_said() -> None:
    data = statement_bytes([Subject("model:m@1", "sha256:00ff")], "https://x/y", {"n": 1.0, "bad": float("nan")})

    assert data.startswith(b'{"_type":"https://in-toto.io/Statement/v1","predicate":{"bad":"NaN","n":1}')
    said = read_statement(data)
    assert subjects_of(said) == [Subject("model:m@1", "sha256:00ff")]
    assert json.loads(data)["subject"] == [{"name": "model:m@1", "digest": {"sha256": "00ff"}}]


@pytest.mark.parametrize("payload", [b"", b"[]", b'{"_type":"x","subject":[],"predicateType":"y","predicate":{}}'])
def test_what_is_no_statement_is_refused(payload: bytes) -> None:
    with pytest.raises(NoStatement):
        read_statement(payload)
