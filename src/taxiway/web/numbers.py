"""How numbers are written for people: pages, figures and reports share these few rules."""

import math

MINUS = "\N{MINUS SIGN}"


def number(value: float | None, digits: int = 3) -> str:
    """A number for reading: whole ones with commas as in sentences, others with `digits` significant digits.

    Not a number is written "NaN", a missing one as a dash.

    >>> number(12345), number(0.123456), number(-1.5), number(float("nan")), number(None)
    ('12,345', '0.123', '−1.5', 'NaN', '–')
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else MINUS + "∞")
    if float(value).is_integer() and abs(value) < 1e15:
        text = f"{abs(int(value)):,}"
    elif abs(value) >= 1e9 or abs(value) < 1e-4:
        text = f"{abs(value):.{max(digits - 1, 0)}e}"
    else:
        places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
        whole, _, part = f"{abs(value):,.{places}f}".partition(".")
        part = part.rstrip("0")
        text = whole + (f".{part}" if part else "")
    return MINUS + text if value < 0 else text


def fixed(value: float | None, places: int = 3) -> str:
    """A number with a set number of decimals, so that a column lines up on its point."""
    if value is None or not math.isfinite(value):
        return number(value)
    text = f"{abs(value):,.{places}f}"
    return MINUS + text if value < 0 and float(f"{value:.{places}f}") != 0 else text


def signed(value: float | None, places: int = 3) -> str:
    """A difference with its sign: "+0.021", "−0.021", "0" when there is none at this precision."""
    if value is None or not math.isfinite(value):
        return number(value)
    text = fixed(value, places)
    if float(f"{value:.{places}f}") == 0:
        return "0"
    return text if value < 0 else "+" + text


def share(value: float | None, places: int = 1) -> str:
    """A share between 0 and 1 in percent: 0.873 is "87.3 %"."""
    if value is None or not math.isfinite(value):
        return number(value)
    return f"{fixed(value * 100, places)}\N{NO-BREAK SPACE}%"


def interval(low: float | None, high: float | None, places: int | None = None) -> str:
    """The interval in brackets: "[0.701, 0.833]", "[58.0, 64.5]"; nothing when there is none.

    Both ends get the same decimals: enough for three digits of the larger one, at most four.
    """
    if low is None or high is None:
        return ""
    if places is None:
        largest = max((abs(end) for end in (low, high) if math.isfinite(end)), default=1.0) or 1.0
        places = min(max(2 - math.floor(math.log10(largest)), 0), 4)
    return f"[{fixed(low, places)}, {fixed(high, places)}]"


def size(size_bytes: float | None) -> str:
    """Bytes for reading, in steps of 1000: "1.3 MB"."""
    if size_bytes is None:
        return "–"
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 999.5 or unit == "TB":
            break
        amount /= 1000
    return f"{number(round(amount) if unit == 'B' else amount)}\N{NO-BREAK SPACE}{unit}"


def duration(duration_s: float | None) -> str:
    """Seconds for reading, in at most two units: "340 µs", "12 ms", "3.4 s", "2 min 5 s", "3 h 20 min"."""
    if duration_s is None or not math.isfinite(duration_s):
        return number(duration_s)
    if duration_s < 0:
        return MINUS + duration(-duration_s)
    gap = "\N{NO-BREAK SPACE}"
    for unit, factor in (("µs", 1e6), ("ms", 1e3), ("s", 1.0)):
        amount = duration_s * factor
        if amount < (59.95 if unit == "s" else 999.5):
            return f"{number(amount, 2 if amount < 10 else 3)}{gap}{unit}"
    whole = round(duration_s)
    steps = ((3600, "min", 60, "s", 1), (86400, "h", 3600, "min", 60), (math.inf, "d", 86400, "h", 3600))
    _, large, seconds, small, part = next(step for step in steps if whole < step[0])
    rest = whole % seconds // part
    return f"{number(whole // seconds)}{gap}{large}" + (f" {rest}{gap}{small}" if rest else "")
