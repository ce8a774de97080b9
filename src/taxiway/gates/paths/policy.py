"""Reading a path's YAML: strictly, with the line and key of whatever is wrong."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from taxiway.gates.checks.port import Check
from taxiway.gates.checks.register import CHECKS
from taxiway.gates.contract import GATE_STAGES, GateMode, GateSpec, GateStage, PathStage, PathVersion
from taxiway.gates.exceptions.asked import GATE_KEYS, PATH_KEYS, leeway_of, with_leeway
from taxiway.gates.reviews.periods import ReviewAsk, asked_in
from taxiway.kernel.canonical import canonical_json
from taxiway.kernel.ids import is_name
from taxiway.models.bundles.bundle import digest_of
from taxiway.projects.contract import RiskTier
from taxiway.storage.contract import YamlBroken
from taxiway.storage.yaml_text import read_tree, read_yaml, walk

PACKAGED: dict[RiskTier, str] = {"low": "light", "medium": "standard", "high": "careful"}
OBSERVING = "observing"  # followed by the project `default` alone, until it is given a path; nobody chooses it
ALIASES: dict[GateStage, str] = {"production": "champion"}
LogAsk = Literal["acknowledged", "buffered"]
NAME = "name"  # of a gate, beside a check's key
NAME_EXPECTED = "a name of a-z, 0-9, '.', '_' and '-'"
MODE = "mode"  # beside a check's key, and at the top for those gates that say none


class AppliesTo(Struct, frozen=True, forbid_unknown_fields=True):
    """Which projects may take the path."""

    risk: list[RiskTier] = msgspec.field(default_factory=lambda: list(get_args(RiskTier)))


class Platform(Struct, frozen=True, forbid_unknown_fields=True):
    """The tiers of whose projects the platform demands the path, whatever path they take themselves."""

    risk: list[RiskTier] = msgspec.field(default_factory=lambda: list(get_args(RiskTier)))


def gate_type(checks: dict[str, Check]) -> type[Struct]:
    """The type of one entry of a stage: a key for each check, with that check's own parameters, its name and mode."""
    fields: list[Any] = [(name, check.parameters | UnsetType, UNSET) for name, check in checks.items()]
    fields.append((NAME, str | UnsetType, UNSET))
    fields.append((MODE, GateMode | UnsetType, UNSET))
    fields += GATE_KEYS
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
        ("platform", Platform | UnsetType, UNSET),
        ("review", ReviewAsk | UnsetType, UNSET),
        (MODE, GateMode | UnsetType, UNSET),
        ("aliases", dict[GateStage, str] | UnsetType, UNSET),
        ("log", LogAsk | UnsetType, UNSET),
        *PATH_KEYS,
    ]
    return msgspec.defstruct("Path", fields, forbid_unknown_fields=True)


@cache
def path_now() -> Any:
    """The type of a path's text with the checks that are installed."""
    return path_type(CHECKS.load_all())


def read_path(text: str, *, name: str, mode: GateMode = "block") -> PathVersion:
    """The path that a YAML text describes, not yet published. Raises YamlBroken.

    name: what a refusal calls the text, such as a file's name. mode: of a text that says none.
    """
    given = read_yaml(text, path_now(), name=name)
    reader = Broken(text, name)
    require_whole(given, reader)
    platform = [] if given.platform is UNSET else given.platform.risk
    usual = mode if given.mode is UNSET else given.mode
    aliases: dict[GateStage, str] = given.aliases if given.aliases is not UNSET else {} if platform else dict(ALIASES)
    require_aliases(aliases, reader)
    stages = [PathStage(stage, specs(getattr(given.stages, stage), stage, usual, reader)) for stage in GATE_STAGES]
    if platform:
        stages = [
            PathStage(each.stage, [replace(gate, demanded_by="platform") for gate in each.gates]) for each in stages
        ]
    return PathVersion(
        name=given.path,
        version=0,
        digest=digest_of(
            canonical_json(
                with_leeway(
                    asked(given.path, given.applies_to.risk, platform, aliases, stages)
                    | asked_in(given.review)
                    | ({} if given.log is UNSET else {"log": given.log}),
                    leeway_of(given),
                    stages,
                )
            )
        ),
        risk=given.applies_to.risk,
        aliases=aliases,
        stages=stages,
        text=text,
        published_by="",
        published_at=None,
        mode=usual,
        platform=platform,
        leeway=leeway_of(given),
    )


def asked(
    name: str, risk: list[RiskTier], platform: list[RiskTier], aliases: dict[GateStage, str], stages: list[PathStage]
) -> dict[str, Any]:
    """What the digest of a path stands for."""
    gates = {
        each.stage: [(gate.name, gate.check, gate.parameters, gate.mode) for gate in each.gates] for each in stages
    }
    return {"path": name, "risk": risk, "platform": platform, "aliases": aliases, "stages": gates}


@lru_cache(maxsize=256)
def log_asked(text: str) -> LogAsk | None:
    """How soon the inference logs of those who take a path must be on the disk; None where its text says nothing."""
    given = read_yaml(text, path_now(), name="path")
    return None if given.log is UNSET else given.log


def require_whole(given: Any, reader: Broken) -> None:
    """Raises YamlBroken for a name that is none, and for tiers that nobody is in."""
    if not is_name(given.path):
        raise reader.at(["path"], f"{given.path!r} is not accepted", NAME_EXPECTED)
    if not given.applies_to.risk:
        raise reader.at(["applies_to", "risk"], "no tier is named", "at least one of low, medium and high")
    if given.platform is not UNSET and not given.platform.risk:
        raise reader.at(["platform", "risk"], "no tier is named", "at least one of low, medium and high")


def require_aliases(aliases: dict[GateStage, str], reader: Broken) -> None:
    for stage, alias in aliases.items():
        if not is_name(alias) or alias.isdigit():
            raise reader.at(["aliases", stage], f"{alias!r} is not accepted", "a name that is no number")
    if len(set(aliases.values())) < len(aliases):
        raise reader.at(["aliases"], "two stages move the same alias", "an alias of its own for each")


def specs(gates: list[Any], stage: GateStage, usual: GateMode, reader: Broken) -> list[GateSpec]:
    """The gates of a stage, by the names they say, or else by their checks: several of one are told apart by a number.

    usual: the mode of those that say none.
    """
    found: list[GateSpec] = []
    for index, gate in enumerate(gates):
        said = {name: value for name in CHECKS if (value := getattr(gate, name)) is not UNSET}
        if len(said) != 1:
            problem = f"this entry names {len(said)} checks" if said else "this entry names no check"
            raise reader.at(["stages", stage, str(index)], problem, f"one of {', '.join(CHECKS)}")
        [(check, parameters)] = said.items()
        count = sum(each.check == check for each in found) + 1
        name = (check if count == 1 else f"{check}-{count}") if gate.name is UNSET else gate.name
        if not is_name(name):
            raise reader.at(["stages", stage, str(index), NAME], f"{name!r} is not accepted", NAME_EXPECTED)
        if any(each.name == name for each in found):
            raise reader.at(["stages", stage, str(index)], f"two gates are called {name!r}", "a `name` of its own")
        title = CHECKS[check].title(parameters)
        mode = usual if gate.mode is UNSET else gate.mode
        spec = GateSpec(name, check, msgspec.to_builtins(parameters), title, mode)
        days = gate.inconclusive.days if gate.inconclusive is not UNSET else 0
        found.append(replace(spec, waivable=gate.waivable, conditional_days=days))
    return found


def with_mode(text: str, mode: GateMode, *, name: str) -> str:
    """The text, saying its mode: a line of its own before the path's name where it says none.

    Raises YamlBroken for one that is written in one line, where there is no room.
    """
    tree = read_tree(text, name)
    if MODE in tree.inside:
        return text
    lines = text.splitlines(keepends=True)
    at = tree.inside["path"].line - 1
    if not lines[at].startswith("path"):
        raise Broken(text, name).at([], "it does not say its mode", "mode: observe, mode: warn or mode: block")
    return "".join([*lines[:at], f"mode: {mode}\n", *lines[at:]])


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
    text = (files("taxiway.gates.paths") / "policies" / f"{name}.yaml").read_text(encoding="utf-8")
    path = read_path(text, name=f"{name}.yaml")
    return replace(path, version=1, published_by="taxiway", is_pinned=False)
