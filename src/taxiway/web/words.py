"""The filters of the templates: times, ids and links in words a reader can use."""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from taxiway.kernel import clock
from taxiway.web import numbers
from taxiway.web.figures.marks import mark, verdict_word

_STEPS = ((60.0, "s", 1), (3600.0, "min", 60), (86400.0, "h", 3600), (86400.0 * 30, "d", 86400))


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago (or in how long) that is: "just now", "12 min ago", "in 3 d", then the plain date."""
    if at is None:
        return "never"
    away_s = (now - at).total_seconds()
    if abs(away_s) < 10:
        return "just now"
    for limit, unit, seconds in _STEPS:
        if abs(away_s) < limit:
            amount = f"{int(abs(away_s) // seconds)}\N{NO-BREAK SPACE}{unit}"
            return f"{amount} ago" if away_s > 0 else f"in {amount}"
    return f"{at.astimezone(UTC):%Y-%m-%d}"


def ago_now(at: datetime | None) -> str:
    """`ago` by the wall clock: the filter. A test that must hold still replaces it."""
    return ago(at, clock.now())


def exact(at: datetime | None) -> str:
    """The time to the second, in UTC: "2026-03-04 05:06:07 UTC"."""
    return "never" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def stamp(at: datetime) -> str:
    """The time for a machine, as the `datetime` attribute wants it."""
    return at.astimezone(UTC).isoformat()


def digest_short(digest: str) -> str:
    """The first ten characters of a digest or id, without its algorithm."""
    return digest.rpartition(":")[2][:10]


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun: "1 run", "3 runs"."""
    return f"{numbers.number(count)} {one if count == 1 else many or one + 's'}"


def listed(names: list[str], last: str = "and") -> str:
    """Names in a sentence: "a", "a and b", "a, b and c"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def with_query(url: str, **changes: object) -> str:
    """The address with some of its query changed; None takes a name out, a list repeats it."""
    parts = urlsplit(url)
    kept = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key not in changes]
    for key, value in changes.items():
        values = value if isinstance(value, list | tuple) else [value]
        kept += [(key, str(one)) for one in values if one is not None]
    return urlunsplit(parts._replace(query=urlencode(kept)))


def turned(order: str, key: str) -> str:
    """The order a click on this column asks for: rising first, then falling ("-key")."""
    return f"-{key}" if order == key else key


FILTERS: dict[str, Callable[..., str]] = {
    "ago": ago_now,
    "digest_short": digest_short,
    "duration": numbers.duration,
    "exact": exact,
    "fixed": numbers.fixed,
    "interval": numbers.interval,
    "listed": listed,
    "mark": mark,
    "number": numbers.number,
    "plural": plural,
    "share": numbers.share,
    "signed": numbers.signed,
    "size": numbers.size,
    "stamp": stamp,
    "turned": turned,
    "verdict_word": verdict_word,
    "with_query": with_query,
}
