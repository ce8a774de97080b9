"""Reading a path's YAML: strictly, with the line and key of whatever is wrong."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType

from taxiway.gates.checks.port import Check
from taxiway.gates.checks.register import CHECKS
from taxiway.gates.contract import GATE_STAGES, GateSpec, GateStage, PathStage, PathVersion
from taxiway.kernel.canonical import canonical_json
from taxiway.kernel.ids import is_name
from taxiway.models.bundle import digest_of
from taxiway.projects.contract import RiskTier
from taxiway.storage.contract import YamlBroken
from taxiway.storage.yaml_text import read_tree, read_yaml, walk

PACKAGED: dict[RiskTier, str] = {"low": "light", "medium": "standard", "high": "careful"}
OBSERVING = "observing"  # followed by the project `default` alone, until it is given a path; nobody chooses it
ALIASES: dict[GateStage, str] = {"production": "champion"}


class AppliesTo(Struct, frozen=True, forbid_unknown_fields=True):
    """Which projects may take the path."""

    risk: list[RiskTier] = msgspec.field(default_factory=lambda: list(get_args(RiskTier)))


def gate_type(checks: dict[str, Check]) -> type[Struct]:
    """The type of one entry of a stage: a key for each check, with that check's own parameters."""
    fields = [(name, check.parameters | UnsetType, UNSET) for name, check in checks.items()]
    return msgspec.defstruct("Gate", fields, frozen=True, forbid_unknown_fields=True)


def path_type(checks: dict[str, Check]) -> Any:
    """The type of a whole path's text."""
    gates: Any = list.__class_getitem__(gate_type(checks))
    stages = msgspec.defstruct(
        "Stages",
        [(stage, gates, msgspec.field(default_factory=list)) for stage in GATE_STAGES],
        forbid_unknown_fields=True,
    )
    fields: list[Any] = [
        ("path", str),
        ("stages", stages),
        ("applies_to", AppliesTo, AppliesTo()),
        ("aliases", dict[GateStage, str], msgspec.field(default_factory=lambda: dict(ALIASES))),
    ]
    return msgspec.defstruct("Path", fields, forbid_unknown_fields=True)


PATH = path_type(CHECKS)


def read_path(text: str, *, name: str) -> PathVersion:
    """The path that a YAML text describes, not yet published. Raises YamlBroken.

    name: what a refusal calls the text, such as a file's name.
    """
    given = read_yaml(text, PATH, name=name)
    reader = Broken(text, name)
    if not is_name(given.path):
        raise reader.at(["path"], f"{given.path!r} is not accepted", "a name of a-z, 0-9, '.', '_' and '-'")
    if not given.applies_to.risk:
        raise reader.at(["applies_to", "risk"], "no tier is named", "at least one of low, medium and high")
    for stage, alias in given.aliases.items():
        if not is_name(alias) or alias.isdigit():
            raise reader.at(["aliases", stage], f"{alias!r} is not accepted", "a name that is no number")
    if len(set(given.aliases.values())) < len(given.aliases):
        raise reader.at(["aliases"], "two stages move the same alias", "an alias of its own for each")
    stages = [PathStage(stage, specs(getattr(given.stages, stage), stage, reader)) for stage in GATE_STAGES]
    asks = {
        "path": given.path,
        "risk": given.applies_to.risk,
        "aliases": given.aliases,
        "stages": {stage.stage: [(gate.name, gate.check, gate.parameters) for gate in stage.gates] for stage in stages},
    }
    return PathVersion(
        name=given.path,
        version=0,
        digest=digest_of(canonical_json(asks)),
        risk=given.applies_to.risk,
        aliases=given.aliases,
        stages=stages,
        text=text,
        published_by="",
        published_at=None,
    )


def specs(gates: list[Any], stage: GateStage, reader: Broken) -> list[GateSpec]:
    """The gates of a stage. Several of one check are told apart by a number."""
    found: list[GateSpec] = []
    for index, gate in enumerate(gates):
        asked = {name: value for name in gate.__struct_fields__ if (value := getattr(gate, name)) is not UNSET}
        if len(asked) != 1:
            problem = f"this entry names {len(asked)} checks" if asked else "this entry names no check"
            raise reader.at(["stages", stage, str(index)], problem, f"one of {', '.join(CHECKS)}")
        [(check, parameters)] = asked.items()
        count = sum(each.check == check for each in found) + 1
        name = check if count == 1 else f"{check}-{count}"
        title = CHECKS[check].title(parameters)
        found.append(GateSpec(name, check, msgspec.to_builtins(parameters), title))
    return found


class Broken:
    """Makes refusals that point into a path's text."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name

    def at(self, steps: list[str], problem: str, expected: str) -> YamlBroken:
        node = walk(read_tree(self.text, self.name), steps)
        return YamlBroken(file=self.name, line=node.line, key=".".join(steps), problem=problem, expected=expected)


def parameters_of(spec: GateSpec) -> Any:
    """A gate's parameters as its check takes them."""
    return msgspec.convert(spec.parameters, CHECKS[spec.check].parameters)


@cache
def packaged(name: str) -> PathVersion | None:
    """A path that ships with the platform, as the first version that a home would pin; None where none has the name."""
    if name not in (*PACKAGED.values(), OBSERVING):
        return None
    text = (files("taxiway.gates") / "policies" / f"{name}.yaml").read_text(encoding="utf-8")
    path = read_path(text, name=f"{name}.yaml")
    return msgspec.structs.replace(path, version=1, published_by="taxiway", is_pinned=False)
