"""What to say of a run that was done again."""

from __future__ import annotations

from taxiway.kernel.numbers import from_wire
from taxiway.kernel.show import as_grid
from taxiway.runs.again.sameness import Gap, Reproduction, SameVerdict, counts

MARKS: dict[SameVerdict, str] = {"bit-equal": "●", "within tolerance": "●", "differs": "■", "impossible": "◌"}
EXIT_CODES: dict[SameVerdict, int] = {"bit-equal": 0, "within tolerance": 0, "differs": 1, "impossible": 3}


def sentence(found: Reproduction) -> str:
    """The verdict and its reason in a sentence."""
    largest = found.largest()
    match found.verdict:
        case "bit-equal":
            series, columns = counted(len(found.metrics), "metric"), len(found.predictions)
            predictions = f", {counted(columns, 'column')} of predictions" if columns else ""
            return f"Bit-equal: {series}{predictions} and {counted(found.equal_files, 'file')} are the same."
        case "within tolerance":
            others = f"; the bytes of {counted(len(found.files), 'file')} differ" if found.files else ""
            far = f"the largest difference is {apart(largest)}" if largest else "nothing was measured"
            return f"Within tolerance {found.tolerance:g}: {far}{others}."
        case "impossible":
            return f"It cannot be done again: {'; '.join(found.because)}."
    reasons = [*found.because]
    if found.params:
        reasons.append(f"other parameters: {', '.join(row.name for row in found.params)}")
    if largest and from_wire(largest.largest) > found.tolerance:
        reasons.append(f"the largest difference is {apart(largest)}")
    return f"It differs: {'; '.join(reasons)}."


def counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def apart(gap: Gap) -> str:
    """A gap with its size.

    >>> apart(Gap("loss", False, 0.25))
    '0.25 in loss'
    """
    size = from_wire(gap.largest)
    return f"{gap.name}, {gap.note or 'a number against none'}" if size == float("inf") else f"{size:.3g} in {gap.name}"


def show_reproduction(found: Reproduction) -> str:
    """The verdict, what differs in results, and what differs in what both started from."""
    parts = [f"{MARKS[found.verdict]} {sentence(found)}"]
    if found.again:
        parts.append(f"first {found.run}\nagain {found.again}")
    gaps = [gap for gap in (*found.metrics, *found.predictions) if not gap.is_equal]
    if gaps:
        rows = [
            [gap.name, from_wire(gap.largest), gap.note or ("" if counts(gap.name, found.ignored) else "not counted")]
            for gap in gaps
        ]
        parts.append(as_grid(["result", "largest difference", ""], rows))
    if found.params:
        parts.append(as_grid(["parameter", "first", "again"], [[row.name, *row.values] for row in found.params]))
    if found.files:
        parts.append("\n".join(["files with other bytes", *(f"  {gap.path}" for gap in found.files)]))
    if found.verdict == "impossible":
        return parts[0]
    heading = "what it started from differs" if found.inputs else "it started from the same, as far as is known"
    parts.append("\n".join([heading, *(f"  {gap.kind}: {gap.what}" for gap in found.inputs)]))
    return "\n\n".join(parts)
