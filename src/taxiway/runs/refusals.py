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


class RunTrashed(TaxiwayError):
    """A run in the trash takes no changes."""

    status = 409
    run: str

    def __str__(self) -> str:
        return f"The run {self.run} is in the trash. Restore it first."


class ExperimentTrashed(TaxiwayError):
    """An experiment in the trash takes no changes."""

    status = 409
    experiment: str

    def __str__(self) -> str:
        return f"The experiment {self.experiment!r} is in the trash. Restore it first."


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


class SpoolUnusable(TaxiwayError):
    """The spool cannot be read, or what was delivered cannot be noted in it."""

    status = 503
    cause: str

    def __str__(self) -> str:
        return f"The spool cannot be used: {self.cause}. Free some space, or name another folder in TAXIWAY_SPOOL."


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


class UvMissing(TaxiwayError):
    """An environment is to be made anew, and uv is not installed."""

    status = 501

    def __str__(self) -> str:
        return (
            "Making the run's environment anew needs uv, which is not installed: `pip install 'taxiway[reproduce]'`. "
            "Or take the environment there is, with `--env current`."
        )


class RebuildFailed(TaxiwayError):
    """uv could not make an environment at all."""

    status = 500
    python: str
    cause: str

    def __str__(self) -> str:
        return (
            f"No environment could be made for Python {self.python}: {self.cause} "
            f"Install that Python, or take the environment there is, with `--env current`."
        )
