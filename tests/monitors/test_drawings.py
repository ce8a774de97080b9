"""The figures of a monitor: which windows they show."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from taxiway.monitors.contract import ColumnDrift
from taxiway.monitors.drawings import drift_map, unmeasured
from tests.monitors.test_sentences import MONITOR, drift, window
from tests.monitors.traffic import APRIL, MARCH

MAY, JUNE = datetime(2013, 5, 1, tzinfo=UTC), datetime(2013, 6, 1, tzinfo=UTC)
FEW = ColumnDrift(name="temp", psi=2.0, by_chance=3.0, state="too few rows", counts=[1, 1])


def test_a_window_that_has_just_begun_is_no_column_of_the_map() -> None:
    begun = replace(window(JUNE, FEW), score=None)
    windows = [window(MARCH, drift("temp", 1.0)), window(MAY, drift("temp", 2.0)), begun]

    assert drift_map(MONITOR, windows).columns == ("Mar '13", "Apr '13", "May '13")  # a gap between is shown
    assert unmeasured(windows) == [begun]


def test_where_nothing_is_measured_yet_the_map_says_so_cell_by_cell() -> None:
    only = replace(window(APRIL, FEW), score=None)

    assert drift_map(MONITOR, [only]).columns == ("Apr '13",)
    assert unmeasured([only]) == []
