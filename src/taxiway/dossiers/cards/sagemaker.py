"""A card as SageMaker takes it: the content of `CreateModelCard`, in its groups. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from taxiway.dossiers.cards.contract import CardTooLong
from taxiway.dossiers.documents.facts import Facts
from taxiway.gates.contract import Evidence
from taxiway.models.contract import ModelStage

MOST_CHARACTERS = 100_000
LONGEST_TEXT = 2048  # of a free text in most groups
LONGEST_NAME = 63
RATINGS = {"low": "Low", "medium": "Medium", "high": "High"}
STATUSES: dict[ModelStage, str] = {
    "none": "Draft",
    "staging": "PendingReview",
    "production": "Approved",
    "archived": "Archived",
}


def card(facts: Facts) -> bytes:
    """The request's fields: name, status, and the content as an object. Raises CardTooLong for the content."""
    found = content(facts)
    length = len(msgspec.json.encode(found))
    if length > MOST_CHARACTERS:
        raise CardTooLong(export="sagemaker", characters=length, most=MOST_CHARACTERS)
    name = f"{facts.version.model}-{facts.version.version}".replace("_", "-").replace(".", "-")[:LONGEST_NAME]
    whole = {"ModelCardName": name, "ModelCardStatus": STATUSES[facts.version.stage], "Content": found}
    return msgspec.json.format(msgspec.json.encode(whole, order="sorted"), indent=1) + b"\n"


def content(facts: Facts) -> dict[str, Any]:
    entered = {field.name: field.value for field in facts.card.fields if field.value}
    version, project = facts.version, facts.project
    custom = {
        "bundle": version.bundle,
        "signature": entered.get("signature", ""),
        "training_data": ", ".join(version.datasets),
        "environment": version.environment or "",
        "contact": entered.get("contact", ""),
        "as_of": facts.as_of.isoformat(),
    }
    groups = {
        "model_overview": {
            "model_name": version.model,
            "model_description": cut(version.description or project.purpose),
            "model_version": version.version,
            "model_creator": version.created_by,
            "model_owner": project.owner,
            "problem_type": "Binary Classification" if version.threshold is not None else "",
            "algorithm_type": version.flavour,
            "model_artifact": [version.bundle] if version.bundle else [],
        },
        "intended_uses": {
            "purpose_of_model": cut(project.purpose),
            "intended_uses": cut(entered.get("intended_use", "")),
            "factors_affecting_model_efficiency": cut(entered.get("limits", "")),
            "risk_rating": RATINGS.get(version.risk, "Unknown"),
            "explanations_for_risk_rating": cut(f"The project {project.name} is of the tier {project.risk}"),
        },
        "business_details": {
            "business_problem": cut(project.purpose),
            "business_stakeholders": cut(", ".join(filter(None, (project.owner, project.sponsor)))),
            "line_of_business": project.name,
        },
        "training_details": training(facts),
        "evaluation_details": evaluations(facts),
        "additional_information": {
            "ethical_considerations": cut(entered.get("ethical_considerations", "")),
            "caveats_and_recommendations": cut(entered.get("limits", "")),
            "custom_details": {name: cut(value) for name, value in custom.items() if value},
        },
    }
    return {name: kept for name, group in groups.items() if (kept := without_blanks(group))}


def training(facts: Facts) -> dict[str, Any]:
    run = facts.run
    if run is None:
        return {}
    metrics = [{"name": name, "value": float(value)} for name, value in sorted(run.metrics.items())]
    params = [{"name": name, "value": str(value)} for name, value in sorted(run.params.items())]
    return {
        "training_observations": f"Run {run.id}",
        "training_job_details": {
            "training_datasets": list(facts.version.datasets),
            "training_metrics": [each for each in metrics if finite(each["value"])][:50],
            "hyper_parameters": params[:100],
        },
    }


def evaluations(facts: Facts) -> list[dict[str, Any]]:
    """One evaluation with a group of metrics for each gate that measured a number."""
    judged = facts.version.evaluation
    groups = [
        {"name": each.gate, "metric_data": [data]} for each in facts.evidence if (data := metric(each)) is not None
    ]
    if judged is None or not groups:
        return []
    about = f"{judged.rows} predictions{f', {judged.split}' if judged.split else ''}, {judged.digest}"
    datasets = [judged.dataset] if judged.dataset else []
    return [{"name": "gates", "evaluation_observation": cut(about), "datasets": datasets, "metric_groups": groups}]


def metric(each: Evidence) -> dict[str, Any] | None:
    estimate = each.outcome.estimate
    if estimate is None or estimate.value is None:
        return None
    bounds = "" if estimate.low is None else f" [{estimate.low:.4g}, {estimate.high:.4g}]"
    notes = f"{each.outcome.verdict}{bounds}, n={estimate.n}, {estimate.method}"
    return {"name": each.outcome.metric or each.gate, "type": "number", "value": estimate.value, "notes": cut(notes)}


def without_blanks(group: Any) -> Any:
    if not isinstance(group, dict):
        return group
    return {name: value for name, value in group.items() if value not in ("", [], {})}


def cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def finite(value: Any) -> bool:
    return abs(float(value)) < float("inf")
