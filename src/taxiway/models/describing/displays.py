"""A model version, as notebooks show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxiway.kernel.rich import Link, card, facts, grid, sentence

if TYPE_CHECKING:
    from taxiway.models.contract import ModelVersion


def version_html(version: ModelVersion) -> str:
    """A version: where it stands, what it came from, what it takes and gives."""
    columns = [("input", column.name, column.type) for column in version.signature.inputs]
    columns += [("output", column.name, column.type) for column in version.signature.outputs]
    evaluation = version.evaluation
    return card(
        f"{version.model} v{version.version}",
        version.ref,
        sentence(version.description or version.note),
        facts(
            [
                ("stage", version.stage),
                ("aliases", ", ".join(version.aliases)),
                ("project", Link(version.project, f"project:{version.project}")),
                ("run", Link(version.run, f"run:{version.run}") if version.run else ""),
                ("data", ", ".join(ref.removeprefix("dataset:") for ref in version.datasets)),
                ("judged on", f"{evaluation.rows:,} rows" if evaluation else ""),
                ("flavour", version.flavour),
                ("bundle", version.bundle),
                ("unfit", version.unfit),
            ]
        ),
        grid("signature", ["", "column", "type"], columns),
    )
