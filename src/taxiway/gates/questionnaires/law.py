"""The law of questionnaires: what is asked after which answers, what an answer must be, what follows. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from taxiway.projects.contract import RiskTier

Kind = Literal["text", "number", "yes_no", "choice", "choices", "date", "file"]
Answer = bool | float | str | list[str]
Conditions = dict[str, bool | str | list[str]]
Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,63}$")]
Sentence = Annotated[str, Meta(min_length=1, max_length=2000)]

LONGEST = 10_000
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """One question.

    guidance: what helps to answer it. when (`if` in a file): the answers to earlier questions after which it is asked;
    unless: those after which it is not. at_least, at_most: of a number; of a text, its characters.
    """

    id: Name
    ask: Sentence
    type: Kind = "text"
    guidance: str = ""
    options: list[str] = []
    required: bool = True
    at_least: float | None = None
    at_most: float | None = None
    when: Conditions = msgspec.field(name="if", default_factory=dict)
    unless: Conditions = {}


class TierRule(Struct, frozen=True, forbid_unknown_fields=True):
    """The tier of risk that some answers make it; of several that hold, the highest counts."""

    tier: RiskTier
    because: Sentence
    when: Conditions = msgspec.field(name="if")


class Stop(Struct, frozen=True, forbid_unknown_fields=True):
    """Answers with which nothing goes on."""

    because: Sentence
    when: Conditions = msgspec.field(name="if")


class Reading(Struct, frozen=True):
    """What a sheet of answers comes to.

    lacking: questions that are asked and required and have no answer, by id. tier: None where no rule holds. because:
    why that tier. stops: why nothing goes on.
    """

    lacking: list[str]
    tier: RiskTier | None
    because: str
    stops: list[str]

    @property
    def is_complete(self) -> bool:
        return not self.lacking


class WrongAnswer(ValueError):
    """An answer that its question does not take."""

    def __init__(self, question: str, value: object, expected: str) -> None:
        super().__init__(f"{question}: {value!r} is not accepted; expected {expected}")
        self.question, self.value, self.expected = question, value, expected


def holds(conditions: Conditions, answers: Mapping[str, Answer]) -> bool:
    """Whether every condition is met; of a list of answers one is enough, and of several given ones, too."""
    return all(question in answers and meets(answers[question], wanted) for question, wanted in conditions.items())


def meets(answer: Answer, wanted: bool | str | list[str]) -> bool:
    accepted: list[Any] = wanted if isinstance(wanted, list) else [wanted]
    given: list[Any] = answer if isinstance(answer, list) else [answer]
    return any(type(one) is type(other) and one == other for one in given for other in accepted)


def asked(questions: Sequence[Question], answers: Mapping[str, Answer]) -> list[Question]:
    """The questions that are asked after these answers. One that is not asked takes its answer along."""
    found: list[Question] = []
    given: dict[str, Answer] = {}
    for question in questions:
        is_asked = holds(question.when, given) and not (question.unless and holds(question.unless, given))
        if is_asked:
            found.append(question)
            if question.id in answers:
                given[question.id] = answers[question.id]
    return found


def read(questions: Sequence[Question], given: Mapping[str, object]) -> dict[str, Answer]:
    """The answers as their questions take them: blanks are no answer, what is not asked is left out.

    Raises WrongAnswer, also for an answer to no question.
    """
    known = {question.id: question for question in questions}
    if odd := [name for name in given if name not in known]:
        raise WrongAnswer(odd[0], given[odd[0]], f"one of the questions {', '.join(known)}")
    answers = {
        question.id: value
        for question in questions
        if question.id in given and (value := typed(question, given[question.id])) is not None
    }
    return {question.id: answers[question.id] for question in asked(questions, answers) if question.id in answers}


def typed(question: Question, value: object) -> Answer | None:
    """An answer as its question takes it; None for a blank one. Raises WrongAnswer."""
    if isinstance(value, str):
        value = value.strip()
    if value is None or value in ("", []):
        return None
    match question.type:
        case "number":
            return number(question, value)
        case "yes_no":
            meaning = {"yes": True, "no": False, "true": True, "false": False, True: True, False: False}
            found = meaning.get(value.lower() if isinstance(value, str) else value) if is_plain(value) else None
            if found is None:
                raise WrongAnswer(question.id, value, "yes or no")
            return found
        case "choices":
            several = value if isinstance(value, list) else [value]
            return [choice(question, one) for one in dict.fromkeys(several)]
        case "choice":
            return choice(question, value)
    return words(question, value)


def is_plain(value: object) -> bool:
    return isinstance(value, (str, bool))


def choice(question: Question, value: object) -> str:
    if not isinstance(value, str) or value not in question.options:
        raise WrongAnswer(question.id, value, f"one of {'; '.join(question.options)}")
    return value


def number(question: Question, value: object) -> float:
    try:
        found = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        found = None
    low, high = question.at_least, question.at_most
    if found is None or not abs(found) < float("inf") or not in_range(found, low, high):
        raise WrongAnswer(question.id, value, f"a number{range_words(low, high)}")
    return found


def words(question: Question, value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST:
        raise WrongAnswer(question.id, str(value)[:60], f"a text of at most {LONGEST:,} characters")
    if question.type == "date" and not is_day(value):
        raise WrongAnswer(question.id, value, "a day such as 2027-01-31")
    if question.type == "file" and not DIGEST.fullmatch(value):
        raise WrongAnswer(question.id, value, "the digest of a stored file, sha256:…")
    low, high = question.at_least, question.at_most
    if question.type == "text" and not in_range(len(value), low, high):
        raise WrongAnswer(question.id, value, f"a text of{range_words(low, high)} characters")
    return value


def is_day(text: str) -> bool:
    try:
        return bool(DAY.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def in_range(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def range_words(low: float | None, high: float | None) -> str:
    parts = [f"at least {low:g}" if low is not None else "", f"at most {high:g}" if high is not None else ""]
    said = " and ".join(part for part in parts if part)
    return f" {said}" if said else ""


def judge(
    questions: Sequence[Question], tiers: Sequence[TierRule], stops: Sequence[Stop], answers: Mapping[str, Answer]
) -> Reading:
    """What answers come to that `read` gave."""
    order: list[RiskTier] = ["low", "medium", "high"]
    lacking = [each.id for each in asked(questions, answers) if each.required and each.id not in answers]
    found = [rule for rule in tiers if holds(rule.when, answers)]
    highest = max(found, key=lambda rule: order.index(rule.tier), default=None)
    reasons = [rule.because for rule in found if highest is not None and rule.tier == highest.tier]
    return Reading(
        lacking=lacking,
        tier=highest.tier if highest else None,
        because="; ".join(reasons),
        stops=[stop.because for stop in stops if holds(stop.when, answers)],
    )
