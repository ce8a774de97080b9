from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from taxiway.endpoints.gateway.configuration import (
    APPLIED,
    Configuration,
    ConfigurationRefused,
    ServedEndpoint,
    ServedRevision,
    Signature,
    accept,
    last_accepted,
    read_configuration,
    write_configuration,
)
from tests.endpoints.conftest import Site

AT = datetime(2026, 11, 1, tzinfo=UTC)
REVISION = ServedRevision("mortgage", 1, "mortgage", 3, "bundles/x", "sha256:" + "0" * 64)


def configuration(serial: int, *names: str) -> Configuration:
    return Configuration(serial, AT, tuple(ServedEndpoint(name, "homes", None) for name in names))


def edit(path: Path, **changes: str) -> None:
    """Rewrites fields of an envelope without signing it anew."""
    path.write_bytes(msgspec.json.encode(msgspec.json.decode(path.read_bytes()) | changes))


def put(site: Site, written: Configuration) -> Path:
    write_configuration(site.home / "gateway", written, site.sign)
    return site.home / "gateway" / "configuration.json"


def test_what_is_written_is_read_back(site: Site) -> None:
    endpoint = ServedEndpoint("mortgage", "homes", 1, login_required=True, token_hashes=("a" * 64,))
    written = Configuration(7, AT, (endpoint,), (REVISION,), ("models.example",))
    put(site, written)

    public = (site.home / "keys" / "first.pub.pem").read_bytes()

    assert read_configuration(site.home / "gateway", public) == written
    assert accept(site.home) == written


def test_a_changed_payload_is_refused(site: Site) -> None:
    path = put(site, configuration(1, "mortgage"))
    forged = base64.b64encode(msgspec.json.encode(configuration(1, "other"))).decode()
    edit(path, payload=forged)

    with pytest.raises(ConfigurationRefused, match="changed after signing"):
        accept(site.home)


def test_a_signature_by_a_stranger_is_refused(site: Site) -> None:
    stranger = Ed25519PrivateKey.generate()
    written = configuration(1, "mortgage")
    write_configuration(site.home / "gateway", written, lambda data: Signature("first", stranger.sign(data)))

    with pytest.raises(ConfigurationRefused, match="signature"):
        accept(site.home)


def test_a_signature_over_the_bare_payload_is_refused(site: Site) -> None:
    path = put(site, configuration(1, "mortgage"))
    payload = base64.b64decode(msgspec.json.decode(path.read_bytes())["payload"])
    edit(path, signature=base64.b64encode(site.key.sign(payload)).decode())

    with pytest.raises(ConfigurationRefused, match="signature"):
        accept(site.home)


@pytest.mark.parametrize("keyid", ["second", "../../etc/first", ""])
def test_an_unknown_key_is_refused(site: Site, keyid: str) -> None:
    edit(put(site, configuration(1, "mortgage")), keyid=keyid)

    with pytest.raises(ConfigurationRefused, match="key"):
        accept(site.home)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"payload": "!"}'])
def test_what_is_no_envelope_is_refused(site: Site, content: bytes) -> None:
    put(site, configuration(1, "mortgage")).write_bytes(content)

    with pytest.raises(ConfigurationRefused, match="it is not a signed envelope"):
        accept(site.home)


def test_an_older_configuration_does_not_come_back(site: Site) -> None:
    path = put(site, configuration(1, "mortgage"))
    old = path.read_bytes()
    accept(site.home)
    put(site, configuration(2, "mortgage", "flights"))
    accept(site.home)
    path.write_bytes(old)

    with pytest.raises(ConfigurationRefused, match="serial is 1, and 2 was in force"):
        accept(site.home)


def test_a_serial_stands_for_one_content(site: Site) -> None:
    put(site, configuration(1, "mortgage"))
    accept(site.home)
    put(site, configuration(1, "other"))

    with pytest.raises(ConfigurationRefused, match="same serial 1"):
        accept(site.home)


def test_the_last_good_configuration_is_kept(site: Site) -> None:
    good = configuration(1, "mortgage")
    path = put(site, good)
    accept(site.home)
    path.write_bytes(b"broken")

    assert last_accepted(site.home) == good


def test_without_any_configuration_there_is_nothing_to_serve(site: Site) -> None:
    assert accept(site.home) is None


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", "", "Upper", "-x", "x" * 64])
def test_names_that_could_leave_their_folder_are_not_written(site: Site, name: str) -> None:
    with pytest.raises(ConfigurationRefused, match="no endpoint name"):
        put(site, configuration(1, name))


def test_an_active_revision_must_be_listed(site: Site) -> None:
    with pytest.raises(ConfigurationRefused, match="revision 2 of endpoint mortgage"):
        put(site, Configuration(1, AT, (ServedEndpoint("mortgage", "homes", 2),), (REVISION,)))


def test_what_is_in_force_goes_back_by_no_file(site: Site) -> None:
    path = put(site, configuration(1, "mortgage"))
    old = path.read_bytes()
    newer = configuration(2, "mortgage", "flights")
    put(site, newer)
    accept(site.home)
    path.write_bytes(old)
    (path.parent / APPLIED).write_bytes(old)

    with pytest.raises(ConfigurationRefused, match="serial is 1, and 2 was in force"):
        accept(site.home, newer)


@pytest.mark.parametrize("damage", [b"", b"broken", b"\xff"])
def test_a_damaged_memory_holds_up_nothing_that_is_signed(site: Site, damage: bytes) -> None:
    path = put(site, configuration(1, "mortgage"))
    accept(site.home)
    (path.parent / APPLIED).write_bytes(damage)
    newer = configuration(2, "mortgage", "flights")
    put(site, newer)

    assert accept(site.home) == newer
    assert last_accepted(site.home) == newer


def test_a_full_disk_holds_up_nothing_that_is_signed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = configuration(2, "mortgage")
    put(site, newer)

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("taxiway.endpoints.gateway.configuration.replace", full)

    assert accept(site.home) == newer
