"""One attempt: to the address that was checked, in time, without following anything."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from taxiway.hooks.addresses import read_url
from taxiway.hooks.posting import post
from tests.hooks.receiver import Receiver, receiving

LOOPBACK = ["127.0.0.1"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def test_it_connects_to_the_address_it_was_given_whatever_the_name_means(receiver: Receiver) -> None:
    target = read_url(f"http://no-such-host.invalid:{receiver.port}/told?key=1")

    outcome = post(target, LOOPBACK, {"X-One": "1"}, "{}")

    assert outcome.is_delivered
    assert receiver.got[0].path == "/told?key=1"
    assert receiver.got[0].headers["host"] == f"no-such-host.invalid:{receiver.port}"
    assert receiver.got[0].headers["x-one"] == "1"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.answers = [status]

    outcome = post(read_url(receiver.url), LOOPBACK, {}, "{}")

    assert (outcome.is_delivered, outcome.status, len(receiver.got)) == (False, status, 1)
    assert "redirects are not followed" in outcome.error


def test_no_proxy_of_the_environment_is_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")

    assert post(read_url(receiver.url), LOOPBACK, {}, "{}").is_delivered


def test_an_answer_that_drips_is_cut_off_when_its_time_is_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        began = time.monotonic()

        outcome = post(read_url(f"http://127.0.0.1:{listener.getsockname()[1]}/"), LOOPBACK, {}, "{}", whole_s=0.5)

    assert (outcome.status, outcome.error) == (0, "it did not answer within 0.5 s")
    assert time.monotonic() - began < 3


def drip(listener: socket.socket) -> None:
    taken, _ = listener.accept()
    with taken:
        try:
            for letter in b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 10:
                taken.sendall(bytes([letter]))
                time.sleep(0.05)
        except OSError:
            return


def test_a_receiver_that_is_down_or_speaks_otherwise_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

        def speak() -> None:
            taken, _ = listener.accept()
            with taken:
                taken.recv(4096)
                taken.sendall(b"SSH-2.0-something\r\n")

        threading.Thread(target=speak, daemon=True).start()
        assert post(read_url(url), LOOPBACK, {}, "{}").error == "it did not answer as HTTP does"

    assert post(read_url(url), LOOPBACK, {}, "{}").error == "connection refused"


def test_https_asks_for_the_hosts_own_certificate(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path, "hooks.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
    here = f"https://hooks.test:{receiver.port}/"

    unknown = post(read_url(here), LOOPBACK, {}, "{}")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    other = post(read_url(f"https://other.test:{receiver.port}/"), LOOPBACK, {}, "{}")
    own = post(read_url(here), LOOPBACK, {}, "{}")

    assert "certificate does not hold" in unknown.error
    assert "certificate does not hold" in other.error
    assert own.is_delivered
    assert len(receiver.got) == 1


def certificate(folder: Path, name: str) -> Path:
    """A file with a key and a certificate of its own making for a name."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("10.9.9.9"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file
