"""What the platform demands beside the path that a project takes: both are asked, so that it is never less. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from taxiway.gates.contract import GateSpec, GateStage, Party, PathStage, PathVersion
from taxiway.gates.exceptions.asked import narrowed
from taxiway.kernel.canonical import canonical_json
from taxiway.models.bundles.bundle import digest_of


def together(own: PathVersion, platform: Sequence[PathVersion]) -> PathVersion:
    """The path that holds: before each stage the gates of the platform's paths, then those of the project's own.

    A platform's gate is called after its path, such as ``baseline.performance``. Its digest stands for all of them.
    An alias that the platform names moves with the platform's stage, whatever the project's path says of it.
    """
    others = [each for each in platform if each.name != own.name]
    stages = [
        PathStage(stage.stage, [*demanded(stage.stage, others), *from_path(stage, own, "")]) for stage in own.stages
    ]
    if not others:
        return replace(own, stages=stages)
    named = {stage: alias for each in others for stage, alias in each.aliases.items()}
    kept = {stage: alias for stage, alias in own.aliases.items() if alias not in named.values()}
    return replace(
        own,
        digest=digest_of(canonical_json({"path": own.digest, "platform": [each.digest for each in others]})),
        aliases=kept | named,
        stages=stages,
        demands=[each.ref for each in others],
        leeway=narrowed(own.leeway, [each.leeway for each in others]),
    )


def demanded(stage: GateStage, platform: Sequence[PathVersion]) -> list[GateSpec]:
    return [
        spec
        for path in platform
        for each in path.stages
        if each.stage == stage
        for spec in from_path(each, path, f"{path.name}.")
    ]


def from_path(stage: PathStage, path: PathVersion, prefix: str) -> list[GateSpec]:
    """A path's gates before a stage, each knowing where it comes from."""
    by: Party = "platform" if path.platform else "project"
    return [replace(spec, name=f"{prefix}{spec.name}", demanded_by=by, path=path.ref) for spec in stage.gates]
