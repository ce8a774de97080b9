"""A version that has no number yet: its files wait in the spool of the run that made it."""

from __future__ import annotations

import msgspec

from taxiway.kernel.errors import TaxiwayError
from taxiway.models.contract import ModelVersion
from taxiway.models.refusals import StillPending
from taxiway.runs.sending.parcel import Parcel


class PendingVersion:
    """What `run.log_model` gives where no server answers: the version that there will be.

    Its files and its registration lie in the run's spool, and are delivered once: by this process when the server is
    back, or by `taxiway runs sync`. problem: why nobody delivers them, where they found no room at all.
    """

    is_pending = True

    def __init__(self, model: str, run: str, parcel: Parcel | None, problem: str = "") -> None:
        self.model = model
        self.run = run
        self.problem = problem
        self._parcel = parcel
        self._refusal: TaxiwayError | None = None

    @property
    def version(self) -> int | None:
        """The number, once the server has given one. Raises what it refused."""
        found = self._answer(0.0)
        return found.version if found else None

    def wait(self, wait_s: float = 30.0) -> ModelVersion:
        """The version, once it is registered. Raises StillPending after that time, and what the server refused.

        >>> run.log_model(model, "churn", example=rows).wait()  # doctest: +SKIP
        """
        found = self._answer(wait_s)
        if found is None:
            raise StillPending(model=self.model, run=self.run, problem=self._told())
        return found

    def _answer(self, wait_s: float) -> ModelVersion | None:
        if self._refusal is not None:
            raise self._refusal
        if self._parcel is None:
            return None
        try:
            answer = self._parcel.answer(wait_s, is_patient=True)
        except TaxiwayError as e:
            self._refusal = e
            raise
        return msgspec.json.decode(answer, type=ModelVersion) if answer else None

    def _told(self) -> str:
        if self._parcel is None:
            return f"It is not kept anywhere: {self.problem}."
        return f"{self._parcel.cause} Its files wait in {self._parcel.place}, for this process or `taxiway runs sync`."

    def __str__(self) -> str:
        if self._parcel is not None and self._parcel.is_delivered:
            return f"{self.model}: delivered; `wait()` gives the version"
        return f"{self.model}: not registered yet. {self._told()}"

    __repr__ = __str__
