"""What a path says of the inference logs of those who take it."""

from __future__ import annotations

import pytest

from taxiway.gates.paths.policy import log_asked, packaged, read_path
from taxiway.storage.contract import YamlBroken

PLAIN = "path: careful-logs\nstages: {production: []}\n"


def test_a_path_may_ask_that_answers_wait_for_their_records() -> None:
    text = f"{PLAIN}log: acknowledged\n"

    assert log_asked(text) == "acknowledged"
    assert log_asked(PLAIN) is None
    assert read_path(text, name="a").digest != read_path(PLAIN, name="b").digest


def test_a_word_that_is_none_is_refused_with_its_line() -> None:
    with pytest.raises(YamlBroken) as refusal:
        read_path(f"{PLAIN}log: always\n", name="path.yaml")

    assert (refusal.value.line, refusal.value.key) == (3, "log")


def test_the_paths_that_ship_leave_it_to_the_risk() -> None:
    found = [packaged(name) for name in ("light", "standard", "careful")]

    assert [log_asked(path.text) for path in found if path is not None] == [None, None, None]
