"""Write the generated pages of docs/ and check every link: `python -m tools.docs [--check]`.

With --check nothing is written: a page that differs from what the code says is told and fails the check.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).parents[1]
LINK = re.compile(r"!?\[[^\]]*\]\((?!https?:|mailto:|#)([^)\s#]+)(?:#[\w-]+)?\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def main(arguments: list[str]) -> int:
    os.environ["COLUMNS"] = "100"  # argparse wraps its help to the terminal
    from tools.reference import pages

    if arguments != ["--check"]:
        write(pages())
    faults = [*stale(pages()), *broken_links()]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def write(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        file = HOUSE / "docs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def stale(pages: dict[str, str]) -> Iterator[str]:
    for name, text in pages.items():
        file = HOUSE / "docs" / name
        if not file.exists() or file.read_text() != text:
            yield f"docs/{name} differs from the code: run `make docs` and commit it"


def broken_links() -> Iterator[str]:
    """Links between our own pages that lead nowhere."""
    for page in [*sorted(HOUSE.glob("*.md")), *sorted((HOUSE / "docs").rglob("*.md"))]:
        for link in LINK.findall(FENCE.sub("", page.read_text())):
            if not (page.parent / link).exists():
                yield f"{page.relative_to(HOUSE)} links to {link}, which is not there"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
