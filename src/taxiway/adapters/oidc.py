"""OpenID Connect: the authorization code with PKCE, and tokens that hold only if everything about them does."""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec import Struct, field

from taxiway.access.provider.mapping import Mapping
from taxiway.access.provider.port import Attempt, Ended, Identity
from taxiway.access.provider.refusals import ProviderUnusable, TokenUnfit
from taxiway.access.secrets import challenge_of
from taxiway.adapters.https import LOOPBACK, Fetcher
from taxiway.adapters.tokens import Expected, UnknownKey, check_id_token, check_logout_token, read_token
from taxiway.hooks.addresses import Reach
from taxiway.hooks.posting import NoAnswer
from taxiway.kernel.errors import BadField

log = logging.getLogger("taxiway.adapters")

DISCOVERY = "/.well-known/openid-configuration"
KNOWN_FOR_S = 3600.0  # what the provider says of itself
KEYS_FOR_S = 600.0
AWAY_FOR_S = 3.0  # as long as nobody else waits for a provider that did not answer
KEYS_EVERY_S = 5.0  # at most so often, however many tokens name a key that is not there

T = TypeVar("T", bound=Struct)


class Known(Struct, frozen=True):
    """What a provider says of itself, as far as it is read here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: list[str] = field(default_factory=lambda: ["client_secret_basic"])
    authorization_response_iss_parameter_supported: bool = False


class Answer(Struct, frozen=True):
    """What the provider gives for a code."""

    id_token: str
    access_token: str = ""


class Credentials(Struct, frozen=True):
    """What the admin got from the provider for this server, and where people come back to."""

    issuer: str
    client_id: str
    client_secret: str
    public_url: str

    @property
    def callback(self) -> str:
        return f"{self.public_url}/sign-in/provider/callback"


class OpenIdProvider:
    """One provider: its endpoints are found out, its keys fetched when they are needed, and fetched anew once one is
    named that is not known."""

    def __init__(self, credentials: Credentials, mapping: Mapping, clock: Callable[[], float] = time.time) -> None:
        """Raises BadField for an issuer that is neither https nor on this machine."""
        parts = urlsplit(credentials.issuer)
        if not parts.hostname or parts.scheme not in ("https", "http") or parts.query or parts.fragment:
            raise bad_issuer(credentials.issuer)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise bad_issuer(credentials.issuer)
        self.issuer = credentials.issuer
        self.credentials = credentials
        self.mapping = mapping
        self.clock = clock
        self.fetcher = Fetcher(Reach((parts.hostname,)))
        self.lock = Lock()
        self.known: Known | None = None
        self.known_at = 0.0
        self.keys: KeySet | None = None
        self.keys_at = 0.0
        self.away: tuple[float, ProviderUnusable] | None = None
        self.keyless: tuple[float, ProviderUnusable] | None = None

    # --- what the port asks for ---

    def begin(self, attempt: Attempt) -> str:
        """The address at the provider where somebody signs in. Raises ProviderUnusable."""
        asked = {
            "response_type": "code",
            "client_id": self.credentials.client_id,
            "redirect_uri": self.credentials.callback,
            "scope": " ".join(self.mapping.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge_of(attempt.verifier),
            "code_challenge_method": "S256",
        }
        return with_query(self._known().authorization_endpoint, asked)

    def finish(self, code: str, attempt: Attempt) -> Identity:
        """Who signed in, for the code. Raises ProviderUnusable, TokenUnfit, ClocksApart."""
        known = self._known()
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.credentials.callback,
            "code_verifier": attempt.verifier,
        }
        status, said = self._ask(known.token_endpoint, fields=fields)
        if status != 200:
            log.warning("%s refused a code: %r", self.issuer, str(said)[:300])
            raise self._unfit(f"it took the code for no sign-in of ours ({status}, {word_of(said)})")
        answer = self._read(said, Answer)
        claims = self._verified(answer.id_token)
        check_id_token(claims, self._expected(), nonce=attempt.nonce, access_token=answer.access_token)
        subject = claims["sub"]
        if self.mapping.lacks(claims) and known.userinfo_endpoint and answer.access_token:
            claims = {**self._more(known.userinfo_endpoint, answer.access_token, subject), **claims}
        session = claims.get("sid")
        return Identity(
            issuer=self.issuer,
            subject=subject,
            claims=claims,
            id_token=answer.id_token,
            session=session[:255] if isinstance(session, str) else "",
        )

    def leave(self, id_token: str) -> str:
        """The address that ends the session at the provider; empty where it has none or cannot be asked."""
        try:
            address = self._known().end_session_endpoint
        except ProviderUnusable:
            return ""
        asked = {
            "id_token_hint": id_token,
            "client_id": self.credentials.client_id,
            "post_logout_redirect_uri": f"{self.credentials.public_url}/sign-in",
        }
        return with_query(address, asked) if address else ""

    def ended(self, token: str) -> Ended:
        """What a logout token says has ended. Raises ProviderUnusable, TokenUnfit, ClocksApart."""
        return check_logout_token(self._verified(token), self._expected())

    # --- what the provider says of itself ---

    def _known(self) -> Known:
        with self.lock:
            if self.known is None or self.clock() - self.known_at > KNOWN_FOR_S:
                if self.away is not None and self.clock() - self.away[0] < AWAY_FOR_S:
                    raise self.away[1]
                try:
                    self.known, self.known_at = self._discover(), self.clock()
                except ProviderUnusable as e:
                    self.away = (self.clock(), e)
                    raise
            return self.known

    def _discover(self) -> Known:
        status, said = self._ask(self.issuer.rstrip("/") + DISCOVERY)
        if status != 200:
            raise self._unusable(f"{self.issuer}{DISCOVERY} answers {status}")
        known = self._read(said, Known)
        if known.issuer != self.issuer:
            raise self._unusable(f"it calls itself {known.issuer!r}, and {self.issuer!r} is configured")
        own = urlsplit(self.issuer).scheme
        for name in Known.__struct_fields__:
            address = getattr(known, name)
            is_address = name.endswith(("_endpoint", "jwks_uri")) and address
            if is_address and (urlsplit(address).scheme not in {"https", own} or "#" in address):
                raise self._unusable(f"its {name} is {address!r}, which is not https")
        return known

    def _key_set(self, *, anew: bool) -> KeySet:
        """The keys that the provider signs with; fetched anew where asked to, but not time and again."""
        address = self._known().jwks_uri
        with self.lock:
            age = self.clock() - self.keys_at
            if self.keys is None or age > (KEYS_EVERY_S if anew else KEYS_FOR_S):
                if self.keyless is not None and self.clock() - self.keyless[0] < AWAY_FOR_S:
                    raise self.keyless[1]
                try:
                    self.keys, self.keys_at = self._fetch_keys(address), self.clock()
                except ProviderUnusable as e:
                    self.keyless = (self.clock(), e)
                    raise
            return self.keys

    def _fetch_keys(self, address: str) -> KeySet:
        status, said = self._ask(address)
        if status != 200:
            raise self._unusable(f"its keys at {address} answer {status}")
        return self._read_keys(said)

    def _read_keys(self, said: dict[str, Any]) -> KeySet:
        try:
            own = [key for key in said["keys"] if key.get("use", "sig") == "sig" and key.get("kty") in ("RSA", "EC")]
            return KeySet.import_key_set({"keys": own})
        except (JoseError, KeyError, TypeError, ValueError, AttributeError) as e:
            raise self._unusable("its keys cannot be read") from e

    # --- asking ---

    def _verified(self, token: str) -> dict[str, Any]:
        """The claims of a token that one of the provider's keys signed."""
        try:
            return read_token(token, self._key_set(anew=False), self.mapping.provider)
        except UnknownKey:
            pass
        try:
            return read_token(token, self._key_set(anew=True), self.mapping.provider)
        except UnknownKey as e:
            raise self._unfit(str(e)) from e

    def _expected(self) -> Expected:
        return Expected(self.mapping.provider, self.issuer, self.credentials.client_id, self.clock())

    def _more(self, address: str, access_token: str, subject: str) -> dict[str, Any]:
        """What the provider says further of somebody."""
        status, said = self._ask(address, headers={"Authorization": f"Bearer {access_token}"})
        if status != 200:
            raise self._unusable(f"it answers {status} when asked for more of you")
        if said.get("sub") != subject:
            raise self._unfit("asked for more of you, it tells of somebody else")
        return said

    def _ask(
        self, url: str, *, fields: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        given = dict(headers or {})
        if fields is not None:
            secret = self.credentials.client_secret
            methods = self.known.token_endpoint_auth_methods_supported if self.known else []
            if "client_secret_basic" in methods or "client_secret_post" not in methods:
                pair = f"{quote(self.credentials.client_id, safe='')}:{quote(secret, safe='')}"
                given["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
            else:
                fields = {**fields, "client_id": self.credentials.client_id, "client_secret": secret}
        try:
            return self.fetcher.ask(url, fields=fields, headers=given)
        except NoAnswer as e:
            raise self._unusable(str(e)) from e

    def _read(self, said: dict[str, Any], kind: type[T]) -> T:
        try:
            return msgspec.convert(said, kind)
        except msgspec.ValidationError as e:
            raise self._unusable(f"its answer lacks something: {e}") from e

    def _unusable(self, cause: str) -> ProviderUnusable:
        return ProviderUnusable(provider=self.mapping.provider, cause=cause)

    def _unfit(self, problem: str) -> TokenUnfit:
        return TokenUnfit(provider=self.mapping.provider, problem=problem)


def with_query(address: str, asked: dict[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked, quote_via=quote)}"


def word_of(said: dict[str, Any]) -> str:
    """The error that an answer names, as far as it is one word."""
    error = said.get("error")
    is_word = isinstance(error, str) and error.isascii() and error.replace("_", "").isalnum()
    return str(error)[:60] if is_word else "without a reason"


def bad_issuer(issuer: str) -> BadField:
    expected = "an address such as https://HOST/PATH, or http of this machine itself"
    return BadField(field="--oidc-issuer (TAXIWAY_OIDC_ISSUER)", value=repr(issuer[:200]), expected=expected)
