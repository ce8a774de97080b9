"""What is refused of inference logs, by name, free of every framework."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class DurabilityAsked(TaxiwayError):
    """An inference log was to be buffered where the project's path asks for more."""

    status = 409
    is_audited = True
    endpoint: str
    project: str

    def __str__(self) -> str:
        return (
            f"The path of the project {self.project} asks for an acknowledged log, so that of {self.endpoint} "
            f"cannot be buffered. `taxiway projects show {self.project}` names the path."
        )


class LogHeld(TaxiwayError):
    """Something of an inference log was to be erased while a legal hold keeps all of it."""

    status = 409
    is_audited = True
    endpoint: str
    hold: str

    def __str__(self) -> str:
        return (
            f"The log of {self.endpoint} is held: {self.hold.rstrip('.')}. Nothing of it is erased until the hold is "
            f"taken off with `taxiway endpoints keep-log {self.endpoint} --no-hold`."
        )


class LogTooSlow(TaxiwayError):
    """A question to an inference log that took longer than it may."""

    status = 422
    endpoint: str
    looked_at: int
    deadline_s: float

    def __str__(self) -> str:
        return (
            f"After {self.deadline_s:g} s and {self.looked_at:,} records of {self.endpoint} the question was not "
            "answered. Ask for less time at once, with since and until."
        )
