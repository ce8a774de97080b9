"""The pages about protocols, run as they are written against one bundle that is served alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compat.standing import Running
from tests.docs.blocks import FILE_NAME, blocks_of, run_page

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.slow
@pytest.mark.parametrize("page", ["invocations", "instances", "openinference", "exports"])
def test_a_page_about_a_protocol_runs_as_it_is_written(alone: Running, page: str, tmp_path: Path) -> None:
    port = int(alone.url.rpartition(":")[2])

    ran = run_page(DOCS / f"{page}.md", tmp_path, port=port)

    commands = [b for b in blocks_of(DOCS / f"{page}.md") if b.language == "bash" and not FILE_NAME.match(b.text)]
    assert [block for block in ran if block.language == "bash"] == commands
    assert commands
