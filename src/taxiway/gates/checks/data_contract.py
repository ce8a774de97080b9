"""Whether the data that trained a version kept its contract."""

from __future__ import annotations

from msgspec import Struct

from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Outcome


class DataContractAsks(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: each training dataset needs a contract, and its rows must keep it."""


class DataContract:
    """Passes when every dataset that the version was trained on has a contract and keeps it."""

    name = "data_contract"
    parameters = DataContractAsks
    inputs: tuple[Input, ...] = ("datasets",)
    is_live = False

    def title(self, parameters: DataContractAsks) -> str:
        return "the training data keeps its contract"

    def ask(self, parameters: DataContractAsks, case: Case) -> Outcome:
        datasets = case.datasets()
        if not datasets:
            return Outcome(
                "missing",
                "The version names no dataset that it was trained on.",
                "Say so with run.use(dataset) before run.log_model, as a new version.",
            )
        if broken := [each for each in datasets if each.result is not None and not each.result.passed]:
            said = " ".join(f"{each.ref}: {each.result.sentence}" for each in broken if each.result)
            return Outcome("fail", said, "Mend the data, register it, and train on that version.")
        if bare := [each.ref for each in datasets if each.result is None]:
            return Outcome(
                "missing",
                f"No contract says what these rows must fulfil: {', '.join(bare)}.",
                "Register the data with a contract, and train on that version.",
            )
        said = " ".join(f"{each.ref}: {each.result.sentence}" for each in datasets if each.result)
        return Outcome("pass", said)
