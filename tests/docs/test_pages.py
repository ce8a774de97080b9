"""What our pages show works as it is written: every block of them runs, in order, in an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.blocks import FILE_NAME, blocks_of, run_page
from tests.server.test_process import free_port

HOUSE = Path(__file__).parents[2]
RUN = {"bash", "python"}
PAGES = [
    page
    for page in (HOUSE / "README.md", *sorted((HOUSE / "docs").glob("*.md")))
    if any(block.language in RUN for block in blocks_of(page))
]
STAGES = Path(__file__).parent / "stages"  # what a page takes for granted, by its name
SHARED = {"dossiers": "judged", "evidence": "judged", "inference-log": "inference_log"}  # where it has another name
# Run in tests/endpoints/test_rounds.py, with a model in production, in test_ci.py, with the steps of its workflow, and
# in tests/compat/test_pages.py, with a bundle that is served alone.
ELSEWHERE = {"endpoints", "ci", "invocations", "instances", "openinference", "exports"}
NOUNS = ("projects", "datasets", "runs", "models", "gates", "endpoints", "monitors", "access", "audit", "lineage")


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if p.stem not in ELSEWHERE], ids=lambda page: page.stem)
def test_a_page_runs_as_it_is_written(page: Path, tmp_path: Path) -> None:
    stage = STAGES / f"{SHARED.get(page.stem, page.stem)}.py"

    ran = run_page(page, tmp_path, port=free_port(), stage=stage if stage.exists() else None)

    assert ran == [block for block in blocks_of(page) if block.language in RUN and not FILE_NAME.match(block.text)]


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_has_a_page_that_runs(noun: str) -> None:
    assert HOUSE / "docs" / f"{noun}.md" in PAGES


def test_the_readme_fits_on_a_page() -> None:
    lines = (HOUSE / "README.md").read_text().splitlines()
    example = next(block for block in blocks_of(HOUSE / "README.md") if block.language == "python")

    assert len(lines) <= 100
    assert len(example.text.splitlines()) <= 15
