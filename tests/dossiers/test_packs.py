"""Control packs: every clause decided, every query runs, gaps shown, and swapped without code."""

import json
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from msgspec.structs import replace

from taxiway.cli import main
from taxiway.dossiers.documents.facts import Facts
from taxiway.dossiers.documents.html import coverage_html
from taxiway.dossiers.documents.readers import READERS, TAKING, read
from taxiway.dossiers.packs.contract import NoSuchPack, Pack
from taxiway.dossiers.packs.covering import cover
from taxiway.dossiers.packs.shelf import SHIPPED, read_pack, shipped
from taxiway.storage.contract import YamlBroken
from tests.gates.browse import said, visit
from tests.gates.story import PROJECT, Story

NAME = "mortgage@1"
OWN = """\
pack: sr-26-2
version: 7
title: House rules
about: What our bank asks.
groups:
  - id: one
    title: One
    clauses:
      - {id: R1, title: Listed, asks: It is listed., evidence: [inventory]}
      - {id: R2, title: Watched, asks: It is watched., evidence: [monitors]}
"""


@pytest.mark.parametrize("name", SHIPPED)
def test_every_clause_is_decided_and_every_query_runs(name: str, facts: Facts) -> None:
    pack = shipped(name)
    clauses = [clause for group in pack.groups for clause in group.clauses]

    assert pack.effective
    assert all(date.fromisoformat(each.date) for each in pack.effective)
    assert all(clause.evidence or (clause.decision == "outside" and clause.reason) for clause in clauses)
    found = cover(pack, facts)
    assert [clause.id for clause in found.clauses] == [clause.id for clause in clauses]
    assert sum(found.counts.values()) == len(clauses)
    assert found.counts["evidence"] > 0
    assert found.counts["gap"] > 0
    assert "complian" not in coverage_html(found).decode().replace("declaration", "").lower()


def test_a_statement_of_applicability_has_38_rows_with_a_reason_each() -> None:
    clauses = [clause for group in shipped("iso-42001-2023").groups for clause in group.clauses]

    assert len(clauses) == 38
    assert [clause.id for clause in clauses if not clause.reason] == []


def test_the_dates_are_those_of_2026() -> None:
    dates = {each.date for each in shipped("eu-ai-act").effective}

    assert {"2027-12-02", "2028-08-02"} <= dates
    assert shipped("sr-26-2").formerly == "SR 11-7"


def test_every_reader_takes_a_version_of_which_nothing_is_known(facts: Facts) -> None:
    bare = Facts(version=replace(facts.version, evaluation=None, threshold=None), project=facts.project,
                 card=facts.card, as_of=facts.as_of)  # fmt: skip

    for name in READERS:
        read(name, bare)
    for name in TAKING:
        assert read(f"{name}:nothing/here", bare) is None


def test_what_is_missing_is_a_gap_and_names_its_source(written: Story) -> None:
    coverage = written.ana.dossiers.coverage(NAME, "sr-26-2")
    clauses = {clause.id: clause for clause in coverage.clauses}

    assert clauses["inventory"].state == "evidence"
    assert clauses["plan"].state == "gap"
    assert [each.source for each in clauses["plan"].shown if not each.is_there] == ["monitors"]
    assert clauses["audit"].state == "outside"


def test_a_pack_in_the_homes_folder_relabels_every_report(written: Story, tmp_path: Path) -> None:
    folder = written.live.house.home / "packs"
    before = written.ana.dossiers.coverage(NAME, "sr-26-2").title
    folder.mkdir()
    file = folder / "sr-26-2.yaml"
    file.write_text(OWN)
    try:
        shown = written.ana.dossiers.coverage(NAME, "sr-26-2")
        listed = {pack.name: pack for pack in written.ana.dossiers.packs()}
        saved = written.ana.dossiers.save_coverage(NAME, "sr-26-2", tmp_path / "own.html").read_text()
        file.write_text(OWN.replace("[monitors]", "[monitor]"))
        broken = {pack.name: pack for pack in written.ana.dossiers.packs()}["sr-26-2"]
        with pytest.raises(YamlBroken, match="line 10"):
            written.ana.dossiers.coverage(NAME, "sr-26-2")
    finally:
        file.unlink()

    assert (before, shown.title, shown.pack_version) == ("SR 26-2, model risk management", "House rules", 7)
    assert [clause.state for clause in shown.clauses] == ["evidence", "gap"]
    assert (listed["sr-26-2"].origin, listed["eu-ai-act"].origin) == ("home", "shipped")
    assert "Evidence for House rules" in saved
    assert "'monitor' is no source" in broken.problem


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("evidence: [inventory]", "decision: outside"), "a reason and no evidence"),
        ((", evidence: [inventory]", ""), "no evidence for it"),
        (("id: R2", "id: R1"), "stands twice"),
        (("pack: sr-26-2", "pack: '../x'"), "not accepted"),
    ],
)
def test_a_pack_that_leaves_something_open_is_refused(change: tuple[str, str], words: str) -> None:
    with pytest.raises(YamlBroken, match=words):
        read_pack(OWN.replace(*change), name="own.yaml")


def test_shipped_texts_are_read_as_they_lie_there() -> None:
    folder = files("taxiway.dossiers.packs") / "packaged"
    names = sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))

    assert names == sorted(SHIPPED)
    assert all(isinstance(shipped(name), Pack) for name in names)


def test_the_command_and_the_project_tell_the_same(
    written: Story, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIWAY_URL", written.live.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", written.live.tokens["ana"])

    assert main(["gates", "coverage", NAME, "--pack", "eu-ai-act", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    [whole] = written.ana.dossiers.project_coverage(PROJECT, "eu-ai-act").versions

    assert told["counts"] == whole.counts
    with pytest.raises(NoSuchPack, match="eu-ai-act, iso-42001-2023"):
        written.ana.dossiers.coverage(NAME, "none")


def test_the_preview_and_the_projects_page_show_gaps_and_lead_to_files(written: Story) -> None:
    ana = visit(written, "ana")

    preview = ana.get("/dossiers/models/mortgage/versions/1").text
    pack = said(ana.get("/dossiers/models/mortgage/versions/1?show=eu-ai-act").text)
    project = said(ana.get(f"/dossiers/projects/{PROJECT}/coverage?pack=sr-26-2").text)

    assert "versions/1/documents/annex-iv/file?format=pdf" in preview
    assert "versions/1/cards/cyclonedx" in preview
    assert "<script>alert" not in preview
    assert "72 Post-market monitoring" in pack
    assert "◌ gap" in pack
    assert "without monitors" in project
    assert 'href="/dossiers/models/mortgage/versions/1"' in ana.get("/models/mortgage/versions/1").text
    assert ana.get("/dossiers/models/mortgage/versions/1?show=none").status == 400
