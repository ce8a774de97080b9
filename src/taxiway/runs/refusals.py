"""The refusals of runs."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class RunEnded(TaxiwayError):
    """A run that has ended takes nothing more: its metrics are sealed."""

    status = 409
    run: str
    ended_as: str

    def __str__(self) -> str:
        return f"The run {self.run} has ended ({self.ended_as}) and its record is sealed. Start another run."


class ParamFixed(TaxiwayError):
    """A parameter that was logged before with another value."""

    status = 409
    run: str
    param: str
    value: str
    given: str

    def __str__(self) -> str:
        return (
            f"The parameter {self.param!r} of run {self.run} is {self.value} and cannot become {self.given}. "
            f"Log it under another name, or as a metric if it changes while the run goes on."
        )


class BatchReused(TaxiwayError):
    """A batch whose writer and sequence were used for other content."""

    status = 409
    writer: str
    seq: int

    def __str__(self) -> str:
        return (
            f"Writer {self.writer} sent something else as number {self.seq} before. "
            f"Draw a writer id for each process, and count on."
        )


class Undelivered(TaxiwayError):
    """A run ended while the server could not be reached, and points were still waiting in memory."""

    status = 503
    run: str
    items: int
    cause: str

    def __str__(self) -> str:
        return (
            f"{self.items:,} points, parameters and tags of run {self.run} did not reach the server and are lost with "
            f"this process: {self.cause} Log again once it answers."
        )


class ProgramMissing(TaxiwayError):
    """`taxiway run` was given nothing to run."""

    status = 400
    exit_code = 2  # wrong usage

    def __str__(self) -> str:
        return "There is no program to run. Give one and its arguments after --: `taxiway run -- python train.py`."


class ProgramUnknown(TaxiwayError):
    """`taxiway run` was given a program that is not there."""

    status = 400
    exit_code = 127  # as shells say it
    program: str

    def __str__(self) -> str:
        return f"{self.program!r} is no program on the PATH. Nothing was run: check its name, or give its whole path."
