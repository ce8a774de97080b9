"""Writing the template's files, and opening the project they speak of."""

from __future__ import annotations

import contextlib
import re
from importlib.resources import files
from pathlib import Path
from string import Template

from msgspec import Struct

from taxiway.client import connect
from taxiway.kernel.errors import AlreadyExists, BadField, TaxiwayError
from taxiway.kernel.ids import is_name

FILES = ("taxiway.toml", "train.py", "path.yaml", "test_train.py")


class FilesInTheWay(TaxiwayError):
    """The folder has files of the template's names already."""

    status = 409
    folder: str
    files: list[str]

    def __str__(self) -> str:
        return (
            f"{self.folder} has {', '.join(self.files)} already, and nothing is overwritten. "
            f"Move them away, or name an empty folder: `taxiway init FOLDER`."
        )


class Begun(Struct, frozen=True):
    """What `taxiway init` made."""

    folder: Path
    project: str
    files: list[str]


def begin(folder: Path, project: str = "") -> Begun:
    """Writes the template into `folder` and opens its project with its path, in the folder's home or on the server.

    project: by default the folder's name. Raises FilesInTheWay, BadField; then nothing is written.
    """
    folder = folder.resolve()
    name = project or as_name(folder.name)
    if not is_name(name):
        expected = "a name of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, at most 63 characters"
        raise BadField(field="--project", value=repr(name), expected=expected)
    taken = [file for file in FILES if (folder / file).exists()]
    if taken:
        raise FilesInTheWay(folder=str(folder), files=taken)
    folder.mkdir(parents=True, exist_ok=True)
    template = files("taxiway.starter") / "template"
    for file in FILES:
        text = template.joinpath(file).read_text(encoding="utf-8")
        (folder / file).write_text(Template(text).safe_substitute(project=name), encoding="utf-8")
    open_project(folder, name)
    return Begun(folder, name, list(FILES))


def open_project(folder: Path, name: str) -> None:
    """The project and its path. One of that name that is there already is left as it is."""
    with connect(start=folder, door="cli") as client:
        client.gates.publish(folder / "path.yaml")
        with contextlib.suppress(AlreadyExists):
            client.projects.create(name, purpose="First steps", risk="low", path=name)


def as_name(text: str) -> str:
    """A folder's name as a project's: lower case, and a dash for what a name cannot hold.

    >>> as_name("My Models (2026)")
    'my-models-2026'
    """
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:63]
