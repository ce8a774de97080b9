"""Which questions are asked, what an answer must be, and what answers come to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.gates.questionnaires.law import Question, WrongAnswer, asked, judge, read
from taxiway.gates.questionnaires.reading import PACKAGED, packaged, read_questionnaire
from taxiway.storage.contract import YamlBroken

IMPACT = packaged("impact-on-people")
assert IMPACT is not None


def judged(answers: dict[str, Any]) -> Any:
    assert IMPACT is not None
    return judge(IMPACT.questions, IMPACT.tiers, IMPACT.stops, read(IMPACT.questions, answers))


@pytest.mark.parametrize("name", PACKAGED)
def test_what_ships_asks_something_whatever_is_answered(name: str) -> None:
    found = packaged(name)

    assert found is not None
    assert found.ref == f"{name}@1"
    assert asked(found.questions, {})


def test_a_question_comes_with_the_answer_that_makes_it_matter_and_goes_with_it() -> None:
    assert IMPACT is not None
    with_people = {"about_people": True, "how_many": 12, "worst_error": "annoyance or a delay"}

    assert [q.id for q in asked(IMPACT.questions, {"about_people": False})] == ["about_people"]
    assert "how_many" in {q.id for q in asked(IMPACT.questions, {"about_people": True})}
    assert read(IMPACT.questions, {**with_people, "about_people": "no"}) == {"about_people": False}


def test_answers_classify_the_tier_of_risk_and_the_highest_counts() -> None:
    people = {"about_people": "yes", "area": "none of these", "vulnerable": "no", "worst_error": "annoyance or a delay"}

    assert judged({"about_people": "no"}).tier is None
    assert judged(people).tier == "medium"
    assert judged({**people, "worst_error": "health or life"}).tier == "high"
    both = judged({**people, "area": "employment", "vulnerable": True})
    assert (both.tier, both.because.count(";")) == ("high", 1)


def test_some_answers_stop() -> None:
    found = judged({"about_people": True, "manipulates": True})

    assert found.stops == ["what it does to people is forbidden"]
    assert "area" in found.lacking
    assert "assessment" not in found.lacking  # it may stay open


@pytest.mark.parametrize(
    ("question", "value"),
    [
        (Question("q", "?", type="number", at_least=0), "-1"),
        (Question("q", "?", type="number"), "many"),
        (Question("q", "?", type="number"), True),
        (Question("q", "?", type="number"), "1e999"),
        (Question("q", "?", type="yes_no"), "maybe"),
        (Question("q", "?", type="choice", options=["a", "b"]), "c"),
        (Question("q", "?", type="choices", options=["a", "b"]), ["a", "c"]),
        (Question("q", "?", type="date"), "2027-02-30"),
        (Question("q", "?", type="file"), "report.pdf"),
        (Question("q", "?", at_least=20), "short"),
        (Question("q", "?"), {"a": 1}),
    ],
)
def test_an_answer_of_another_kind_is_refused(question: Question, value: object) -> None:
    with pytest.raises(WrongAnswer):
        read([question], {"q": value})


def test_an_answer_to_no_question_is_refused() -> None:
    with pytest.raises(WrongAnswer, match="one of the questions q"):
        read([Question("q", "?")], {"typo": "x"})


CHAIN = [
    Question("a", "?", type="yes_no"),
    Question("b", "?", type="choice", options=["x", "y"], when={"a": True}),
    Question("c", "?", type="choices", options=["x", "y"], when={"b": ["x", "y"]}, unless={"b": "y"}),
    Question("d", "?", type="number", when={"c": "x"}),
]
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "a": st.booleans(),
        "b": st.sampled_from(["x", "y", ""]),
        "c": st.lists(st.sampled_from(["x", "y"])),
        "d": st.integers(-5, 5) | st.just("3.5"),
    },
)


@given(ANSWERS)
def test_what_was_read_reads_the_same_again_and_holds_only_what_is_asked(answers: dict[str, Any]) -> None:
    once = read(CHAIN, answers)

    assert read(CHAIN, once) == once
    assert set(once) <= {question.id for question in asked(CHAIN, once)}


BEGUN = "questionnaire: q\ntitle: t\nquestions:\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("questionnaire: Bad Name\ntitle: t\nquestions: [{id: a, ask: b}]", 1, "a name of a-z"),
        ("questionnaire: q\ntitle: t\nquestions: []", 3, "1 to 200"),
        (f"{BEGUN}  - {{id: a, ask: b}}\n  - {{id: a, ask: c}}", 5, "stands twice"),
        (f"{BEGUN}  - {{id: a, ask: b, type: choice}}", 4, "needs options"),
        (f"{BEGUN}  - {{id: a, ask: b, if: {{z: true}}}}", 4, "no earlier question"),
        (f"{BEGUN}  - {{id: a, ask: b, type: yes_no}}\nstops:\n  - {{because: x, if: {{a: no}}}}", 6, "true or false"),
        (f"{BEGUN}  - {{id: a, ask: b, kind: text}}", 4, "type"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_text_is_named_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(YamlBroken, match=said) as refusal:
        read_questionnaire(text, name="ours.yaml")

    assert refusal.value.line == line
