"""Questionnaires on pages: what each asks, and the form in which it is answered about a version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from taxiway.gates.questionnaires.contract import AnswerSheet, Questionnaire, Sheet
from taxiway.gates.questionnaires.law import Question, asked
from taxiway.gates.questionnaires.service import Questionnaires
from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.thing import parse
from taxiway.models.names import page_of
from taxiway.web.site import Html, Redirect, Site, View

AskedOf = Callable[[str, int], set[str]]


class Row(Struct, frozen=True):
    """A question with its answer as the form shows it. conditions: when it is asked, in words."""

    question: Question
    value: Any
    is_asked: bool
    conditions: str

    @property
    def choices(self) -> list[tuple[str, str]]:
        return [("", "–"), *((each, each) for each in self.question.options)]


class QuestionnairePages:
    def __init__(self, site: Site, questionnaires: Questionnaires, asked_of: AskedOf) -> None:
        self.site = site
        self.questionnaires = questionnaires
        self.asked_of = asked_of

    def all(self, view: View) -> Html:
        found = self.questionnaires.list(view.caller).items
        values = {"title": "Questionnaires", "answer": "What people are asked about models", "found": found}
        return Html("gates/questionnaires.html", "gates", values)

    def one(self, view: View) -> Html:
        name, version = view.path["questionnaire"], int(view.path.get("version", "0"))
        found = self.questionnaires.show(view.caller, questionnaire=name, version=version)
        values = {
            "title": found.title,
            "answer": f"{found.title} asks {len(found.questions)} questions",
            "found": found,
            "rows": [Row(each, "", is_asked=True, conditions=conditions(each)) for each in found.questions],
        }
        return Html("gates/questionnaire.html", "gates", values)

    def form(self, view: View) -> Html:
        """The form, filled with what was answered last, or with what was just sent and refused."""
        model, version, name = (view.path[each] for each in ("model", "version", "questionnaire"))
        found = self.questionnaires.show(view.caller, questionnaire=name, version=0)
        sheets = [
            s for s in self.questionnaires.sheets(view.caller, model=model, version=version).items if s.name == name
        ]
        given: dict[str, Any] = dict(sheets[0].answers) if sheets else {}
        sent = {q.id: posted(q, view.sent) for q in found.questions if f"shown.{q.id}" in view.sent}
        given |= {name: "" if value is None else value for name, value in sent.items()}
        values = {
            "title": f"{found.title}: {model} version {version}",
            "answer": answer_for(found, sheets, model, version),
            "found": found,
            "rows": rows_of(found, given),
            "sheets": sheets,
            "model": model,
            "version": version,
            "version_page": page_of(model, version),
            "send_to": f"/gates/models/{model}/versions/{version}/answers/{name}",
        }
        return Html("gates/answers.html", "models", values)

    def keep(self, view: View, fields: dict[str, str]) -> Redirect:
        """Keeps the answers of a posted form. A question that the form did not show stays as it was."""
        model, version, name = (view.path[each] for each in ("model", "version", "questionnaire"))
        found = self.questionnaires.show(view.caller, questionnaire=name, version=0)
        answers = {q.id: posted(q, fields) for q in found.questions if f"shown.{q.id}" in fields}
        body = AnswerSheet(answers=answers, note=fields.get("note", ""))
        sheet = self.questionnaires.answer(view.caller, body, model=model, version=version, questionnaire=name)
        again = f"/gates/models/{model}/versions/{version}/answers/{name}"
        return Redirect(again if sheet.reading.lacking else f"{page_of(model, version)}#attestations")

    def panel(self, view: View, thing: str) -> str | None:
        """On the page of a version: what its path asks people, and what was answered; None where that is nothing."""
        found = parse(thing)
        sheets = self.questionnaires.sheets(view.caller, model=found.name, version=str(found.version)).items
        newest = {sheet.name: sheet for sheet in reversed(sheets)}
        try:
            names = self.asked_of(found.name, found.version or 0) | newest.keys()
        except TaxiwayError:  # a path that is not there, or not made for the project's tier
            names = {*newest}
        every = [each for each in self.questionnaires.list(view.caller).items if each.name in names]
        if not every:
            return None
        return self.site.fragment(
            "gates/attestations.html",
            rows=[(each, newest.get(each.name)) for each in every],
            base=f"/gates/models/{found.name}/versions/{found.version}/answers",
            count=len(newest),
        )


def rows_of(found: Questionnaire, given: dict[str, Any]) -> list[Row]:
    shown = {question.id for question in asked(found.questions, given)}
    return [Row(each, given.get(each.id, ""), each.id in shown, conditions(each)) for each in found.questions]


def posted(question: Question, fields: dict[str, str]) -> Any:
    """What a form says to a question; None for nothing."""
    if question.type == "choices":
        return [each for number, each in enumerate(question.options) if f"{question.id}.{number}" in fields] or None
    if question.type == "yes_no":
        return {"yes": True, "no": False}.get(fields.get(question.id, ""))
    return fields.get(question.id, "") or None


def conditions(question: Question) -> str:
    """When a question is asked, in words; empty for always."""

    def said(wanted: object) -> str:
        if isinstance(wanted, list):
            return " or ".join(f"“{one}”" for one in wanted)
        return {True: "yes", False: "no"}[wanted] if isinstance(wanted, bool) else f"“{wanted}”"

    parts = [f"{name} is {said(wanted)}" for name, wanted in question.when.items()]
    parts += [f"{name} is not {said(wanted)}" for name, wanted in question.unless.items()]
    return f"asked where {' and '.join(parts)}" if parts else ""


def answer_for(found: Questionnaire, sheets: list[Sheet], model: str, version: str) -> str:
    what = f"{found.title} of {model} version {version}"
    if not sheets:
        return f"{what} is not answered yet"
    reading = sheets[0].reading
    if reading.lacking:
        count = "1 question is" if len(reading.lacking) == 1 else f"{len(reading.lacking)} questions are"
        return f"{what}: {count} open"
    if reading.stops:
        return f"{what}: by these answers it must not go on"
    return f"{what} is answered" + (f", and makes it {reading.tier} risk" if reading.tier else "")


def add(site: Site, questionnaires: Questionnaires, asked_of: AskedOf) -> None:
    """asked_of: the names of the questionnaires that a version's path asks for."""
    pages = QuestionnairePages(site, questionnaires, asked_of)
    site.page("/gates/questionnaires", pages.all, needs="gates.read", scope="platform")
    one = "/gates/questionnaires/{questionnaire}"
    site.page(one, pages.one, needs="gates.read", scope="platform")
    site.page(f"{one}/versions/{{version:int}}", pages.one, needs="gates.read", scope="platform")
    form = "/gates/models/{model}/versions/{version}/answers/{questionnaire}"
    site.page(form, pages.form, needs="gates.read")
    site.form(form, pages.keep, page=pages.form, needs="gates.evaluate")
    site.panel("models/version", pages.panel)
