"""The CLI of batch scoring."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING, get_args

from taxiway.endpoints.scoring.result import HowFar, Scored
from taxiway.gates.contract import GateStage
from taxiway.kernel.commands import Argument, Command, count
from taxiway.kernel.errors import BadField

if TYPE_CHECKING:
    from taxiway.client import Client

BAR = 24


def score(client: Client, given: Namespace) -> Scored:
    name, source, target = files_of(given)
    serves, may_run_code = given.serves, given.may_run_code
    if given.endpoint:
        record = client.endpoints.show(given.endpoint).endpoint
        name, serves = f"{record.model}@{record.version}", record.serves
        may_run_code = may_run_code or client.endpoints.revision(given.endpoint, record.active).may_run_code
    try:
        return client.endpoints.score(
            name,
            source,
            target,
            keep=None if given.keep == "all" else [each for each in given.keep.split(",") if each],
            on_error=given.on_error,
            jobs=given.jobs,
            serves=serves,
            trial=given.trial,
            register=given.register,
            may_run_code=may_run_code,
            anew=given.anew,
            exact=given.exact,
            progress=tell if sys.stderr.isatty() else None,
        )
    finally:
        if sys.stderr.isatty():
            sys.stderr.write("\n")


def files_of(given: Namespace) -> tuple[str, str, str]:
    """The version and the two files; with --endpoint only the files are given. Raises BadField."""
    words = given.words
    if given.endpoint and len(words) == 2:
        return "", words[0], words[1]
    if not given.endpoint and len(words) == 3:
        return words[0], words[1], words[2]
    expected = "MODEL@VERSION_OR_ALIAS INPUT OUTPUT, or --endpoint NAME INPUT OUTPUT"
    raise BadField(field="words", value=" ".join(words), expected=expected)


def tell(far: HowFar) -> None:
    """One line of a terminal: a bar, how many rows, how fast, how long it takes yet."""
    sys.stderr.write(f"\r{bar(far)}\033[K")
    sys.stderr.flush()


def bar(far: HowFar) -> str:
    """
    >>> bar(HowFar(rows=500_000, share=0.5, rows_per_s=250_000.0, seconds_left=2.0))
    '[############            ] 500,000 rows, 250,000 rows/s, 0:02 left'
    """
    done = round(BAR * far.share)
    left = ""
    if far.seconds_left is not None:
        minutes, seconds = divmod(round(far.seconds_left), 60)
        left = f", {minutes}:{seconds:02} left"
    return f"[{'#' * done}{' ' * (BAR - done)}] {far.rows:,} rows, {far.rows_per_s:,.0f} rows/s{left}"


def show(scored: Scored) -> str:
    """What came of it, in a few sentences."""
    speed = (scored.rows - scored.resumed) / scored.seconds if scored.seconds else 0.0
    lines = [f"{scored.output}: {scored.rows:,} rows scored by {scored.model} v{scored.version}, {speed:,.0f} rows/s."]
    if scored.is_trial:
        lines.append("This is a trial: the version may not answer there, and the output says so.")
    if scored.failed:
        lines.append(f"{scored.failed:,} rows have no answer; the column `error` says why.")
    if scored.resumed:
        lines.append(f"{scored.resumed:,} rows had been answered before.")
    if scored.difference:
        lines.append(
            f"Answers in blocks differ from those of rows alone by up to {scored.difference:.1e}; --exact asks alone."
        )
    if scored.registered:
        lines.append(f"Registered as {scored.registered}.")
    return " ".join(lines)


SCORE = Command(
    "score",
    "predict the rows of a file into another, however large",
    score,
    (
        Argument("words", "MODEL@VERSION_OR_ALIAS INPUT OUTPUT: Parquet or CSV", is_many=True, is_file=True),
        Argument("--endpoint", "score by what answers there, instead of a version", default=""),
        Argument("--keep", "columns of the input beside the answers: all, or names with commas", default="all"),
        Argument("--on-error", "a row without an answer", default="stop", choices=("stop", "keep")),
        Argument("--jobs", "processes that predict", count, 1),
        Argument("--serves", "the stage whose gates must be open", default="production", choices=get_args(GateStage)),
        Argument("--trial", "score though it may not answer there; the output says so", is_flag=True),
        Argument("--register", "the dataset to register the output as", default=""),
        Argument("--may-run-code", "score by a pickle, too", is_flag=True),
        Argument("--exact", "ask for each row alone, slowly: equal to single requests in every bit", is_flag=True),
        Argument("--anew", "forget what was scored before", is_flag=True),
    ),
    show=show,
)
