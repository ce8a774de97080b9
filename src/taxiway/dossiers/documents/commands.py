"""The CLI of documents, which stands among that of models."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.dossiers.documents.contract import DOCUMENTS, FORMATS, Document
from taxiway.dossiers.documents.words import mark_of, state_word, sums
from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.show import as_table

if TYPE_CHECKING:
    from taxiway.client import Client

VERSION = Argument("version", "MODEL@VERSION or MODEL@ALIAS; MODEL alone is the newest version")


def document(client: Client, given: Namespace) -> Document:
    """Writes it where a file is given, and tells what it says either way."""
    named = str(vars(given)["as"])
    if given.out:
        client.dossiers.save_document(given.version, Path(given.out), named, form=given.format)
    return client.dossiers.document(given.version, named)


def tell(found: Document) -> str:
    rows = [
        {
            "": f"{mark_of(field.state)} {state_word(field.state)}",
            "part": section.title,
            "field": field.title,
            "lacks": field.lacks,
        }
        for section in found.sections
        for field in section.fields
    ]
    return f"{found.title} of {found.thing}: {sums(found)}.\n\n{as_table(rows)}"


COMMANDS = (
    Command(
        "document",
        "the documentation of a version for people, made from records: which fields are filled, or a file",
        document,
        (
            VERSION,
            Argument("--as", "which document", default="annex-iv", choices=DOCUMENTS),
            Argument("--format", "of the file", default="html", choices=FORMATS),
            Argument("--out", "the file to write", default="", is_file=True),
        ),
        show=tell,
    ),
)
