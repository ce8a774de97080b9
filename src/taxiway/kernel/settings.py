"""What the surroundings say, read once at the top and passed down."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from taxiway.kernel.errors import TaxiwayError

HOME_NAME = ".taxiway"
PROJECT_FILE = "taxiway.toml"


class ProjectFileBroken(TaxiwayError):
    """The folder's taxiway.toml cannot be read."""

    status = 400
    file: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file} cannot be read: {self.problem}. Mend it, or write a new one with `taxiway init`."


class Settings(Struct, frozen=True):
    """Where to work: a server's address, or the home of an embedded one; and the folder's own defaults."""

    home: Path
    url: str | None = None
    token: str | None = None
    project: str = "default"
    experiment: str = "default"
    run: str | None = None  # the run that `taxiway run` opened for this process


def read_settings(folder: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from TAXIWAY_URL, TAXIWAY_TOKEN, TAXIWAY_HOME, TAXIWAY_PROJECT, TAXIWAY_EXPERIMENT, TAXIWAY_RUN
    and the nearest taxiway.toml above `folder` (default: the working directory). The environment wins.

    Raises ProjectFileBroken.
    """
    env = os.environ if environment is None else environment
    start = (folder or Path.cwd()).resolve()
    defaults = read_project_file(start)
    home = Path(env["TAXIWAY_HOME"]) if env.get("TAXIWAY_HOME") else find_home(start)
    return Settings(
        home=home.expanduser().resolve(),
        url=env.get("TAXIWAY_URL") or defaults.get("url"),
        token=env.get("TAXIWAY_TOKEN") or None,
        project=env.get("TAXIWAY_PROJECT") or defaults.get("project", "default"),
        experiment=env.get("TAXIWAY_EXPERIMENT") or defaults.get("experiment", "default"),
        run=env.get("TAXIWAY_RUN") or None,
    )


def find_home(start: Path) -> Path:
    """The nearest `.taxiway` folder at or above `start`, like `.git`; where there is none, the one to make."""
    for folder in (start, *start.parents):
        if (folder / HOME_NAME).is_dir():
            return folder / HOME_NAME
    project = find_project_file(start)
    return (project.parent if project else start) / HOME_NAME


def find_project_file(start: Path) -> Path | None:
    """The nearest taxiway.toml at or above `start`."""
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder / PROJECT_FILE
    return None


def read_project_file(start: Path) -> dict[str, Any]:
    """The texts at the top of the nearest taxiway.toml: `project`, `experiment`, `url`."""
    file = find_project_file(start)
    if file is None:
        return {}
    try:
        return {k: v for k, v in tomllib.loads(file.read_text()).items() if isinstance(v, str)}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as e:
        raise ProjectFileBroken(file=str(file), problem=str(e)) from e
