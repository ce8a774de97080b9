"""A dataset version, as notebooks show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxiway.kernel.rich import Link, card, facts, grid

if TYPE_CHECKING:
    from taxiway.datasets.contract import DatasetVersion


def version_html(version: DatasetVersion) -> str:
    """A version: its rows and columns, whether it keeps its contract, and what it was made from."""
    kept = "none" if version.result is None else "kept" if version.result.passed else version.result.sentence
    return card(
        f"{version.project}/{version.name}@{version.version}",
        version.ref,
        facts(
            [
                ("rows", f"{version.rows:,}"),
                ("contract", kept),
                ("made from", ", ".join(version.derived_from)),
                ("note", version.note),
                ("project", Link(version.project, f"project:{version.project}")),
                ("by", version.created_by),
                ("at", version.created_at),
                ("digest", version.digest),
            ]
        ),
        grid("columns", ["column", "type"], [(column.name, column.type) for column in version.columns]),
    )
