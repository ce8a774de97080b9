"""What an identity provider does for us, whatever it speaks."""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import Struct

from taxiway.access.provider.mapping import Mapping


class Attempt(Struct, frozen=True):
    """A sign-in under way in one browser: what the provider's answer must fit.

    state, nonce, verifier: random texts, that of the answer, of the token and of the code. next: the page to go on to.
    user: who was signed in here when it began, so that the account there becomes theirs; empty for nobody.
    before: the hash of the session that the browser had, which ends with this. until: seconds since 1970.
    """

    state: str
    nonce: str
    verifier: str
    until: float
    next: str = ""
    user: str = ""
    before: str = ""


class Identity(Struct, frozen=True):
    """Who the provider says somebody is, after its token was verified.

    subject: who, for this issuer and for ever. session: the provider's name for the session there; empty if unsaid.
    """

    issuer: str
    subject: str
    claims: dict[str, Any]
    id_token: str
    session: str = ""


class Ended(Struct, frozen=True):
    """What the provider says has ended: one session there, or all of a person where no session is named."""

    issuer: str
    subject: str = ""
    session: str = ""


class Provider(Protocol):
    """An identity provider that the server's admin has configured."""

    issuer: str

    def begin(self, attempt: Attempt) -> str:
        """The address at the provider where somebody signs in. Raises ProviderUnusable."""
        ...

    def finish(self, code: str, attempt: Attempt) -> Identity:
        """Who signed in, for the code that the provider answered with. Raises ProviderUnusable, TokenUnfit,
        ClocksApart."""
        ...

    def leave(self, id_token: str) -> str:
        """The address at the provider that ends the session there; empty where it has none. Raises nothing."""
        ...

    def ended(self, token: str) -> Ended:
        """What a token that the provider sent by itself says has ended. Raises ProviderUnusable, TokenUnfit,
        ClocksApart."""
        ...


class Configured(Struct, frozen=True):
    """A provider as this server uses it. public_url: under which people open the server, without a path."""

    provider: Provider
    mapping: Mapping
    public_url: str

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https:")
