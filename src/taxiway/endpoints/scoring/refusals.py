"""What batch scoring refuses, by name."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class InputChanged(TaxiwayError):
    """Scoring goes on where it ended, and what it goes on with is not what it began with."""

    status = 409
    output: str
    what: list[str]

    def __str__(self) -> str:
        return (
            f"{self.output} was begun with another {' and '.join(self.what)}; parts of both would not be one result. "
            f"Restore what was there, or begin anew with --anew."
        )


class InputUnfit(TaxiwayError):
    """A file that cannot be scored: unreadable, or without a column that the model needs."""

    status = 422
    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file} cannot be scored: {self.reason}."


class ScoringStopped(TaxiwayError):
    """A row or a block that the model does not answer; what was answered before it is kept for going on."""

    status = 422
    row: int
    field: str
    problem: str

    def __str__(self) -> str:
        where = f"Row {self.row:,}" + (f", field {self.field!r}" if self.field else "")
        return f"{where}: {self.problem} Mend it and begin anew, or score with --on-error keep."


class ScorerDied(TaxiwayError):
    """A process that scored ended by itself, or could not load the model."""

    status = 500
    model: str
    reason: str
    last_words: list[str]

    def __str__(self) -> str:
        words = "".join(f"\n  {line}" for line in self.last_words)
        return f"{self.model} was not scored: {self.reason}. What was answered so far is kept; run it again.{words}"


class ScoringHeld(TaxiwayError):
    """Another process scores into the same output."""

    status = 409
    output: str

    def __str__(self) -> str:
        return f"Another process scores into {self.output} now. Wait for it, or give another output."


class NotInStage(TaxiwayError):
    """A version that has not been moved to the stage that it is to score for."""

    status = 409
    is_audited = True
    model: str
    version: int
    stage: str
    serves: str

    def __str__(self) -> str:
        where = "in no stage yet" if self.stage == "none" else f"in {self.stage}"
        return (
            f"{self.model} v{self.version} is {where} and does not score for {self.serves}. Its gates are open: "
            f"`taxiway models promote {self.model}@{self.version} {self.serves}` moves it; --trial scores without."
        )
