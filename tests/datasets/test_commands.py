"""The command line of datasets, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from taxiway.cli import main
from tests.support.live import Live

CSV = "application,gdlin\n1,1\n2,666\n3,0\n"
YAML = "columns:\n  gdlin: {type: integer, allowed: [0, 1]}\n"


@pytest.fixture
def shop(open_live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a CSV and a contract, and a server with the project `loans`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAXIWAY_URL", open_live.url)
    open_live.client.projects.create("loans")
    (tmp_path / "loans.csv").write_text(CSV)
    (tmp_path / "clean.csv").write_text(CSV.replace("666", ""))
    (tmp_path / "loans.yaml").write_text(YAML)
    return tmp_path


def test_a_file_goes_in_and_its_findings_come_out(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["datasets", "register", "loans/loanapp", "loans.csv", "--contract", "loans.yaml", "--note", "raw"])

    told = capsys.readouterr().out
    assert code == 0
    assert "dataset:loans/loanapp@1" in told
    assert "■ The contract is broken, 1 finding:" in told
    assert "gdlin must be one of 0, 1: 1 row breaks this (row 1: 666)." in told


def test_a_check_ends_with_a_code_that_scripts_can_use(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = main(["datasets", "check", "loans/loanapp", "loans.csv", "--contract", "loans.yaml"])
    fine = main(["datasets", "check", "loans/loanapp", "clean.csv", "--contract", "loans.yaml"])

    assert (broken, fine) == (1, 0)
    assert "● All 3 rows fulfil the contract." in capsys.readouterr().out


def test_versions_are_listed_compared_profiled_and_saved(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["datasets", "register", "loans/loanapp", "loans.csv"])
    main(["datasets", "register", "loans/loanapp", "clean.csv", "--derived-from", "dataset:loans/loanapp@1"])
    capsys.readouterr()

    assert main(["datasets", "list"]) == 0
    assert main(["datasets", "versions", "loans/loanapp"]) == 0
    assert main(["datasets", "diff", "loans/loanapp", "1", "2"]) == 0
    assert main(["datasets", "profile", "loans/loanapp@1"]) == 0
    assert main(["datasets", "download", "loans/loanapp@1", "--to", "back.csv"]) == 0

    told = capsys.readouterr().out
    assert "gdlin: nulls 0 → 1, distinct 3 → 2" in told
    assert "dataset:loans/loanapp@1" in told
    assert (shop / "back.csv").read_text() == CSV


def test_a_program_gets_the_version_as_json(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["datasets", "register", "loans/loanapp", "loans.csv", "--contract", "loans.yaml"])
    capsys.readouterr()

    main(["datasets", "show", "loans/loanapp", "--json"])

    told = json.loads(capsys.readouterr().out)
    assert told["result"]["findings"][0]["rows"] == [1]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["show", "loanapp"], "PROJECT/NAME"),
        (["versions", "loans/loanapp@1"], "without a version"),
        (["register", "loans/loanapp", "nowhere.csv"], "nowhere.csv cannot be read"),
        (["register", "loans/loanapp", "loans.csv", "--contract", "none.yaml"], "none.yaml cannot be read"),
        (["show", "loans/nothing"], "There is no dataset 'loans/nothing'"),
    ],
)
def test_a_refusal_says_what_to_type(
    shop: Path, capsys: pytest.CaptureFixture[str], command: list[str], words: str
) -> None:
    assert main(["datasets", *command]) == 1

    assert words in capsys.readouterr().err
