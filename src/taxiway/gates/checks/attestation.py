"""Whether people answered a questionnaire about a version, and what their answers come to."""

from __future__ import annotations

from msgspec import Struct

from taxiway.access.roles import Role
from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Outcome
from taxiway.gates.questionnaires.contract import Sheet
from taxiway.kernel.ids import is_name
from taxiway.projects.service import TIERS

MOST_SAID = 5


class AttestationAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """questionnaire: a name such as `ethics`, or with the version that it must have at least, `ethics@2`.

    by: roles of which who answered last must hold one; empty for anybody who may.
    """

    questionnaire: str
    by: list[Role] = []

    def __post_init__(self) -> None:
        name, at, version = self.questionnaire.partition("@")
        if not is_name(name) or (at and not (version.isascii() and version.isdigit() and int(version))):
            raise ValueError("questionnaire: expected a name, or NAME@VERSION such as ethics@2")

    @property
    def name(self) -> str:
        return self.questionnaire.partition("@")[0]

    @property
    def version(self) -> int:
        return int(self.questionnaire.partition("@")[2] or 1)


class Attestation:
    """Passes when every question that is asked has an answer, and the answers stop nothing.

    Answers that make a version a higher tier of risk than its project has fail: a tier is raised by its owner, and the
    path of that tier asks more.
    """

    name = "attestation"
    parameters = AttestationAsk
    inputs: tuple[Input, ...] = ("bundle", "attestations")
    is_live = False

    def title(self, parameters: AttestationAsk) -> str:
        who = f" by {' or '.join(parameters.by)}" if parameters.by else ""
        return f"{parameters.questionnaire} is answered{who}"

    def ask(self, parameters: AttestationAsk, case: Case) -> Outcome:
        attested = case.attested()
        version = f"{case.version.model}@{case.version.version}"
        step = f"Answer with `taxiway gates answer {version} {parameters.name} --set QUESTION=ANSWER`, or on its page."
        sheet = next((each for each in attested.sheets if each.name == parameters.name), None)
        if sheet is None:
            return Outcome("missing", f"Nobody has answered {parameters.name} about this version.", step)
        if int(sheet.questionnaire.partition("@")[2]) < parameters.version:
            reason = f"{sheet.questionnaire} was answered; {parameters.questionnaire} is asked."
            return Outcome("missing", reason, step)
        if sheet.reading.lacking:
            return Outcome("missing", lacking(sheet), step)
        return refused(parameters, case, sheet) or passed(sheet)


def refused(parameters: AttestationAsk, case: Case, sheet: Sheet) -> Outcome | None:
    """Why complete answers are not enough; None where they are."""
    roles, tier, of_project = " or ".join(parameters.by), sheet.reading.tier, case.attested().tier
    if parameters.by and not set(parameters.by) & set(sheet.roles):
        reason = f"{sheet.by} answered last, who was no {roles} of the project."
        return Outcome("fail", reason, f"Let {roles} read the answers and keep them again.")
    if sheet.reading.stops:
        reason = f"By its answers it must not go on: {'; '.join(sheet.reading.stops)}."
        return Outcome("fail", reason, "Change what was answered about, not the answer.")
    if tier is not None and TIERS.index(tier) > TIERS.index(of_project):
        reason = f"Its answers make it {tier} risk ({sheet.reading.because}); the project is {of_project}."
        command = f"`taxiway projects change {case.version.project} --risk {tier}`"
        return Outcome("fail", reason, f"Raise the tier with {command}; the path of that tier asks more.")
    return None


def passed(sheet: Sheet) -> Outcome:
    tier = f" They make it {sheet.reading.tier} risk: {sheet.reading.because}." if sheet.reading.tier else ""
    return Outcome("pass", f"{sheet.by} answered all that {sheet.questionnaire} asks on {sheet.at:%Y-%m-%d}.{tier}")


def lacking(sheet: Sheet) -> str:
    names = sheet.reading.lacking
    more = f" and {len(names) - MOST_SAID} more" if len(names) > MOST_SAID else ""
    count = "1 question has" if len(names) == 1 else f"{len(names)} questions have"
    return f"{count} no answer in {sheet.questionnaire}: {', '.join(names[:MOST_SAID])}{more}."
