"""A start that leaves Python's search for garbage until its end, and leaves it as it was."""

from __future__ import annotations

import gc

import pytest

from taxiway.kernel.starting import collecting_later


def begin(*, fails: bool) -> bool:
    """Whether the search was on during a start."""
    with collecting_later():
        if fails:
            raise RuntimeError
        return gc.isenabled()


def test_garbage_is_looked_for_again_after_a_start_even_one_that_failed() -> None:
    assert not begin(fails=False)
    assert gc.isenabled()
    with pytest.raises(RuntimeError):
        begin(fails=True)
    assert gc.isenabled()


def test_who_had_it_off_finds_it_off() -> None:
    gc.disable()
    try:
        with collecting_later():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
