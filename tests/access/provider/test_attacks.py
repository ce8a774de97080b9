"""Tokens that must not hold, sent by a provider that a test controls, over real HTTP."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from taxiway.access.provider.mapping import Claims, Mapping
from taxiway.access.provider.port import Ended
from taxiway.access.provider.refusals import ClocksApart, ProviderUnusable, TokenUnfit
from taxiway.adapters.https import MOST_BYTES
from taxiway.adapters.identity import read_public_url
from taxiway.adapters.oidc import Credentials, OpenIdProvider
from taxiway.kernel.errors import BadField
from tests.access.provider.forger import ATTEMPT, LOGOUT, Forger, coded, forging

Forge = Callable[[Forger], str]


@pytest.fixture
def forger() -> Iterator[Forger]:
    with forging() as forger:
        yield forger


def now(by_s: float) -> int:
    return int(time.time() + by_s)


def other_key(forger: Forger) -> str:
    """Signed by a key that is not published, under the name of the one that is."""
    own, forger.key = forger.key, RSAKey.generate_key(2048, {"kid": "first"})
    token = forger.sign(forger.claims())
    forger.key = own
    return token


def test_an_honest_token_holds(forger: Forger) -> None:
    forger.answers(forger.sign(forger.claims(sid="session-1")))

    identity = forger.provider().finish("code", ATTEMPT)

    assert (identity.subject, identity.session, identity.claims["name"]) == ("7", "session-1", "Ana")


def test_elliptic_curves_hold_too(forger: Forger) -> None:
    forger.key = ECKey.generate_key("P-256", {"kid": "first"})
    forger.answers(forger.sign(forger.claims(), alg="ES256"))

    assert forger.provider().finish("code", ATTEMPT).subject == "7"


def test_an_access_token_that_was_exchanged_is_refused(forger: Forger) -> None:
    half = coded(hashlib.sha256(b"access").digest()[:16])
    forger.answers(forger.sign(forger.claims(at_hash=half)))

    assert forger.provider().finish("code", ATTEMPT).subject == "7"
    forger.answers(forger.sign(forger.claims(at_hash=half)), access_token="of somebody else")
    with pytest.raises(TokenUnfit, match="at_hash"):
        forger.provider().finish("code", ATTEMPT)


@pytest.mark.parametrize(
    ("forge", "problem"),
    [
        (lambda f: f.unsigned(f.claims()), "proves nothing"),
        (lambda f: f.sign_with_public_key(f.claims()), "proves nothing"),
        (other_key, "its signature is not that of its keys"),
        (lambda f: f.sign(f.claims(), kid="third"), "none of its keys signed the token"),
        (lambda f: f.sign(f.claims())[:-6] + "AAAAAA", "its signature is not that of its keys"),
        (lambda f: "no.token.atall", "proves nothing"),
        (lambda f: f.sign(f.claims(iss="https://evil.example")), "another issuer"),
        (lambda f: f.sign(f.claims(iss=f.issuer + "/")), "another issuer"),
        (lambda f: f.sign(f.claims(aud="other")), "for another client"),
        (lambda f: f.sign(f.claims(aud=None)), "for another client"),
        (lambda f: f.sign(f.claims(aud=["taxiway", "other"])), "azp"),
        (lambda f: f.sign(f.claims(azp="other")), "azp"),
        (lambda f: f.sign(f.claims(nonce="of-another")), "another sign-in"),
        (lambda f: f.sign(f.claims(nonce=None)), "another sign-in"),
        (lambda f: f.sign(f.claims(sub=None)), "does not say who"),
        (lambda f: f.sign(f.claims(sub="x" * 256)), "does not say who"),
        (lambda f: f.sign(f.claims(exp=None)), "does not say when"),
        (lambda f: f.sign(f.claims(iat=True)), "does not say when"),
        (lambda f: f.sign(f.claims(at_hash=["x"])), "at_hash"),
    ],
)
def test_a_token_that_is_forged_or_for_somebody_else_is_refused(forger: Forger, forge: Forge, problem: str) -> None:
    forger.answers(forge(forger))

    with pytest.raises(TokenUnfit, match=problem):
        forger.provider().finish("code", ATTEMPT)


@pytest.mark.parametrize("claims", [{"exp": now(-61)}, {"iat": now(3600)}, {"nbf": now(3600)}])
def test_a_token_of_another_time_names_the_clocks(forger: Forger, claims: dict[str, Any]) -> None:
    forger.answers(forger.sign(forger.claims(**claims)))

    with pytest.raises(ClocksApart, match="NTP"):
        forger.provider().finish("code", ATTEMPT)


def test_a_clock_that_is_a_little_off_does_no_harm(forger: Forger) -> None:
    forger.answers(forger.sign(forger.claims(exp=now(-30), iat=now(30), nbf=now(30))))

    assert forger.provider().finish("code", ATTEMPT).subject == "7"


def test_keys_are_fetched_once_and_again_when_another_one_is_named(
    forger: Forger, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = forger.provider()
    for _ in range(3):
        forger.answers(forger.sign(forger.claims()))
        provider.finish("code", ATTEMPT)
    once = forger.asked.count("/jwks")
    forger.key = RSAKey.generate_key(2048, {"kid": "second"})
    forger.answers(forger.sign(forger.claims(), kid="second"))

    with pytest.raises(TokenUnfit):  # not time and again: what names a key that is not there costs nothing
        provider.finish("code", ATTEMPT)
    monkeypatch.setattr("taxiway.adapters.oidc.KEYS_EVERY_S", 0.0)

    assert provider.finish("code", ATTEMPT).subject == "7"
    assert (once, forger.asked.count("/jwks")) == (1, 2)


def test_what_the_token_lacks_is_asked_for_and_only_of_the_same_person(forger: Forger) -> None:
    mapping = Mapping(provider="Acme", claims=Claims(groups="teams"), allowed=["runway"])
    forger.answers(forger.sign(forger.claims()))
    forger.userinfo = {"sub": "7", "teams": ["runway"], "preferred_username": "root"}

    claims = forger.provider(mapping).finish("code", ATTEMPT).claims
    forger.userinfo["sub"] = "8"

    assert (claims["teams"], claims["preferred_username"]) == (["runway"], "ana")
    with pytest.raises(TokenUnfit, match="somebody else"):
        forger.provider(mapping).finish("code", ATTEMPT)


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ({"issuer": "https://evil.example"}, "it calls itself 'https://evil.example'"),
        ({"jwks_uri": "file:///etc/passwd"}, "not https"),
        ({"token_endpoint": "https://169.254.169.254/token"}, "not public"),
        ({"token_endpoint": 7}, "lacks something"),
    ],
)
def test_a_provider_that_says_odd_things_of_itself_is_not_used(
    forger: Forger, said: dict[str, Any], cause: str
) -> None:
    forger.said = said

    with pytest.raises(ProviderUnusable, match=cause):
        forger.provider().finish("code", ATTEMPT)


def test_no_redirect_is_followed_and_no_long_answer_read(forger: Forger, monkeypatch: pytest.MonkeyPatch) -> None:
    forger.answers(forger.sign(forger.claims()))
    provider = forger.provider()
    provider.finish("code", ATTEMPT)
    forger.token = {"id_token": "x" * (MOST_BYTES + 1)}
    with pytest.raises(ProviderUnusable, match="longer than"):
        provider.finish("code", ATTEMPT)
    monkeypatch.setattr(forger, "pages", lambda: {"/token": "/jwks"})

    with pytest.raises(ProviderUnusable, match="redirects are not followed"):
        provider.finish("code", ATTEMPT)


def test_nobody_waits_for_a_provider_that_just_did_not_answer() -> None:
    with forging() as forger:
        provider = forger.provider()
    with pytest.raises(ProviderUnusable, match="refused") as first:
        provider.begin(ATTEMPT)
    with pytest.raises(ProviderUnusable) as second:
        provider.begin(ATTEMPT)

    assert second.value is first.value


def test_nobody_waits_for_keys_that_just_did_not_come(forger: Forger, monkeypatch: pytest.MonkeyPatch) -> None:
    forger.answers(forger.sign(forger.claims()))
    provider = forger.provider()
    provider.begin(ATTEMPT)
    pages = forger.pages()
    monkeypatch.setattr(forger, "pages", lambda: {**pages, "/jwks": "no keys"})

    for _ in range(5):  # anybody may send what names a key, such as a logout token
        with pytest.raises(ProviderUnusable):
            provider.ended(forger.token["id_token"])
    monkeypatch.setattr("taxiway.adapters.oidc.AWAY_FOR_S", 0.0)
    monkeypatch.setattr(forger, "pages", lambda: pages)

    assert provider.finish("code", ATTEMPT).subject == "7"
    assert forger.asked.count("/jwks") == 2


@pytest.mark.parametrize("issuer", ["http://idp.example", "ftp://idp.example", "https://idp.example?x", "idp.example"])
def test_an_issuer_in_the_clear_is_no_issuer(issuer: str) -> None:
    with pytest.raises(BadField, match="https://HOST/PATH"):
        OpenIdProvider(Credentials(issuer, "taxiway", "secret", "https://taxiway.example"), Mapping())


@pytest.mark.parametrize(
    "url", ["http://taxiway.example", "https://u:p@x.example", "https://x.example/a", "//x", "https://[x"]
)
def test_people_come_back_to_an_address_that_is_safe(url: str) -> None:
    with pytest.raises(BadField, match="the address that people open"):
        read_public_url(url)


def test_the_provider_ends_sessions_with_a_token_made_for_that(forger: Forger) -> None:
    claims: dict[str, Any] = {"nonce": None, "events": {LOGOUT: {}}, "sid": "s1", "exp": None}

    assert forger.provider().ended(forger.sign(forger.claims(**claims))) == Ended(forger.issuer, "7", "s1")
    for wrong, problem in (
        ({"nonce": "nonce"}, "none that ends"),
        ({"events": {}}, "none that ends"),
        ({"sub": None, "sid": None}, "neither"),
        ({"aud": "other"}, "another client"),
        ({"iat": now(-700)}, "older"),
    ):
        with pytest.raises(TokenUnfit, match=problem):
            forger.provider().ended(forger.sign(forger.claims(**{**claims, **wrong})))
