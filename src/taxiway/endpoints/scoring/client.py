"""The SDK of batch scoring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from msgspec.structs import replace

from taxiway.datasets.client import Datasets
from taxiway.endpoints.scoring import contract
from taxiway.endpoints.scoring.contract import AskScoring, ScoringLeave, TellScoring
from taxiway.endpoints.scoring.result import HowFar, Scored
from taxiway.gates.contract import GateStage
from taxiway.kernel.transport import Transport
from taxiway.models import contract as models_contract
from taxiway.models.client import Models, cache_folder, split

if TYPE_CHECKING:
    from taxiway.endpoints.scoring.running import Wish


def score(transport: Transport, name: str, ask: AskScoring, wishes: dict[str, Any], *, register: str = "") -> Scored:
    """Asks leave, fetches the bundle where it is not here yet, scores, and tells what was scored."""
    running: Any = import_module("taxiway.endpoints.scoring.running")  # Arrow comes with it
    wish: Wish = running.Wish(**wishes)
    where = split(name)
    leave = transport.call(contract.ask_scoring, ask, **where)
    where = {"model": leave.model, "version": str(leave.version)}
    found = transport.call(models_contract.find_version, **where)
    folder = cache_folder() / leave.bundle.removeprefix("sha256:")
    if not folder.exists():
        Models(transport).download(f"{leave.model}@{leave.version}", folder)
    done: Scored = running.score_file(wish, leave, folder, found.signature)
    if register:
        note = f"scored by {leave.model} v{leave.version}" + (", as a trial" if leave.is_trial else "")
        registered = Datasets(transport).register(register, wish.target, project=found.project, note=note)
        done = replace(done, registered=registered.ref)
    return tell(transport, leave, done)


def tell(transport: Transport, leave: ScoringLeave, done: Scored) -> Scored:
    """Has the server keep what was scored."""
    body = TellScoring(
        id=done.id,
        input=done.input_digest,
        output=done.digest,
        rows=done.rows,
        failed=done.failed,
        serves=leave.serves,
        is_trial=leave.is_trial,
        registered=done.registered,
    )
    where = {"model": leave.model, "version": str(leave.version)}
    told = transport.call(contract.tell_scoring, body, **where)
    return replace(done, inputs=told.inputs)


Tell = Callable[[HowFar], None]


class Scorings:
    """What `Endpoints` takes from here."""

    transport: Transport

    def score(
        self,
        name: str,
        source: str | Path,
        target: str | Path,
        *,
        keep: Sequence[str] | None = None,
        on_error: Literal["stop", "keep"] = "stop",
        jobs: int = 1,
        serves: GateStage = "production",
        trial: bool = False,
        register: str = "",
        may_run_code: bool = False,
        anew: bool = False,
        exact: bool = False,
        progress: Tell | None = None,
    ) -> Scored:
        """Answers each row of a Parquet or CSV file into another, by the load, check and predictor of an endpoint.

        name: ``mortgage@champion``, ``mortgage@2``. keep: the input's columns that stand beside the answers; all of
        them by default, none for an empty list. on_error: whether a row without an answer stops the scoring, or is
        kept with what is wrong in the column `error`. exact: asks for each row alone, slowly: a sum over many rows at
        once may differ from that of one in the last bits. trial: scores by a version whose gates are not open for
        `serves`; the output says so. register: the dataset to register the output as.

        Any size of file is scored in bounded memory. Ended at any point, the same call goes on where it was; anew
        begins again. Raises GateClosed, NotInStage, BundleTampered, InputChanged, InputUnfit, ScoringHeld,
        ScoringStopped, ScorerDied.

        >>> client.endpoints.score("mortgage@champion", "in.parquet", "out.parquet").rows  # doctest: +SKIP
        10000000
        """
        wishes = {
            "source": Path(source),
            "target": Path(target),
            "keep": keep,
            "on_error": on_error,
            "jobs": jobs,
            "may_run_code": may_run_code,
            "is_anew": anew,
            "is_exact": exact,
            "tell": progress,
        }
        ask = AskScoring(serves=serves, is_trial=trial)
        return score(self.transport, name, ask, wishes, register=register)
