"""What a client knows of refusals: every class that a noun's light rooms declare, whatever folder it lies in."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import taxiway
from taxiway import NOUNS

ROOT = Path(taxiway.__file__).parent
SCRIPT = (
    "from taxiway.client import learn_refusals; from taxiway.kernel.errors import TaxiwayError\n"
    "learn_refusals(); print(*sorted(TaxiwayError.known))"
)


def declared() -> list[str]:
    """The refusals in the contracts and refusals of every noun, read from their files."""
    files = [file for noun in NOUNS for room in ("contract", "refusals") for file in (ROOT / noun).rglob(f"{room}.py")]
    return [
        node.name
        for file in files
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "TaxiwayError" for base in node.bases)
    ]


def test_a_client_knows_the_refusals_of_rooms_within_rooms() -> None:
    answer = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)

    assert {"NeedsProposal", "NotWaivable"} <= set(declared())
    assert set(declared()) - set(answer.stdout.split()) == set()
