"""The CLI of judging a bundle by a path, which stands among that of gates."""

from __future__ import annotations

import importlib
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.dossiers.judging.client import judge
from taxiway.dossiers.judging.contract import Judged
from taxiway.gates.contract import GATE_STAGES
from taxiway.kernel.away import ServerMissing
from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.errors import BadField
from taxiway.kernel.rich import MARKS
from taxiway.kernel.show import as_table
from taxiway.models.bundles.bundle import bundle_digest, read_manifest

if TYPE_CHECKING:
    from taxiway.client import Client


def is_dossier(given: Namespace) -> bool:
    return str(given.subject).endswith(".zip")


def verify(client: Client | None, given: Namespace) -> Judged:
    """Of a dossier without a platform; of a name, digest or folder by the platform."""
    file = Path(given.path) if given.path else None
    is_file = file is not None and (file.suffix in (".yaml", ".yml") or file.is_file())
    if client is None:
        if file is None or not is_file:
            raise BadField(
                field="path", value=repr(given.path), expected="a path's YAML file, where there is no platform"
            )
        # What judges offline reads YAML, which the light client does not bring along.
        try:
            offline: Any = importlib.import_module("taxiway.dossiers.judging.offline")
            policy: Any = importlib.import_module("taxiway.gates.paths.policy")
        except ModuleNotFoundError as e:
            raise ServerMissing from e
        path = policy.read_path(file.read_text(encoding="utf-8"), name=file.name)
        head = Path(given.head) if given.head else None
        found: Judged = offline.judge_file(Path(given.subject), path, given.stage, key=given.key, head=head)
        return found
    subject = str(given.subject)
    if Path(subject).is_dir():
        subject = bundle_digest(read_manifest(Path(subject)))
    return judge(client.transport, subject, file if file is not None and is_file else given.path or "", given.stage)


def tell(found: Judged) -> str:
    if found.problem:
        return f"The dossier does not hold. {found.problem}."
    rows = [
        {
            "before": gate.stage,
            "gate": gate.gate,
            "": f"{MARKS[gate.verdict]} {gate.verdict}{'' if gate.mode == 'block' else f' ({gate.mode}s only)'}",
            "found": gate.sentence,
        }
        for gate in found.gates
    ]
    closed = [gate.gate for gate in found.gates if gate.stops]
    ends = "every gate that counts is open" if found.is_open else f"not open: {', '.join(closed)}"
    head = f"{found.thing} ({found.bundle}) before {found.path}, up to {found.stage}: {ends}."
    return f"{head}\n\n{as_table(rows)}"


COMMANDS = (
    Command(
        "verify",
        "whether a bundle passes a path; exit code 1 where it does not",
        verify,
        (
            Argument("subject", "MODEL@VERSION, a bundle's digest or folder, or a dossier's .zip"),
            Argument("--path", "a path's YAML file, or the name of a published one (default: its own)", default=""),
            Argument("--stage", "the stage up to which gates count", default="production", choices=GATE_STAGES),
            Argument(
                "--key", "of a dossier, which needs it: the fingerprint of the key that must have sealed it", default=""
            ),
            Argument("--head", "of a dossier: a head of the audit log that was kept elsewhere", is_file=True),
        ),
        show=tell,
        exit_code=lambda found: 0 if found.is_open else 1,
        is_offline=is_dossier,
    ),
)
