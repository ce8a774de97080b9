"""An endpoint is said once, and not without a permission."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from taxiway.kernel.endpoint import Endpoint, Nothing


class Ask(Struct, frozen=True):
    name: str | None = None
    tags: list[str] = []
    is_late: bool = False


def test_one_without_a_permission_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="needs a permission"):
        Endpoint("GET", "/api/tests/unnamed", Nothing, Nothing, "", "no permission")


def test_names_in_the_path_are_filled_in_and_quoted() -> None:
    asked = Endpoint("GET", "/api/tests/{name}/parts/{part:int}", Ask, Nothing, "tests.read", "for this test")

    url = asked.url({"name": "a/b c", "part": 3}, Ask(name="x&y", tags=["one", "two"], is_late=True))

    assert asked.parameters == ["name", "part"]
    assert url == "/api/tests/a%2Fb%20c/parts/3?name=x%26y&tags=one&tags=two&is_late=true"


@given(name=st.text(min_size=1, max_size=40))
def test_no_name_leaves_its_place_in_the_path(name: str) -> None:
    asked = Endpoint("GET", "/api/tests/{name}", Nothing, Nothing, "tests.read", "for this test")

    assert asked.url({"name": name}).count("/") == 3
