"""What a path's text may say, as JSON Schema: for editors that complete and check it while it is written."""

from __future__ import annotations

from typing import Any

import msgspec

from taxiway.gates.checks.port import Check
from taxiway.gates.checks.register import CHECKS
from taxiway.gates.contract import GATE_STAGES
from taxiway.gates.paths.policy import MODE, NAME, path_type

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TOLD = {
    "path": "The path's name: a-z, 0-9, '.', '_' and '-'.",
    "stages": "The gates before each stage.",
    "applies_to": "Which projects may take the path, by their risk tier.",
    "platform": "The tiers of whose projects the platform demands it, beside the path that they take.",
    "mode": "What gates do that say no mode of their own: observe, warn or block. A new path observes.",
    "waivers": "Who may waive a gate of it, by role, and for how many days at most.",
    "break_glass": "Who may let a version past its gates in an emergency, by role; nobody unless it is said.",
    "review": "How often what serves is looked at again.",
    "log": "Whether answers wait until the disk has their records (acknowledged), or follow it by 0.2 s (buffered).",
    "aliases": "For each stage the alias that moves with it, and in no other way.",
}
NAME_PATTERN = "^[a-z0-9][a-z0-9._-]*$"
NAME_TOLD = "What the gate is called; without it by its check, and a number where a stage has several of one."
MODE_TOLD = "observe: write down what it would have stopped; warn: show it as well; block: stop it."


def path_schema(checks: dict[str, Check] | None = None) -> dict[str, Any]:
    """The JSON Schema of a path's text, with the parameters of every check that is installed here."""
    known = CHECKS.load_all() if checks is None else checks
    schema = msgspec.json.schema(path_type(known))
    parts: dict[str, Any] = schema["$defs"]
    whole = parts.pop(named_by(schema))
    keys = whole["properties"]
    for key in keys.keys() & TOLD.keys():
        keys[key]["description"] = TOLD[key]
    keys["path"]["pattern"] = NAME_PATTERN
    keys["aliases"]["propertyNames"] = {"enum": [*GATE_STAGES]}
    gate = parts[named_by(parts[named_by(keys["stages"])]["properties"]["staging"]["items"])]
    gate["properties"][MODE]["description"] = MODE_TOLD
    gate["properties"][NAME] |= {"description": NAME_TOLD, "pattern": NAME_PATTERN}
    gate["oneOf"] = [{"required": [name]} for name in known]
    for name, check in known.items():
        said = (type(check).__doc__ or "").strip()
        gate["properties"][name]["description"] = " ".join(said.split())
    return {"$schema": DIALECT, **whole, "title": "A path of Taxiway", "$defs": parts}


def named_by(reference: dict[str, Any]) -> str:
    """The name of the definition that a reference points at."""
    return str(reference["$ref"]).rpartition("/")[2]
