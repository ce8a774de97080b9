"""What may name an artifact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.kernel.errors import BadField
from taxiway.runs.paths import check_path


@pytest.mark.parametrize("path", ["roc.svg", "figures/roc.svg", "a b/ü.txt", "..a/b..", "%2e%2e/x", "x" * 250])
def test_a_plain_relative_path_is_kept_as_it_is(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "/etc/passwd", "a//b", "a/", "./a", "a/./b", "../a", "a/../../b", "a\\b", "..\\a", "a\0b", "a\nb",
        "u\u0308.txt", "x" * 251, "/".join(["x" * 200] * 6), "a\u202eb",
    ],
)  # fmt: skip
def test_a_path_that_could_mislead_is_refused(path: str) -> None:
    with pytest.raises(BadField) as refusal:
        check_path(path)

    assert refusal.value.field == "path"


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b"]), min_size=1, max_size=5))
def test_no_accepted_path_leads_upwards(segments: list[str]) -> None:
    path = "/".join(segments)

    try:
        accepted = check_path(path)
    except BadField:
        return
    assert set(accepted.split("/")) <= {"a", "b"}
