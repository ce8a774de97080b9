from datetime import UTC, datetime, timedelta

import pytest

from taxiway.web.numbers import duration, fixed, interval, number, share, signed, size
from taxiway.web.words import ago, digest_short, exact, listed, plural, stamp, turned, with_query

NOON = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)
GAP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
NOT_GIVEN = "\N{EN DASH}"


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=42), f"42{GAP}s ago"),
        (timedelta(minutes=12, seconds=59), f"12{GAP}min ago"),
        (timedelta(hours=23, minutes=59), f"23{GAP}h ago"),
        (timedelta(days=6), f"6{GAP}d ago"),
        (timedelta(days=-3), f"in 3{GAP}d"),
        (timedelta(days=40), "2026-01-23"),
    ],
)
def test_a_moment_is_told_as_time_passed(away: timedelta, words: str) -> None:
    assert ago(NOON - away, NOON) == words


def test_a_moment_that_never_was_is_said_so() -> None:
    assert ago(None, NOON) == "never"
    assert exact(None) == "never"


def test_exact_times_are_utc_whatever_the_zone_was() -> None:
    berlin = datetime.fromisoformat("2026-03-04T13:00:00+01:00")

    assert exact(berlin) == "2026-03-04 12:00:00 UTC"
    assert stamp(berlin) == "2026-03-04T12:00:00+00:00"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (12345, "12,345"),
        (0.123456, "0.123"),
        (0.8, "0.8"),
        (-1.5, f"{MINUS}1.5"),
        (1234.56, "1,235"),
        (0.00001234, "1.23e-05"),
        (float("nan"), "NaN"),
        (float("-inf"), f"{MINUS}∞"),
        (None, NOT_GIVEN),
    ],
)
def test_numbers_are_written_for_reading(value: float | None, words: str) -> None:
    assert number(value) == words


def test_a_column_of_fixed_numbers_keeps_its_decimals() -> None:
    assert [fixed(value, 2) for value in (1, 0.456, -2.5, -0.001)] == ["1.00", "0.46", f"{MINUS}2.50", "0.00"]


def test_a_difference_shows_its_sign_unless_there_is_none() -> None:
    assert signed(0.0213) == "+0.021"
    assert signed(-0.0213) == f"{MINUS}0.021"
    assert signed(0.0001) == "0"


def test_shares_are_percent() -> None:
    assert share(0.8734) == f"87.3{GAP}%"
    assert share(float("nan")) == "NaN"


def test_both_ends_of_an_interval_have_the_same_decimals() -> None:
    assert interval(0.7, 0.833) == "[0.700, 0.833]"
    assert interval(58, 64.5) == "[58.0, 64.5]"
    assert interval(None, 1.0) == ""


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (48_213, "48.2 kB"), (2_500_000_000, "2.5 GB"), (None, NOT_GIVEN)],
)
def test_sizes_go_in_steps_of_a_thousand(size_bytes: int | None, words: str) -> None:
    assert size(size_bytes) == words.replace(" ", GAP)


@pytest.mark.parametrize(
    ("duration_s", "words"),
    [
        (0.00034, "340~µs"),
        (0.0121, "12.1~ms"),
        (3.4, "3.4~s"),
        (59.97, "1~min"),
        (125, "2~min 5~s"),
        (12000, "3~h 20~min"),
        (86400 * 9, "9~d"),
        (86400 * 40 + 7200, "40~d 2~h"),
    ],
)
def test_durations_have_at_most_two_units(duration_s: float, words: str) -> None:
    assert duration(duration_s) == words.replace("~", GAP)


def test_a_digest_is_shortened_without_its_algorithm() -> None:
    assert digest_short("sha256:" + "8f3a91c2" * 8) == "8f3a91c28f"
    assert digest_short("0199aabbccdd") == "0199aabbcc"


def test_a_query_is_changed_and_the_rest_of_it_kept() -> None:
    url = "/runs?where=loss+%3C+1&order=loss&after=abc"

    assert with_query(url, order="-loss", after=None) == "/runs?where=loss+%3C+1&order=-loss"
    assert with_query("/runs/compare", run=["a", "b"]) == "/runs/compare?run=a&run=b"


def test_a_second_click_turns_the_order_round() -> None:
    assert turned("", "loss") == "loss"
    assert turned("loss", "loss") == "-loss"
    assert turned("-loss", "loss") == "loss"


def test_counts_and_names_read_as_sentences() -> None:
    assert [plural(1, "run"), plural(3, "run"), plural(2, "entry", "entries")] == ["1 run", "3 runs", "2 entries"]
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
