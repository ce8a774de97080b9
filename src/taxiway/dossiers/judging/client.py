"""The SDK of judging."""

from __future__ import annotations

from pathlib import Path

from taxiway.dossiers.judging import contract
from taxiway.dossiers.judging.contract import JudgeBundle, Judged
from taxiway.gates.contract import GateStage
from taxiway.kernel.transport import Transport


def judge(transport: Transport, subject: str, path: str | Path = "", stage: GateStage = "production") -> Judged:
    """How a bundle, by MODEL@VERSION or digest, stands before a path: a published one's name, or a YAML file."""
    if isinstance(path, Path):
        body = JudgeBundle(subject, text=path.read_text(encoding="utf-8"), name=path.name, stage=stage)
    else:
        body = JudgeBundle(subject, path=path, stage=stage)
    return transport.call(contract.judge_bundle, body)
