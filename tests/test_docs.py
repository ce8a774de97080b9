"""The tool that writes the reference pages and follows our links."""

from pathlib import Path
from typing import Annotated

import pytest
from msgspec import Struct

from tools import docs
from tools.reference import kind, struct_lines, structs_in


class Step(Struct, frozen=True):
    """One point of a series."""

    at: int
    note: str | None = None


class Series(Struct, frozen=True):
    steps: list[Step]
    names: dict[str, float] = {}


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (list[Step], "list of Step"),
        (str | None, "text or nothing"),
        (dict[str, float], "number by name"),
        (Annotated[str, "short"] | None, "text or nothing"),
    ],
)
def test_a_type_is_said_in_words(annotation: object, words: str) -> None:
    assert kind(annotation) == words


def test_the_structs_of_an_answer_are_found_wherever_they_stand() -> None:
    assert set(structs_in(dict[str, list[Series]])) == {Series, Step}


def test_a_struct_is_a_table_of_its_fields() -> None:
    assert list(struct_lines(Step))[2:] == [
        "One point of a series.",
        "",
        "| field | type | when left out |",
        "|---|---|---|",
        "| `at` | whole number | refused |",
        "| `note` | text or nothing | `None` |",
    ]


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "runs.md").write_text("[home](../README.md) [gone](gone.md#top) [out](https://a.test/)")
    (tmp_path / "README.md").write_text("```\n[not a link](x.md)\n```\n")
    monkeypatch.setattr(docs, "HOUSE", tmp_path)

    assert list(docs.broken_links()) == ["docs/runs.md links to gone.md, which is not there"]


def test_a_page_that_differs_from_the_code_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docs, "HOUSE", tmp_path)
    docs.write({"reference/errors.md": "# Errors\n", "reference/endpoints.md": "# Endpoints\n"})
    (tmp_path / "docs" / "reference" / "errors.md").write_text("# Mistakes\n")

    assert list(docs.stale({"reference/errors.md": "# Errors\n", "reference/endpoints.md": "# Endpoints\n"})) == [
        "docs/reference/errors.md differs from the code: run `make docs` and commit it"
    ]
