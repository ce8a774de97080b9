"""A version as a CycloneDX 1.6 bill of materials: the model with its card, its data, its files and libraries. Pure."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from taxiway.dossiers.documents.facts import Data, Facts
from taxiway.dossiers.documents.readers.making import locked
from taxiway.gates.contract import Evidence

SPEC = "1.6"
SPACE = uuid.UUID("6f1c1a36-0a53-5f4e-9d1c-6c2d6c6f2a10")  # under which serial numbers follow from bundles


def bom(facts: Facts) -> bytes:
    """The bill; its serial number follows from what it says, so that the same facts give the same bytes."""
    version, ref = facts.version, facts.version.ref
    components = [data_component(each) for each in facts.datasets] + libraries(facts)
    found: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "version": 1,
        "metadata": {
            "timestamp": facts.as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": model_component(facts),
            "properties": [
                {"name": "taxiway:stage", "value": version.stage},
                {"name": "taxiway:risk", "value": version.risk},
            ],
        },
        "components": components,
        "dependencies": [{"ref": ref, "dependsOn": sorted({each["bom-ref"] for each in components})}],
    }
    serial = uuid.uuid5(SPACE, msgspec.json.encode(found, order="sorted").decode())
    found["serialNumber"] = f"urn:uuid:{serial}"
    return msgspec.json.format(msgspec.json.encode(found, order="sorted"), indent=1) + b"\n"


def model_component(facts: Facts) -> dict[str, Any]:
    version = facts.version
    component: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": version.ref,
        "name": version.model,
        "version": str(version.version),
        "authors": [{"name": version.created_by}],
        "modelCard": model_card(facts),
    }
    if words := version.description or facts.project.purpose:
        component["description"] = words
    if version.bundle:
        component["hashes"] = [{"alg": "SHA-256", "content": version.bundle.removeprefix("sha256:")}]
    files = facts.manifest.files if facts.manifest else ()
    if files:
        component["components"] = [
            {
                "type": "file",
                "bom-ref": f"{version.ref}/{file.path}",
                "name": file.path,
                "hashes": [{"alg": "SHA-256", "content": file.digest.removeprefix("sha256:")}],
            }
            for file in files
        ]
    return component


def model_card(facts: Facts) -> dict[str, Any]:
    entered = {field.name: field.value for field in facts.card.fields if field.value}
    version = facts.version
    parameters: dict[str, Any] = {
        "task": "classification" if version.threshold is not None else "prediction",
        "datasets": [{"ref": each.version.ref} for each in facts.datasets],
        "inputs": [{"format": f"{each.name}: {each.type}"} for each in version.signature.inputs],
        "outputs": [{"format": f"{each.name}: {each.type}"} for each in version.signature.outputs],
    }
    measured = [metric for each in facts.evidence for metric in metrics(each)]
    considered = {
        "users": [entered["intended_use"]] if "intended_use" in entered else [],
        "useCases": [facts.project.purpose] if facts.project.purpose else [],
        "technicalLimitations": [entered["limits"]] if "limits" in entered else [],
        "ethicalConsiderations": [{"name": entered["ethical_considerations"]}]
        if "ethical_considerations" in entered
        else [],
        "fairnessAssessments": [{"groupAtRisk": entered["who_is_affected"]}] if "who_is_affected" in entered else [],
    }
    return {
        "modelParameters": {name: value for name, value in parameters.items() if value},
        "quantitativeAnalysis": {"performanceMetrics": measured},
        "considerations": {name: value for name, value in considered.items() if value},
    }


def metrics(each: Evidence) -> list[dict[str, Any]]:
    """The gate's number, and each group's rate as a slice."""
    found, name = [], each.outcome.metric or each.gate
    sliced = [("", each.outcome.estimate), *((group.group, group.rate) for group in each.outcome.groups)]
    for group, estimate in sliced:
        if estimate is None or estimate.value is None:
            continue
        entry: dict[str, Any] = {"type": name, "value": repr(estimate.value)}
        if group:
            entry["slice"] = group
        if estimate.low is not None and estimate.high is not None:
            entry["confidenceInterval"] = {"lowerBound": repr(estimate.low), "upperBound": repr(estimate.high)}
        found.append(entry)
    return found


def data_component(data: Data) -> dict[str, Any]:
    version = data.version
    return {
        "type": "data",
        "bom-ref": version.ref,
        "name": f"{version.project}/{version.name}",
        "version": str(version.version),
        "hashes": [{"alg": "SHA-256", "content": version.digest.removeprefix("sha256:")}],
        "data": [
            {
                "type": "dataset",
                "name": version.name,
                "description": f"{version.rows} rows, {len(version.columns)} columns",
            }
        ],
    }


def libraries(facts: Facts) -> list[dict[str, Any]]:
    """What is locked, or else what was installed where the run ran."""
    pairs = dict(locked(facts.lock)) or facts.packages
    return [
        {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
        for name, version in sorted(pairs.items())
        if (purl := f"pkg:pypi/{name.lower().replace('_', '-')}@{version}")
    ]
