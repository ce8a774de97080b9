"""What the outside sees of questionnaires and of the sheets of answers to them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from taxiway.gates.questionnaires.law import Answer, Question, Reading, Stop, TierRule
from taxiway.kernel.endpoint import Endpoint, Nothing, Page
from taxiway.kernel.errors import TaxiwayError
from taxiway.projects.contract import RiskTier
from taxiway.storage import contract as storage_contract

# Questionnaires come as YAML; its refusal must be known wherever this module is.
YamlBroken = storage_contract.YamlBroken


class AnswerRefused(TaxiwayError):
    """An answer that its question does not take."""

    status = 422
    questionnaire: str
    question: str
    value: str
    expected: str

    def __str__(self) -> str:
        return (
            f"{self.questionnaire}: {self.value} is no answer to `{self.question}`; expected {self.expected}. "
            f"Nothing was kept."
        )


class Questionnaire(Struct, frozen=True):
    """One published state of a questionnaire; it never changes. `digest` stands for what it asks and concludes."""

    name: str
    version: int
    digest: str
    title: str
    about: str
    questions: list[Question]
    tiers: list[TierRule]
    stops: list[Stop]
    text: str
    published_by: str
    published_at: datetime | None

    @property
    def ref(self) -> str:
        return f"{self.name}@{self.version}"


class Sheet(Struct, frozen=True):
    """The answers to a questionnaire about a version, as they were given once; the newest of a questionnaire counts.

    questionnaire: with its version, such as ``ethics@1``. roles: what who answered held in the project then. reading:
    what the answers come to. taken_from: the sheet of an earlier version that this began with.
    """

    id: str
    model: str
    version: int
    project: str
    questionnaire: str
    digest: str
    answers: dict[str, Answer]
    reading: Reading
    by: str
    roles: list[str]
    at: datetime
    note: str = ""
    taken_from: str = ""

    @property
    def name(self) -> str:
        return self.questionnaire.partition("@")[0]


class Attested(Struct, frozen=True):
    """The sheets that count for a version, by questionnaire, and the tier of risk that it is treated as."""

    sheets: list[Sheet]
    tier: RiskTier


class PublishQuestionnaire(Struct, frozen=True, forbid_unknown_fields=True):
    """text: the YAML. name: what a refusal calls the text, such as a file's name."""

    text: str
    name: str = "questionnaire.yaml"


class AnswerSheet(Struct, frozen=True, forbid_unknown_fields=True):
    """answers: by the question's id; a file's is its digest, whose bytes were stored before. What is left out stays as
    it was answered last; null takes an answer away. take: an earlier version whose newest sheet is begun with.
    """

    answers: dict[str, Any] = {}
    note: Annotated[str, Meta(max_length=2000)] = ""
    take: int | None = None


publish_questionnaire = Endpoint(
    "POST",
    "/api/gates/questionnaires",
    PublishQuestionnaire,
    Questionnaire,
    "gates.publish",
    "Publish a version of a questionnaire",
    "platform",
)
list_questionnaires = Endpoint(
    "GET",
    "/api/gates/questionnaires",
    Nothing,
    Page[Questionnaire],
    "gates.read",
    "The newest version of every questionnaire",
    "platform",
)
show_questionnaire = Endpoint(
    "GET",
    "/api/gates/questionnaires/{questionnaire}/versions/{version:int}",
    Nothing,
    Questionnaire,
    "gates.read",
    "A questionnaire's version; 0 is the newest",
    "platform",
)
answer_questionnaire = Endpoint(
    "POST",
    "/api/gates/models/{model}/versions/{version}/answers/{questionnaire}",
    AnswerSheet,
    Sheet,
    "gates.evaluate",
    "Answer a questionnaire about a version",
)
list_sheets = Endpoint(
    "GET",
    "/api/gates/models/{model}/versions/{version}/answers",
    Nothing,
    Page[Sheet],
    "gates.read",
    "All answers about a version, newest first",
)
