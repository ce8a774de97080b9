"""What people wrote of a version: the fields of its card, and answers to questionnaires."""

from __future__ import annotations

from taxiway.dossiers.documents.contract import Grid, Said
from taxiway.dossiers.documents.facts import Facts
from taxiway.gates.questionnaires.law import Answer


def of_card(facts: Facts, name: str) -> Said | None:
    """A field of the card, whoever filled it."""
    field = next((each for each in facts.card.fields if each.name == name), None)
    if field is None or field.source == "missing":
        return None
    by = f"{field.by}, {field.at:%Y-%m-%d}" if field.by and field.at else ""
    text = [field.value, *([f"entered by {by}"] if by else [])]
    return Said(text, refs=field.links, is_entered=field.source == "entered")


def of_answers(facts: Facts, name: str) -> Said | None:
    """All answers to a questionnaire; nothing where one is lacking that it asks for."""
    sheet = next((each for each in facts.sheets if each.name == name), None)
    if sheet is None or sheet.reading.lacking:
        return None
    asked = next((each for each in facts.questionnaires if each.ref == sheet.questionnaire), None)
    words = {question.id: question.ask for question in asked.questions} if asked else {}
    rows = [[words.get(question, question), worded(answer)] for question, answer in sheet.answers.items()]
    text = [f"{sheet.questionnaire}, answered by {sheet.by}, {sheet.at:%Y-%m-%d}"]
    return Said(text, Grid(["asked", "answered"], rows), refs=[facts.version.ref], is_entered=True)


def of_answer(facts: Facts, name: str) -> Said | None:
    """One answer, as ``questionnaire/question``."""
    questionnaire, _, question = name.partition("/")
    sheet = next((each for each in facts.sheets if each.name == questionnaire), None)
    answer = sheet.answers.get(question) if sheet else None
    if sheet is None or answer is None:
        return None
    text = [worded(answer), f"{sheet.questionnaire}, by {sheet.by}, {sheet.at:%Y-%m-%d}"]
    return Said(text, refs=[facts.version.ref], is_entered=True)


def worded(answer: Answer) -> str:
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return ", ".join(answer) if isinstance(answer, list) else str(answer)


TAKING = {"card": of_card, "answers": of_answers, "answer": of_answer}
