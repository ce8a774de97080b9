"""Judging by a dossier alone: the file is verified first, then its signed statements are held against the path.

What no statement says (an approval's author being nobody's friend, a finding that is open today) a file cannot know:
such a gate is missing, and stops where it counts.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from taxiway.dossiers import verify
from taxiway.dossiers.judging.contract import Judged, JudgedGate
from taxiway.gates.approving.authorship import approvals_asked
from taxiway.gates.contract import GATE_STAGES, GateSpec, GateStage, PathVersion
from taxiway.gates.laws.quorum import Voice, lacking
from taxiway.kernel.canonical import canonical_json
from taxiway.kernel.errors import BadField

Said = dict[str, Any]
UNREADABLE = (
    verify.Fails,
    struct.error,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    RecursionError,
)
OWN = "https://taxiway.dev/"
CHECKED, APPROVED, WITHDRAWN = (f"{OWN}{kind}/v1" for kind in ("check-result", "approval", "withdrawal"))


def judge_file(file: Path, path: PathVersion, stage: GateStage, *, key: str, head: Path | None) -> Judged:
    """How the version of a dossier stands before a path. A dossier that does not hold gives `problem`.

    key: the fingerprint of the key that must have sealed it. Raises BadField without one: whoever makes a key of their
    own can seal a dossier in which everybody approved.
    """
    if not key:
        raise BadField(field="key", value="nothing", expected="the fingerprint of the key that must have sealed it")
    try:
        held = json.loads(head.read_bytes().splitlines()[-1]) if head else None
        with file.open("rb") as source:
            verify.verify(source, key, held)
            source.seek(0)
            manifest, statements = read(source)
    except UNREADABLE as e:
        words = str(e) if isinstance(e, verify.Fails) else f"Something inside cannot be read: {e!r}"
        words = words.translate(verify.PLAIN)
        return Judged("", "", path.name, stage, is_open=False, gates=[], source=str(file), as_of="", problem=words)
    counted = GATE_STAGES[: GATE_STAGES.index(stage) + 1]
    gates = [
        judged(spec, each.stage, statements) for each in path.stages if each.stage in counted for spec in each.gates
    ]
    return Judged(
        thing=manifest["thing"],
        bundle=manifest["bundle"],
        path=path.name,
        stage=stage,
        is_open=not any(gate.stops for gate in gates),
        gates=gates,
        source=str(file),
        as_of=manifest["as_of"],
    )


def read(source: Any) -> tuple[Said, list[Said]]:
    """What a dossier that was verified says of itself, and its statements about the bundle, oldest first."""
    said, _, _ = verify.check_seal(text := verify.read_manifest(source), "")
    manifest = said["predicate"]
    found = verify.read_files(source, text, said["subject"], manifest["sizes"])
    payloads = [verify.opened(found[name], name)[0] for name in found if name.startswith("statements/")]
    statements = [json.loads(payload) for payload in payloads]
    digest = manifest["bundle"].removeprefix("sha256:")
    about = [one for one in statements if any(s["digest"].get("sha256") == digest for s in one["subject"])]
    return manifest, sorted(about, key=lambda one: str(one["predicate"].get("at", "")))


def judged(spec: GateSpec, stage: GateStage, statements: Iterable[Said]) -> JudgedGate:
    verdict, sentence = (approvals if spec.check == "approvals" else checked)(spec, stage, list(statements))
    stops = spec.mode == "block" and verdict != "pass"
    return JudgedGate(stage, spec.name, spec.check, spec.mode, verdict, sentence, stops)


def checked(spec: GateSpec, stage: GateStage, statements: list[Said]) -> tuple[Any, str]:
    """What the newest statement says of exactly this check with these parameters."""
    wanted = canonical_json(spec.parameters)
    for said in reversed(statements):
        found = said["predicate"]
        if said["predicateType"] != CHECKED or found["check"] != spec.check:
            continue
        if canonical_json(found["parameters"]) == wanted:
            return found["outcome"]["verdict"], str(found["outcome"]["reason"])
    return "missing", f"No signed statement says what {spec.check} found with these parameters."


def approvals(spec: GateSpec, stage: GateStage, statements: list[Said]) -> tuple[Any, str]:
    """Whether enough people approved, neither taken back nor run out by this machine's clock."""
    taken = {said["predicate"]["approval"] for said in statements if said["predicateType"] == WITHDRAWN}
    given = [said["predicate"] for said in statements if said["predicateType"] == APPROVED]
    now = datetime.now(UTC)
    counting = [
        each
        for each in given
        if each["id"] not in taken
        and each["stage"] == stage
        and (each["expires_at"] is None or datetime.fromisoformat(each["expires_at"]) > now)
    ]
    newest = counting[-1]["digests"] if counting else None
    same = [each for each in counting if each["digests"] == newest]
    seats = approvals_asked(spec).seats
    lacks = lacking(seats, [Voice(each["by"], each["role"], each.get("on_behalf_of", "")) for each in same])
    names = ", ".join(sorted({each["by"] for each in same})) or "nobody"
    sentence = f"{len(seats) - len(lacks)} of {len(seats)} approvals are signed and count, by {names}."
    return ("missing" if lacks else "pass"), sentence
