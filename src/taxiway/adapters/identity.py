"""From what an admin configures to the identity provider that people sign in with."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from taxiway.access.provider.mapping import Mapping
from taxiway.access.provider.port import Configured
from taxiway.adapters.https import LOOPBACK
from taxiway.kernel.errors import BadField, FileUnusable, TaxiwayError
from taxiway.storage.yaml_text import read_yaml


class OidcMissing(TaxiwayError):
    """A provider is configured, and what reads its tokens is not installed."""

    status = 501

    def __str__(self) -> str:
        return "Signing in with an identity provider needs `pip install 'taxiway[oidc]'`."


class Asked(Struct, frozen=True):
    """What the command line and the environment say of a provider. file: the sign-in file; None for none."""

    issuer: str
    client_id: str
    client_secret: str
    file: Path | None = None


def configure(asked: Asked, url: str) -> Configured:
    """The provider as it is used. url: the address that people open.

    Raises BadField, FileUnusable, YamlBroken, OidcMissing.
    """
    if not asked.client_id:
        raise BadField(field="--oidc-client-id", value="''", expected="the id of this server's client at the provider")
    if not asked.client_secret:
        expected = "the secret of the client, in that variable and nowhere else"
        raise BadField(field="TAXIWAY_OIDC_CLIENT_SECRET", value="''", expected=expected)
    public_url = read_public_url(url)
    mapping = read_mapping(asked.file) if asked.file else Mapping()
    try:
        from taxiway.adapters.oidc import Credentials, OpenIdProvider
    except ModuleNotFoundError as e:
        raise OidcMissing from e
    credentials = Credentials(asked.issuer, asked.client_id, asked.client_secret, public_url)
    return Configured(OpenIdProvider(credentials, mapping), mapping, public_url)


def read_mapping(file: Path) -> Mapping:
    """The sign-in file. Raises FileUnusable, YamlBroken."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise FileUnusable(file=str(file), cause=getattr(e, "strerror", None) or "it is no UTF-8 text") from e
    return read_yaml(text, Mapping, name=file.name)


def read_public_url(url: str) -> str:
    """The address that people open, and the provider sends them back to. Raises BadField."""
    expected = "the address that people open, such as https://taxiway.example (http on this machine only)"
    wrong = BadField(field="--public-url (TAXIWAY_PUBLIC_URL)", value=repr(url[:200]), expected=expected)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as e:
        raise wrong from e
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    if not host or not is_safe or "@" in parts.netloc or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise wrong
    return f"{parts.scheme}://{parts.netloc.lower()}"
