"""What the registry says of a version: its names, people, files, stages and what surrounds it."""

from __future__ import annotations

from taxiway.dossiers.documents.contract import Grid, Said
from taxiway.dossiers.documents.facts import Facts
from taxiway.kernel.thing import parse


def purpose(facts: Facts) -> Said | None:
    text = facts.project.purpose
    return Said([text], refs=[f"project:{facts.project.name}"]) if text else None


def provider(facts: Facts) -> Said | None:
    project = facts.project
    text = [f"{project.owner} owns the project {project.name}"] if project.owner else []
    text += [f"{project.sponsor} sponsors it"] if project.sponsor else []
    text += [f"{facts.version.created_by} registered the version"]
    return Said(text, refs=[f"project:{project.name}"])


def identity(facts: Facts) -> Said | None:
    version = facts.version
    text = [f"{version.model}, version {version.version}, registered {day(version.created_at)} by {version.created_by}"]
    text += [f"Bundle {version.bundle}"] if version.bundle else []
    rows = [
        [str(each.version), day(each.created_at), each.created_by, each.stage, each.bundle[:19]]
        for each in facts.predecessors
    ]
    grid = Grid(["earlier version", "registered", "by", "stage", "bundle"], rows) if rows else None
    return Said(text, grid, refs=[version.ref])


def interactions(facts: Facts) -> Said | None:
    """What led to it and what it leads to, of other things than itself."""
    rows = [[edge.source, edge.verb.replace("_", " "), edge.target] for edge in facts.edges]
    return Said([], Grid(["from", "how", "to"], rows), refs=[facts.version.ref]) if rows else None


def forms_supplied(facts: Facts) -> Said | None:
    version = facts.version
    if facts.manifest is None:
        return None
    files = len(facts.manifest.files)
    words = f"file{'s' if files != 1 else ''}"
    text = [f"A sealed bundle of {files} {words}, {version.size_bytes:,} bytes, flavour {version.flavour}"]
    text += [f"Served as the endpoint {each.name} ({each.serves})" for each in facts.endpoints]
    return Said(text, refs=[version.ref, *(each.ref for each in facts.endpoints)])


def inputs(facts: Facts) -> Said | None:
    rows = columns(facts, is_input=True)
    return (
        Said([], Grid(["input", "type", "may be missing", "one of"], rows), refs=[facts.version.ref]) if rows else None
    )


def outputs(facts: Facts) -> Said | None:
    rows = columns(facts, is_input=False)
    text = [] if facts.version.threshold is None else [f"It decides at a score of {facts.version.threshold:g}"]
    return (
        Said(text, Grid(["output", "type", "may be missing", "one of"], rows), [], [facts.version.ref])
        if rows
        else None
    )


def columns(facts: Facts, *, is_input: bool) -> list[list[str]]:
    signature = facts.version.signature
    return [
        [each.name, each.type, "yes" if each.nullable else "no", ", ".join(each.categories or ())]
        for each in (signature.inputs if is_input else signature.outputs)
    ]


def stages(facts: Facts) -> Said | None:
    rows = [[day(each.entered_at), each.stage, each.by, each.reason] for each in facts.stages]
    return Said([], Grid(["when", "stage", "by", "why"], rows), refs=[facts.version.ref]) if rows else None


def risk_tier(facts: Facts) -> Said | None:
    text = [f"Treated as {facts.version.risk} risk; the project {facts.project.name} is {facts.project.risk} risk"]
    text += [f"{sheet.questionnaire}: {sheet.reading.because}" for sheet in facts.sheets if sheet.reading.tier]
    return Said(text, refs=[f"project:{facts.project.name}"])


def inventory(facts: Facts) -> Said | None:
    version = facts.version
    text = (
        f"{version.model} version {version.version} is registered in {version.project} and stands in: {version.stage}"
    )
    return Said([text], refs=[version.ref])


def upstream(facts: Facts) -> Said | None:
    """Models that it was made from or that are served beside it."""
    found = {edge.source for edge in facts.edges if edge.source.startswith("model:")} - {facts.version.ref}
    return Said([f"Leans on {parse(ref).name}" for ref in sorted(found)], refs=sorted(found)) if found else None


def day(at: object) -> str:
    return f"{at:%Y-%m-%d}"


READERS = {
    "purpose": purpose,
    "provider": provider,
    "identity": identity,
    "interactions": interactions,
    "forms_supplied": forms_supplied,
    "inputs": inputs,
    "outputs": outputs,
    "stages": stages,
    "risk_tier": risk_tier,
    "inventory": inventory,
    "upstream": upstream,
}
