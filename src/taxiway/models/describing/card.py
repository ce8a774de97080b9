"""The fields of a version's card: what is recorded, what people entered, and what nobody has said yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from taxiway.kernel.canonical import canonical_json
from taxiway.models.bundles.bundle import digest_of
from taxiway.models.contract import Card, CardField, ModelVersion
from taxiway.models.predicting.signature import Column
from taxiway.projects.contract import Project
from taxiway.runs.contract import Run

# What only people can say. A field's name, and the question that its text answers.
HUMAN = {
    "intended_use": "Intended use",
    "limits": "Limits",
    "ethical_considerations": "Ethical considerations",
    "who_is_affected": "Who is affected",
    "contact": "Contact",
}
LONGEST_TEXT = 20_000
MOST_METRICS = 40


def card_of(
    version: ModelVersion,
    *,
    project: Project,
    run: Run | None,
    entered: Mapping[str, CardField],
    evidence: Sequence[CardField],
) -> Card:
    """evidence: fields that the gates know, such as the evaluation by group."""
    fields = [*recorded_fields(version, project, run), *evidence]
    for name, title in HUMAN.items():
        text = entered.get(name)
        if text is None:
            fields.append(CardField(name, title, "", "missing"))
        else:
            fields.append(CardField(name, title, text.value, "entered", [], text.by, text.at))
    missing = [field.name for field in fields if field.source == "missing"]
    return Card(version.model, version.version, entered_digest(entered), fields, missing)


def entered_digest(entered: Mapping[str, CardField]) -> str:
    """Stands for what people wrote. What is recorded follows from digests that an approval names anyway."""
    return digest_of(canonical_json({name: field.value for name, field in entered.items()}))


def recorded_fields(version: ModelVersion, project: Project, run: Run | None) -> list[CardField]:
    evaluation = version.evaluation
    what = f"{version.model} v{version.version}, a model of flavour {version.flavour}"
    metrics = metric_words(run) if run else ""
    authors = sorted({version.created_by} | ({run.created_by} if run else set()))
    run_link = [f"run:{version.run}"] if version.run else []
    judged_on = (
        f"{evaluation.rows:,} predictions{f' ({evaluation.split})' if evaluation.split else ''}, {evaluation.digest}"
        if evaluation
        else ""
    )
    return [
        recorded("what", "What it is", what, [version.ref]),
        recorded("purpose", "Purpose", project.purpose, [f"project:{project.name}"]),
        recorded("authors", "Authors", ", ".join(authors), run_link),
        recorded("training_data", "Training data", ", ".join(version.datasets), version.datasets),
        recorded("metrics", "Metrics of the run", metrics, run_link),
        recorded(
            "evaluation", "Evaluated on", judged_on, [evaluation.dataset] if evaluation and evaluation.dataset else []
        ),
        recorded(
            "environment", "Environment", f"requirements.lock {version.environment}" if version.environment else ""
        ),
        recorded("signature", "Signature", signature_words(version)),
        recorded("threshold", "Decision threshold", threshold_words(version)),
        recorded("risk_tier", "Risk tier", version.risk, [f"project:{project.name}"]),
    ]


def recorded(name: str, title: str, value: str, links: Sequence[str] = ()) -> CardField:
    """A field from the records; one without a value is missing."""
    return CardField(name, title, value, "recorded" if value else "missing", list(links))


def metric_words(run: Run) -> str:
    shown = [f"{name} {float(value):.4g}" for name, value in sorted(run.metrics.items())]
    rest = f" and {len(shown) - MOST_METRICS} more" if len(shown) > MOST_METRICS else ""
    return ", ".join(shown[:MOST_METRICS]) + rest


def signature_words(version: ModelVersion) -> str:
    def words(columns: Sequence[Column]) -> str:
        return ", ".join(f"{column.name} ({column.type})" for column in columns)

    return f"{words(version.signature.inputs)} → {words(version.signature.outputs)}"


def threshold_words(version: ModelVersion) -> str:
    if version.threshold is None:
        return "none: the model is no classifier of two labels"
    return f"yes from a score of {version.threshold:g} on"
