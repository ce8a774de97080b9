"""The CLI of control packs, which stands among that of gates."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.dossiers.documents.contract import FORMATS
from taxiway.dossiers.documents.words import clause_name, mark_of, source_words, state_word, tally
from taxiway.dossiers.packs.contract import Coverage, PackListed
from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.show import as_table

if TYPE_CHECKING:
    from taxiway.client import Client


def packs(client: Client, given: Namespace) -> list[PackListed]:
    return client.dossiers.packs()


def coverage(client: Client, given: Namespace) -> Coverage:
    if given.out:
        client.dossiers.save_coverage(given.version, given.pack, Path(given.out), form=given.format)
    return client.dossiers.coverage(given.version, given.pack)


def tell(found: Coverage) -> str:
    rows = [
        {
            "clause": clause_name(clause),
            "": f"{mark_of(clause.state)} {state_word(clause.state)}",
            "missing": ", ".join(source_words(each.source) for each in clause.shown if not each.is_there),
        }
        for clause in found.clauses
    ]
    dates = "".join(f"\n{each.date}: {each.what}" for each in found.effective)
    formerly = f" (formerly {found.formerly})" if found.formerly else ""
    return f"{found.title}{formerly}, of {found.thing}: {tally(found)}.{dates}\n\n{as_table(rows)}"


COMMANDS = (
    Command(
        "coverage",
        "which records of a version are evidence for the clauses of a control pack, and where the gaps are",
        coverage,
        (
            Argument("version", "MODEL@VERSION or MODEL@ALIAS; MODEL alone is the newest version"),
            Argument("--pack", "the pack; `taxiway gates packs` lists them", default="eu-ai-act"),
            Argument("--format", "of the file", default="html", choices=FORMATS),
            Argument("--out", "a file to write", default="", is_file=True),
        ),
        show=tell,
    ),
    Command(
        "packs",
        "the control packs there are",
        packs,
        columns=("name", "version", "title", "clauses", "origin", "problem"),
    ),
)
