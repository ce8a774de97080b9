"""Reading a questionnaire's YAML: strictly, with the line and key of whatever is wrong."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from taxiway.gates.paths.policy import Broken
from taxiway.gates.questionnaires.contract import Questionnaire
from taxiway.gates.questionnaires.law import Conditions, Question, Stop, TierRule
from taxiway.kernel.canonical import canonical_json
from taxiway.kernel.ids import is_name
from taxiway.models.bundles.bundle import digest_of
from taxiway.storage.yaml_text import read_yaml

PACKAGED = ("intended-use", "impact-on-people", "ethics", "data-protection", "technical-documentation")
MOST_QUESTIONS = 200
CHOOSING = ("choice", "choices")


class Asked(Struct, forbid_unknown_fields=True):
    """A questionnaire's whole text."""

    questionnaire: str
    title: str
    questions: list[Question]
    about: str = ""
    tiers: list[TierRule] = []
    stops: list[Stop] = []


def read_questionnaire(text: str, *, name: str) -> Questionnaire:
    """The questionnaire that a YAML text describes, not yet published. Raises YamlBroken."""
    given = read_yaml(text, Asked, name=name)
    broken = Broken(text, name)
    if not is_name(given.questionnaire):
        expected = "a name of a-z, 0-9, '.', '_' and '-'"
        raise broken.at(["questionnaire"], f"{given.questionnaire!r} is not accepted", expected)
    if not 0 < len(given.questions) <= MOST_QUESTIONS:
        raise broken.at(["questions"], f"there are {len(given.questions)} questions", f"1 to {MOST_QUESTIONS}")
    earlier: dict[str, Question] = {}
    for index, question in enumerate(given.questions):
        check_question(question, earlier, broken, ["questions", str(index)])
        earlier[question.id] = question
    for index, rule in enumerate(given.tiers):
        check_conditions(rule.when, earlier, broken, ["tiers", str(index), "if"])
    for index, stop in enumerate(given.stops):
        check_conditions(stop.when, earlier, broken, ["stops", str(index), "if"])
    asks = {
        "questionnaire": given.questionnaire,
        "questions": given.questions,
        "tiers": given.tiers,
        "stops": given.stops,
    }
    return Questionnaire(
        name=given.questionnaire,
        version=0,
        digest=digest_of(canonical_json(asks)),
        title=given.title,
        about=given.about,
        questions=given.questions,
        tiers=given.tiers,
        stops=given.stops,
        text=text,
        published_by="",
        published_at=None,
    )


def check_question(question: Question, earlier: dict[str, Question], broken: Broken, at: list[str]) -> None:
    """Raises YamlBroken."""
    if question.id in earlier:
        raise broken.at([*at, "id"], f"{question.id!r} stands twice", "an id of its own for each question")
    if (question.type in CHOOSING) != bool(question.options):
        problem = f"a question of type {question.type} {'needs' if question.type in CHOOSING else 'takes no'} options"
        raise broken.at(at, problem, "options with a choice, and only there")
    if len(set(question.options)) < len(question.options):
        raise broken.at([*at, "options"], "an option stands twice", "each once")
    for key, conditions in (("if", question.when), ("unless", question.unless)):
        check_conditions(conditions, earlier, broken, [*at, key])


def check_conditions(conditions: Conditions, earlier: dict[str, Question], broken: Broken, at: list[str]) -> None:
    """That each condition is on an earlier question, and on an answer that it takes. Raises YamlBroken."""
    for name, wanted in conditions.items():
        question = earlier.get(name)
        if question is None:
            expected = f"one of {', '.join(earlier)}" if earlier else "a question before this one"
            raise broken.at([*at, name], f"{name!r} is no earlier question", expected)
        for one in wanted if isinstance(wanted, list) else [wanted]:
            if question.type == "yes_no" and not isinstance(one, bool):
                raise broken.at([*at, name], f"{one!r} is no answer to it", "true or false")
            if question.type in CHOOSING and one not in question.options:
                raise broken.at([*at, name], f"{one!r} is no option of it", "; ".join(question.options))
            if question.type not in (*CHOOSING, "yes_no"):
                expected = "a condition on a choice, or on yes and no"
                raise broken.at([*at, name], f"it is a question of type {question.type}", expected)


@cache
def packaged(name: str) -> Questionnaire | None:
    """A questionnaire that ships with the platform, as its version 1; None where none has the name."""
    if name not in PACKAGED:
        return None
    folder = files("taxiway.gates.questionnaires") / "packaged"
    found = read_questionnaire((folder / f"{name}.yaml").read_text(encoding="utf-8"), name=f"{name}.yaml")
    return msgspec.structs.replace(found, version=1, published_by="taxiway")
