"""Who people of a provider are here: the law, and the file that an admin writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from taxiway.access.provider.mapping import Claims, Mapping
from taxiway.access.provider.refusals import ClaimUnfit, GroupMissing
from taxiway.adapters.identity import Asked, configure, read_mapping
from taxiway.kernel.errors import BadField
from taxiway.server import Options, provider_of
from taxiway.storage.contract import YamlBroken


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": "Ana"}, "ana"),
        ({"preferred_username": "ana.lind@acme.example"}, "ana.lind"),
        ({"preferred_username": "a_b-c.9"}, "a_b-c.9"),
    ],
)
def test_a_claim_becomes_a_name(claims: dict[str, Any], name: str) -> None:
    assert Mapping().name_of(claims) == name


@pytest.mark.parametrize(
    "given", [None, "", 7, ["ana"], "ana lind", "änä", "../x", "a" * 64, "@x", "local", "oidc", "Taxiway"]
)
def test_what_makes_no_name_is_told(given: Any) -> None:
    with pytest.raises(ClaimUnfit, match="preferred_username"):
        Mapping().name_of({"preferred_username": given})


def test_an_address_that_nobody_verified_is_nobodys_name() -> None:
    mapping = Mapping(claims=Claims(name="email"))

    with pytest.raises(ClaimUnfit, match="never verified"):
        mapping.name_of({"email": "ana@acme.example", "email_verified": False})


def test_groups_are_found_where_providers_put_them() -> None:
    inside = Mapping(claims=Claims(groups="realm_access.roles"))

    assert Mapping().groups_of({"groups": ["a", "b"]}) == ["a", "b"]
    assert Mapping().groups_of({"groups": "a"}) == ["a"]
    assert Mapping().groups_of({}) == []
    assert inside.groups_of({"realm_access": {"roles": ["a"]}}) == ["a"]
    assert Mapping(claims=Claims(groups="https://x/groups")).groups_of({"https://x/groups": ["a"]}) == ["a"]


@pytest.mark.parametrize("claims", [{"groups": [1]}, {"groups": {"a": 1}}, {"_claim_names": {"groups": "src1"}}])
def test_groups_that_cannot_be_read_let_nobody_keep_a_role(claims: dict[str, Any]) -> None:
    with pytest.raises(ClaimUnfit, match="groups"):
        Mapping().groups_of(claims)


def test_who_is_in_no_group_that_may_sign_in_does_not() -> None:
    mapping = Mapping(provider="Acme", allowed=["runway"])

    mapping.require_allowed(["canteen", "runway"])
    with pytest.raises(GroupMissing, match=r"none of the groups that may sign in here \(runway\)"):
        mapping.require_allowed(["canteen"])


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("provider: Acme\nprojects:\n  mortgages: {validators: validater}", 3, "validater"),
        ("provider: Acme\nadmin: [x]", 2, "admin"),
        ("session_hours: 0", 1, "0.05 to 168"),
        ("scopes: [profile]", 1, "openid"),
        ("token_days: 400", 1, "1 to 365"),
        ("projects:\n  Mortgages!: {}", 1, "names of projects"),
    ],
)
def test_a_file_that_says_something_odd_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    file = tmp_path / "sign-in.yaml"
    file.write_text(text)

    with pytest.raises(YamlBroken) as refusal:
        read_mapping(file)

    assert (refusal.value.file, refusal.value.line) == ("sign-in.yaml", line)
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (Asked("https://idp.example", "", "secret"), "--oidc-client-id"),
        (Asked("https://idp.example", "taxiway", ""), "TAXIWAY_OIDC_CLIENT_SECRET"),
        (Asked("http://idp.example", "taxiway", "secret"), "TAXIWAY_OIDC_ISSUER"),
    ],
)
def test_a_provider_that_is_half_configured_is_refused_at_the_start(asked: Asked, field: str) -> None:
    with pytest.raises(BadField, match=field):
        configure(asked, "https://taxiway.example")


def test_a_server_with_a_provider_asks_for_sign_in_and_says_where_people_open_it(tmp_path: Path) -> None:
    asked = Asked("https://idp.example", "taxiway", "secret")
    options = Options(tmp_path, provider=asked)
    configured = provider_of(options, "http://127.0.0.1:5500")

    assert options.is_login_on
    assert configured is not None
    assert configured.public_url == "http://127.0.0.1:5500"
    with pytest.raises(BadField, match="--no-login"):
        assert Options(tmp_path, login=False, provider=asked).is_login_on
    with pytest.raises(BadField, match="--public-url"):
        provider_of(Options(tmp_path, host="0.0.0.0", provider=asked), "http://0.0.0.0:5500")
