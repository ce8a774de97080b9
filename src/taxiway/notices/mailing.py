"""The way to the mail server that the admin names: sealed by TLS, except to this very machine."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from msgspec import Struct

from taxiway.kernel.errors import BadField

PORTS = {"smtp": 587, "smtps": 465}
LOOPBACK = ("127.0.0.1", "::1", "localhost")
TIMEOUT_S = 10.0
EXPECTED = "an address such as smtps://USER:PASSWORD@HOST or smtp://HOST:587, which speaks TLS"


class MailServer(Struct, frozen=True):
    """Where e-mail is handed over. tls: from the beginning, by STARTTLS, or none where it never leaves the machine."""

    host: str
    port: int
    tls: str  # at_once, starttls, none
    user: str = ""
    password: str = ""
    sender: str = ""

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port})"  # the password stays out of logs


class Sent(Struct, frozen=True):
    """What became of an attempt. error: empty where the letter was taken. is_final: trying again changes nothing.

    is_needless: there was nothing left to tell.
    """

    error: str = ""
    is_final: bool = False
    is_needless: bool = False

    @property
    def is_taken(self) -> bool:
        return not self.error


def read_mail_server(url: str, sender: str) -> MailServer | None:
    """The mail server of the settings; None where they name none. Raises BadField, which does not say the password."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as e:
        raise BadField(field="TAXIWAY_SMTP", value="what it says", expected=EXPECTED) from e
    host = parts.hostname or ""
    said = parse_qs(parts.query).get("tls", [""])[-1]
    is_known = (
        parts.scheme in PORTS and host and said in ("", "none") and not parts.fragment and parts.path in ("", "/")
    )
    if not is_known:
        raise BadField(field="TAXIWAY_SMTP", value=f"{parts.scheme}://{host}", expected=EXPECTED)
    if said == "none" and host not in LOOPBACK:
        expected = "`tls=none` only for a mail server on this machine"
        raise BadField(field="TAXIWAY_SMTP", value=f"{parts.scheme}://{host}?tls=none", expected=expected)
    if "@" not in parseaddr(sender)[1]:
        expected = "the address that e-mail comes from, such as taxiway@bank.example"
        raise BadField(field="TAXIWAY_MAIL_FROM", value=repr(sender), expected=expected)
    tls = "none" if said == "none" else "at_once" if parts.scheme == "smtps" else "starttls"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(host, port or PORTS[parts.scheme], tls, user, password, sender)


def send(server: MailServer, message: EmailMessage) -> Sent:
    """Hands a letter over. A server that is away, or says no for now, is asked again later."""
    try:
        with connected(server) as smtp:
            smtp.send_message(message)
    except smtplib.SMTPRecipientsRefused as refusal:
        code, said = next(iter(refusal.recipients.values()))
        return Sent(f"{code} {text(said)}", is_final=code >= 500)
    except smtplib.SMTPResponseException as refusal:
        is_about_letter = isinstance(refusal, smtplib.SMTPDataError | smtplib.SMTPSenderRefused)
        return Sent(f"{refusal.smtp_code} {text(refusal.smtp_error)}", is_about_letter and refusal.smtp_code >= 500)
    except (smtplib.SMTPException, OSError, ValueError) as e:
        return Sent(str(e) or type(e).__name__)
    return Sent()


def connected(server: MailServer) -> smtplib.SMTP:
    """An open connection, sealed where it has to be, and signed in."""
    context = ssl.create_default_context()
    if server.tls == "at_once":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    try:
        if server.tls == "starttls":
            smtp.starttls(context=context)  # raises where the server offers none: nothing goes out unsealed
        if server.user:
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def text(said: bytes | str) -> str:
    return (said.decode(errors="replace") if isinstance(said, bytes) else said)[:300]
