"""A card as the README of a Hugging Face repository: YAML front matter, then Markdown. Pure."""

from __future__ import annotations

import re
from typing import Any

import yaml

from taxiway.dossiers.documents.building import build
from taxiway.dossiers.documents.contract import Field, Grid
from taxiway.dossiers.documents.facts import Facts
from taxiway.dossiers.documents.mapping import packaged
from taxiway.gates.contract import Evidence

LIBRARIES = {"sklearn": "sklearn", "torch": "pytorch", "mlflow": "mlflow"}
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def readme(facts: Facts) -> bytes:
    """The README: what the Hub can filter by at its head, the card below it."""
    head = yaml.safe_dump(front_matter(facts), sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{head}---\n\n{body(facts)}".encode()


def front_matter(facts: Facts) -> dict[str, Any]:
    version = facts.version
    tags = ["taxiway", *([] if version.flavour in LIBRARIES or not version.flavour else [version.flavour])]
    found: dict[str, Any] = {"tags": tags, "model_name": version.model}
    if version.flavour in LIBRARIES:
        found["library_name"] = LIBRARIES[version.flavour]
    if version.threshold is not None:
        found["pipeline_tag"] = "tabular-classification"
    if licence := version.tags.get("license"):
        found["license"] = licence
    if language := version.tags.get("language"):
        found["language"] = language
    results = [entry for each in facts.evidence if (entry := result(facts, each))]
    if results:
        found["metrics"] = list(dict.fromkeys(each["metrics"][0]["type"] for each in results))
        found["model-index"] = [{"name": version.model, "results": results}]
    return found


def result(facts: Facts, evidence: Evidence) -> dict[str, Any] | None:
    """One measured number with the data that it was measured on."""
    estimate = evidence.outcome.estimate
    judged = facts.version.evaluation
    if estimate is None or estimate.value is None or judged is None:
        return None
    name = judged.dataset.partition(":")[2] or judged.digest
    metric = {
        "type": evidence.outcome.metric or evidence.check,
        "value": estimate.value,
        "name": evidence.outcome.metric or evidence.gate,
        "verified": False,
    }
    split = {"split": judged.split} if judged.split else {}
    return {
        "task": {"type": "tabular-classification"},
        "dataset": {"name": name, "type": judged.digest, **split},
        "metrics": [metric],
    }


def body(facts: Facts) -> str:
    document = build(packaged("card"), facts)
    lines = [f"# {escaped(facts.version.model)}, version {facts.version.version}", ""]
    for section in document.sections:
        lines += [f"## {section.title}", ""]
        for field in section.fields:
            lines += [f"### {field.title}", "", *field_lines(field)]
    bundle = facts.version.bundle or "none"
    lines += [
        "---",
        "",
        f"Bundle `{bundle}`. Made from records by Taxiway; each number is of the evaluation it names.",
        "",
    ]
    return "\n".join(lines)


def field_lines(field: Field) -> list[str]:
    if field.state == "missing":
        return ["[More Information Needed]", ""]
    lines: list[str] = []
    for said in field.said:
        for text in said.text:
            lines += [escaped(text), ""]
        if said.grid:
            lines += [*table(said.grid), ""]
    return lines


def table(grid: Grid) -> list[str]:
    def row(cells: list[str]) -> str:
        return f"| {' | '.join(escaped(cell) or ' ' for cell in cells)} |"

    return [row(grid.head), f"|{'---|' * len(grid.head)}", *map(row, grid.rows)]


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))
