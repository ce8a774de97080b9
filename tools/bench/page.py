"""docs/benchmarks.md, of which every bench writes its own sections and keeps those of the others."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
SECTION = re.compile(r"<!-- section: (.+?) -->\n.*?<!-- end -->\n", re.DOTALL)


def put_section(title: str, text: str) -> None:
    """Writes a section in place of the one with its title, or at the end."""
    section = f"<!-- section: {title} -->\n## {title}\n\n{text}\n<!-- end -->\n"
    page = PAGE.read_text()
    known = [found[0] for found in SECTION.finditer(page) if found[1] == title]
    PAGE.write_text(page.replace(known[0], section) if known else f"{page.rstrip()}\n\n{section}")


def sections() -> list[str]:
    """The sections that others wrote, as they stand on the page."""
    return [found[0] for found in SECTION.finditer(PAGE.read_text())]
