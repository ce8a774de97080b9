"""Documents made from records: what fills which field, as HTML and PDF, and the same bytes again."""

import hashlib
import io
import re
from pathlib import Path

import msgspec
import pypdf
import pytest
from msgspec.structs import replace

from taxiway.cli import main
from taxiway.dossiers.documents.building import build
from taxiway.dossiers.documents.contract import Document, Field, Format, Grid, NoPdf
from taxiway.dossiers.documents.facts import Facts
from taxiway.dossiers.documents.mapping import packaged, read_mapping
from taxiway.dossiers.documents.pdf import open_paper
from taxiway.dossiers.documents.service import document_file
from taxiway.kernel.errors import BadField, NotFound
from taxiway.storage.contract import YamlBroken
from tests.dossiers.conftest import HOSTILE
from tests.gates.story import Story

NAME = "mortgage@1"
# What this story never recorded: it has no datasheet beyond the contract, is served nowhere and watched by nobody.
NEVER = {"2.reproduced", "9.plan", "9.observed", "2.compute", "2.code"}


def fields_of(document: Document) -> dict[str, Field]:
    return {field.id: field for section in document.sections for field in section.fields}


def test_the_nine_sections_say_what_is_recorded_entered_and_missing(written: Story) -> None:
    shown = written.ana.dossiers.document(NAME)
    fields = fields_of(shown)

    assert [section.id for section in shown.sections] == [str(number) for number in range(1, 10)]
    missing = {id_ for id_, field in fields.items() if field.by == "records" and field.state == "missing"}
    assert missing <= NEVER
    assert shown.share >= 0.8
    assert fields["1.purpose"].said[0].text == ["decide on mortgages"]
    assert fields["3.limits"].state == "entered"
    assert (fields["7.standards"].state, fields["7.standards"].by) == ("missing", "people")
    assert fields["7.standards"].lacks == "answer the questionnaire technical-documentation"
    assert (shown.recorded, shown.entered, shown.missing) == tuple(
        sum(field.state == state for field in fields.values()) for state in ("recorded", "entered", "missing")
    )


@pytest.mark.parametrize(
    ("gone", "flips"),
    [
        ({"evidence": []}, {"2.procedures", "2.tests", "2.discrimination", "3.accuracy", "3.groups"}),
        ({"run": None, "artifacts": []}, {"1.hardware", "2.method", "2.objective"}),
        ({"datasets": []}, {"2.data", "2.data_content", "2.data_origin"}),
        ({"said": []}, {"2.reports", "2.security"}),
        ({"entries": []}, {"6.changes"}),
        ({"standing": None}, {"3.oversight", "3.approvals", "4.asked"}),
    ],
)
def test_what_is_taken_away_flips_exactly_its_fields(facts: Facts, gone: dict[str, object], flips: set[str]) -> None:
    before = fields_of(build(packaged("annex-iv"), facts))
    after = fields_of(build(packaged("annex-iv"), replace(facts, **gone)))

    flipped = {id_ for id_ in before if before[id_].state == "recorded" and after[id_].state == "missing"}
    assert flipped - NEVER == flips


def test_an_answer_fills_a_field_that_only_people_can(written: Story) -> None:
    before = fields_of(written.ana.dossiers.document(NAME))["4.why"]
    written.ana.gates.questionnaires.answer(
        NAME, "technical-documentation", {"metrics": "a wrong yes costs as much as a wrong no"}
    )

    after = fields_of(written.ana.dossiers.document(NAME))["4.why"]

    assert (before.state, after.state) == ("missing", "entered")
    assert after.said[0].text[0] == "a wrong yes costs as much as a wrong no"


@pytest.mark.parametrize(("document", "form"), [("annex-iv", "html"), ("annex-iv", "json"), ("card", "pdf")])
def test_the_same_records_make_the_same_bytes(written: Story, tmp_path: Path, form: Format, document: str) -> None:
    one = written.ana.dossiers.save_document(NAME, tmp_path / "one", document, form=form).read_bytes()
    two = written.olga.dossiers.save_document(NAME, tmp_path / "two", document, form=form).read_bytes()

    assert hashlib.sha256(one).hexdigest() == hashlib.sha256(two).hexdigest()


def test_the_html_stands_alone_and_runs_nothing(facts: Facts) -> None:
    text = document_file(build(packaged("annex-iv"), facts), "html").decode()

    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?!#)[a-z/]|url\((?!["']?data:)|@import""", text)
    assert "<svg" in text
    assert "@media print" in text


def test_the_pdf_holds_text_tables_and_numbered_pages(facts: Facts) -> None:
    document = build(packaged("annex-iv"), facts)
    pages = pypdf.PdfReader(io.BytesIO(document_file(document, "pdf"))).pages
    texts = [page.extract_text() for page in pages]

    assert all(f"{number} of {len(pages)}" in text for number, text in enumerate(texts, 1))
    whole = " ".join(" ".join(texts).split())
    assert "9 Post-market monitoring" in whole
    assert "decide on mortgages" in whole
    assert HOSTILE.split(" |")[0] in whole
    assert all(field.title in whole for field in fields_of(document).values())


def test_without_its_packages_there_is_html_but_no_pdf(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taxiway.dossiers.documents.pdf.find_spec", lambda name: None)
    document = build(packaged("card"), facts)

    with pytest.raises(NoPdf, match=r"taxiway\[pdf\]"):
        document_file(document, "pdf")
    assert document_file(document, "html")


def test_a_mapping_names_the_line_of_a_source_that_nothing_reads() -> None:
    text = "document: own\nversion: 1\ntitle: T\nabout: A\nsections:\n  - id: a\n    title: A\n    fields:\n"
    text += "      - {id: x, title: X, asks: Y, by: records, sources: [purpose, nothing]}\n"

    with pytest.raises(YamlBroken, match=r"own.yaml, line 9.*'nothing' is no source"):
        read_mapping(text, name="own.yaml")


def test_the_command_tells_and_writes(
    written: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIWAY_URL", written.live.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", written.live.tokens["ana"])

    code = main(["models", "document", NAME, "--as", "card", "--format", "json", "--out", str(tmp_path / "card.json")])

    assert code == 0
    assert "● recorded" in capsys.readouterr().out
    kept = msgspec.json.decode((tmp_path / "card.json").read_bytes(), type=Document)
    assert kept == written.ana.dossiers.document(NAME, "card")


def test_a_document_that_there_is_not_and_a_project_one_does_not_see(written: Story) -> None:
    with pytest.raises(BadField, match="annex-iv, card"):
        written.ana.dossiers.document(NAME, "annex-v")
    with pytest.raises(NotFound):
        written.live.as_person("otto").dossiers.document(NAME)


@pytest.mark.parametrize("lines", range(6))
def test_no_question_is_left_alone_at_the_foot_of_a_page(lines: int) -> None:
    paper = open_paper("A document")
    for number in range(60):
        paper.question("Results", f"asked {number}", "recorded", "recorded")
        for _ in range(lines * (number % 3)):
            paper.say("One line of what is said.")
        paper.grid(Grid(["metric", "value"], [["accuracy", "a long answer " * 20]]))

    pages = [page.extract_text().splitlines() for page in pypdf.PdfReader(io.BytesIO(bytes(paper.output()))).pages]

    last = [[line for line in page if not line.startswith("A document")][-1] for page in pages]
    assert len(pages) > 2
    assert [line for line in last if line.startswith("asked") or line == "Results"] == []


def test_no_short_word_of_a_table_is_broken() -> None:
    paper = open_paper("A document")
    long = "disk read-only, files fenced, network cut, numpy 2.4.6, pyarrow 26.0.1, python 3.11.7 " * 2
    head = ["gate", "method", "confidence", "key", "tools"]
    paper.grid(Grid(head, [["performance", "Wilson score of all rows " * 3, "95%", "ab64de3b9c70420e", long]]))

    [page] = pypdf.PdfReader(io.BytesIO(bytes(paper.output()))).pages

    words = page.extract_text().split()
    assert {"performance", "confidence", "ab64de3b9c70420e"} <= set(words)
