"""What an artifact holds, as far as a page can show it: pictures, tables, text, and HTML that runs nothing."""

from __future__ import annotations

import csv
import io
import re
from typing import Any, Literal

import msgspec
from msgspec import Struct

from taxiway.runs.contract import Artifact
from taxiway.runs.service import Runs
from taxiway.runs.showing import telling
from taxiway.runs.showing.table import MOST_COLUMNS, MOST_ROWS, Table, cell, read_parquet
from taxiway.web.site import Html, View

Kind = Literal["picture", "table", "text", "page", "none"]

MOST_TEXT_BYTES = 300_000
MOST_NESTED = 20
NESTING = re.compile(r'"(?:[^"\\]|\\.)*"?|[][{}]', re.DOTALL)  # a text, which may hold brackets, or a bracket
LARGEST_PARQUET = 2 << 30
PICTURES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp")
TEXTS = (".txt", ".md", ".py", ".yaml", ".yml", ".toml", ".json", ".log", ".cfg", ".ini", ".sh", ".sql", ".r", ".diff")
NAMES = ("MLmodel", "requirements.txt", "conda.yaml", "Dockerfile", "Makefile")


class Preview(Struct, frozen=True):
    kind: Kind
    text: str = ""
    table: Table | None = None
    note: str = ""


class ArtifactPage:
    def __init__(self, runs: Runs) -> None:
        self.runs = runs

    def show(self, view: View) -> Html:
        run = self.runs.find(view.path["run"])
        artifact = self.runs.artifact(run.id, view.one("path"))
        values = {
            "title": telling.shown_path(artifact.path),
            "project": run.project,
            "run": run,
            "artifact": artifact,
            "preview": self.preview(artifact),
        }
        return Html("runs/artifact.html", "runs", values)

    def preview(self, artifact: Artifact) -> Preview:
        """What can be shown of it. Bytes that are not what their name says are told, not shown."""
        kind = kind_of(artifact)
        if kind in ("picture", "page", "none"):
            return Preview(kind)
        try:
            if artifact.path.lower().endswith(".parquet"):
                return Preview("table", table=read_parquet(self.runs.blobs.file(artifact.digest)))
            with self.runs.blobs.open(artifact.digest) as file:
                text = file.read(MOST_TEXT_BYTES).decode("utf-8")
        except UnicodeDecodeError:
            return Preview("none", note="Its bytes are no text in UTF-8.")
        except (OSError, ValueError) as e:  # pyarrow's errors are ValueErrors
            return Preview("none", note=f"It cannot be read as a table: {str(e).splitlines()[0][:200]}")
        try:
            return preview_of_text(artifact, text)
        except csv.Error as e:  # such as a value without end
            return Preview("none", note=f"It cannot be read as a table: {e}")


def preview_of_text(artifact: Artifact, text: str) -> Preview:
    is_cut = artifact.size_bytes > MOST_TEXT_BYTES
    note = f"The first {MOST_TEXT_BYTES // 1000} kB; download the file for the rest." if is_cut else ""
    if kind_of(artifact) == "table":
        return Preview("table", table=read_csv(text, artifact.path, is_cut=is_cut), note=note)
    if (table := table_in(text)) is not None:
        return Preview("table", table=table, note=note)
    is_json = artifact.path.endswith(".json") and not is_cut
    return Preview("text", text=pretty(text) if is_json else text, note=note)


def kind_of(artifact: Artifact) -> Kind:
    name = artifact.path.rpartition("/")[2]
    lower = name.lower()
    if artifact.media_type in PICTURES:
        return "picture"
    if artifact.media_type == "text/html" or lower.endswith((".html", ".htm")):
        return "page"
    if lower.endswith((".parquet", ".csv", ".tsv")):
        return "table" if not lower.endswith(".parquet") or artifact.size_bytes <= LARGEST_PARQUET else "none"
    is_text = artifact.media_type.startswith("text/") or artifact.media_type == "application/json"
    return "text" if is_text or lower.endswith(TEXTS) or name in NAMES else "none"


def read_csv(text: str, path: str, *, is_cut: bool) -> Table:
    """The first rows of separated values; the first line names the columns."""
    if is_cut:
        text = text[: text.rfind("\n") + 1] or text
    lines = list(csv.reader(io.StringIO(text), delimiter="\t" if path.lower().endswith(".tsv") else ","))
    if not lines:
        return Table([], [], 0)
    head, rows = lines[0][:MOST_COLUMNS], lines[1:]
    shown = [[cell(value) for value in (row + [""] * len(head))[: len(head)]] for row in rows[:MOST_ROWS]]
    return Table(head, shown, None if is_cut else len(rows))


def table_in(text: str) -> Table | None:
    """The table in a JSON text of the form {"columns": [...], "data": [[...], ...]}; None where there is none."""
    try:
        said: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    match said:
        case {"columns": [*columns], "data": [*rows]} if all(isinstance(row, list) for row in rows):
            head = [str(name) for name in columns][:MOST_COLUMNS]
            return Table(head, [[cell(value) for value in row[: len(head)]] for row in rows[:MOST_ROWS]], len(rows))
    return None


def pretty(text: str) -> str:
    """JSON with a line for each value; as it is where it is none, or nested so deeply that it is mostly margin."""
    depth = 0
    for found in NESTING.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth > MOST_NESTED:
            return text
    try:
        return msgspec.json.format(text, indent=2)
    except msgspec.DecodeError:
        return text
