"""The pages of evidence: signed statements newest first, narrowed down by the address, and one with what it says."""

from __future__ import annotations

import msgspec

from taxiway.evidence.contract import KeyState, ListStatements, Statement, Trust
from taxiway.evidence.service import Statements
from taxiway.evidence.statement import kind_of
from taxiway.web.site import Html, Site, View
from taxiway.web.words import plural, with_query

ON_A_PAGE = 50
MARKS: dict[Trust, str] = {"good": "pass", "marked": "inconclusive", "bad": "fail"}
WORDS: dict[Trust, str] = {"good": "signed", "marked": "key revoked since", "bad": "not to be believed"}
STATES: dict[KeyState, str] = {"signs": "pass", "retired": "waived", "revoked": "fail"}
FILTERS = ("thing", "subject", "predicate_type")


class EvidencePages:
    def __init__(self, statements: Statements) -> None:
        self.statements = statements

    def all(self, view: View) -> Html:
        given = {name: view.one(name).strip() for name in FILTERS}
        found = self.statements.find(view.caller, ListStatements(**given, before=view.one("before"), limit=ON_A_PAGE))
        is_narrowed = any(given.values())
        values = {
            "title": "Evidence",
            "answer": answer_for(found.items, is_narrowed=is_narrowed),
            "rows": [(each, kind_of(each.predicate_type), *look(each)) for each in found.items],
            "given": given,
            "is_narrowed": is_narrowed,
            "url": view.url,
            "newer": with_query(view.url, before=None) if view.one("before") else "",
            "older": with_query(view.url, before=found.next) if found.next else "",
            "keys": [(key, STATES[key.state]) for key in self.statements.public_keys()],
        }
        return Html("web/evidence.html", "models", values)

    def show(self, view: View) -> Html:
        shown = self.statements.show(view.caller, statement=view.path["statement"])
        statement = shown.statement
        mark, word = look(statement)
        values = {
            "title": f"A statement: {kind_of(statement.predicate_type)}",
            "kind": kind_of(statement.predicate_type),
            "statement": statement,
            "mark": mark,
            "word": word,
            "key": next((key for key in self.statements.public_keys() if key.id == statement.key), None),
            "says": msgspec.json.format(msgspec.json.encode(shown.predicate, order="sorted"), indent=2).decode(),
            "envelope": msgspec.json.encode(shown.envelope).decode(),
        }
        return Html("web/statement.html", "models", values)


def look(statement: Statement) -> tuple[str, str]:
    """The mark and the word for how far a statement is to be believed."""
    return MARKS[statement.trust], WORDS[statement.trust]


def answer_for(found: list[Statement], *, is_narrowed: bool) -> str:
    if not found:
        return "Nothing signed fits" if is_narrowed else "Nothing has been signed yet"
    bad = sum(each.trust == "bad" for each in found)
    said = f"The newest {plural(len(found), 'signed statement')}" if len(found) > 1 else "One signed statement"
    return f"{said}, {bad} of them not to be believed" if bad else said


def add(site: Site, statements: Statements) -> None:
    pages = EvidencePages(statements)
    site.page("/evidence", pages.all, needs="evidence.read", scope="platform")
    site.page("/evidence/{statement}", pages.show, needs="evidence.read")
