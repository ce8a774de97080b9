"""The CLI of questionnaires, which stands among that of gates."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.gates.questionnaires.contract import Questionnaire, Sheet
from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.show import as_table
from taxiway.kernel.thing import numbered

if TYPE_CHECKING:
    from taxiway.client import Client

MODEL = Argument("model", "MODEL@VERSION, MODEL@ALIAS, or MODEL for the newest version")
QUESTIONNAIRE = Argument("questionnaire", "such as ethics")


def pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise ArgumentTypeError(f"{text!r} is not QUESTION=ANSWER")
    return name, value


def list_(client: Client, given: Namespace) -> list[Questionnaire]:
    return client.gates.questionnaires.list()


def show(client: Client, given: Namespace) -> Questionnaire:
    return client.gates.questionnaires.show(*numbered(given.questionnaire, "questionnaire", "ethics@1"))


def publish(client: Client, given: Namespace) -> Questionnaire:
    return client.gates.questionnaires.publish(Path(given.file))


def answer(client: Client, given: Namespace) -> Sheet:
    questions = {q.id: q for q in client.gates.questionnaires.show(given.questionnaire).questions}
    answers: dict[str, Any] = {}
    for name, value in given.set or ():
        is_several = name in questions and questions[name].type == "choices"
        answers[name] = [one.strip() for one in value.split(";")] if is_several else value or None
    files = dict(given.attach or ())
    return client.gates.questionnaires.answer(
        given.model, given.questionnaire, answers, files=files, note=given.note, take=given.take
    )


def answers(client: Client, given: Namespace) -> list[Sheet]:
    return client.gates.questionnaires.sheets(given.model)


def tell_questionnaire(found: Questionnaire) -> str:
    """Its questions, and when each is asked."""
    rows = [
        {
            "question": each.id,
            "asks": each.ask,
            "takes": "; ".join(each.options) or each.type.replace("yes_no", "yes or no"),
            "asked": " and ".join(f"{name} is {said(wanted)}" for name, wanted in each.when.items()),
        }
        for each in found.questions
    ]
    return f"{found.ref}: {found.title}. {found.about}\n\n{as_table(rows)}"


def said(wanted: object) -> str:
    if isinstance(wanted, list):
        return " or ".join(map(str, wanted))
    return {True: "yes", False: "no"}[wanted] if isinstance(wanted, bool) else str(wanted)


def tell_sheet(sheet: Sheet) -> str:
    rows = [{"question": name, "answer": said(value)} for name, value in sheet.answers.items()]
    reading = sheet.reading
    ends = [
        f"No answer yet: {', '.join(reading.lacking)}." if reading.lacking else "Every question has its answer.",
        f"They make it {reading.tier} risk: {reading.because}." if reading.tier else "",
        f"It must not go on: {'; '.join(reading.stops)}." if reading.stops else "",
    ]
    return (
        f"{sheet.questionnaire} about {sheet.model}@{sheet.version}, by {sheet.by}\n\n{as_table(rows)}\n\n"
        + " ".join(filter(None, ends))
    )


COMMANDS = (
    Command(
        "questionnaires",
        "what people are asked about models",
        list_,
        columns=("name", "version", "title", "published_by"),
    ),
    Command(
        "questionnaire",
        "a questionnaire and its questions",
        show,
        (Argument("questionnaire", "NAME, or NAME@VERSION"),),
        show=tell_questionnaire,
    ),
    Command(
        "publish-questionnaire",
        "publish a questionnaire from YAML as the next version of its name",
        publish,
        (Argument("file", "the YAML file", is_file=True),),
        show=lambda found: f"{found.ref} is published, with {len(found.questions)} questions.",
    ),
    Command(
        "answer",
        "answer a questionnaire about a version",
        answer,
        (
            MODEL,
            QUESTIONNAIRE,
            Argument(
                "--set",
                "QUESTION=ANSWER; several of a list with ';' between, nothing to take it back",
                pair,
                is_many=True,
            ),
            Argument("--attach", "QUESTION=FILE, for questions that take a file", pair, is_many=True),
            Argument("--note", "why it was changed", default=""),
            Argument("--take", "an earlier version whose answers are begun with", int),
        ),
        show=tell_sheet,
    ),
    Command(
        "answers",
        "all answers about a version, newest first",
        answers,
        (MODEL,),
        columns=("questionnaire", "by", "at", "reading.lacking", "reading.tier", "note"),
    ),
)
