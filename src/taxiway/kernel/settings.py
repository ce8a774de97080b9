"""What the surroundings say, read once at the top and passed down."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from taxiway.kernel.errors import BadField, TaxiwayError

HOME_NAME = ".taxiway"
PROJECT_FILE = "taxiway.toml"


class ProjectFileBroken(TaxiwayError):
    """The folder's taxiway.toml cannot be read."""

    status = 400
    file: str
    problem: str

    def __str__(self) -> str:
        known = ", ".join(ProjectFile.__struct_fields__)
        return f"{self.file} cannot be read: {self.problem}. Mend it; it may say {known}."


class Settings(Struct, frozen=True):
    """Where to work, and what a run belongs to unless it says otherwise. Each is a variable: TAXIWAY_ and its name."""

    home: Annotated[
        Path,
        Meta(
            description="the folder that holds everything where no server is named; by default the nearest `.taxiway` "
            "above the working directory, or a new one beside `taxiway.toml`, else here"
        ),
    ]
    url: Annotated[str | None, Meta(description="the server to work with, instead of a home")] = None
    token: Annotated[
        str | None, Meta(description="the token that proves to the server who you are; never in a file")
    ] = None
    blobs: Annotated[
        str | None,
        Meta(description="where a new home keeps files: `s3://BUCKET/PREFIX?endpoint=URL` or `file:///FOLDER`"),
    ] = None
    project: Annotated[str, Meta(description="the project that runs belong to")] = "default"
    experiment: Annotated[str, Meta(description="the experiment that runs belong to")] = "default"
    run: Annotated[
        str | None, Meta(description="the run that `taxiway run` opened for this program; it sets it itself")
    ] = None
    run_nth: Annotated[
        int, Meta(description="which of the runs that the program opens is that one; `taxiway runs reproduce` sets it")
    ] = 1
    pins: Annotated[
        tuple[str, ...],
        Meta(
            description="dataset versions, with blanks between, that are read where a program names none; "
            "`taxiway runs reproduce` sets it"
        ),
    ] = ()
    spool: Annotated[
        Path | None,
        Meta(
            description="the folder where what runs log waits for a server that is away; by default `spool` in the "
            "home or, for work with a server, in `taxiway` among your state files"
        ),
    ] = None
    spool_mb: Annotated[
        float, Meta(description="how many MiB of one run's may wait there; what comes after waits in memory")
    ] = 2048.0
    system_s: Annotated[
        float, Meta(description="seconds between samples of the system's metrics of a run; 0 takes none")
    ] = 10.0
    hook_hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="hosts, each with or without `:PORT`, with blanks between, that a server's hooks may lead to "
            "although they are within the network or speak http"
        ),
    ] = ()
    smtp: Annotated[
        str,
        Meta(
            description="the mail server that a server hands e-mail to: `smtps://USER:PASSWORD@HOST`, or "
            "`smtp://HOST:587`, which is sealed by STARTTLS"
        ),
    ] = ""
    mail_from: Annotated[
        str, Meta(description="the address that a server's e-mail comes from, such as `taxiway@bank.example`")
    ] = ""
    witnesses: Annotated[
        tuple[str, ...],
        Meta(
            description="where a server gives each new head of its audit log, with blanks between: `file:///FILE`, "
            "`git:///REPOSITORY` or `https://HOST/PATH`"
        ),
    ] = ()

    public_url: Annotated[
        str, Meta(description="the address under which people open a server, such as `https://taxiway.example`")
    ] = ""
    oidc_issuer: Annotated[
        str, Meta(description="the OpenID provider that people sign in to a server with, as it names itself")
    ] = ""
    oidc_client_id: Annotated[str, Meta(description="the id of the server's client at that provider")] = ""
    oidc_client_secret: Annotated[
        str, Meta(description="the secret of that client; never in a file of the project, nor on a command line")
    ] = ""
    oidc_file: Annotated[
        Path | None, Meta(description="the sign-in file: names from claims, roles from groups; see docs/sign-in.md")
    ] = None


class ProjectFile(Struct, frozen=True, forbid_unknown_fields=True):
    """What a folder's taxiway.toml may say; what is empty is not said. A variable of that name wins."""

    project: str = ""
    experiment: str = ""
    url: str = ""


def read_settings(folder: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the variables TAXIWAY_ and a setting's name, and from the nearest taxiway.toml above `folder`
    (default: the working directory).

    Raises ProjectFileBroken, BadField.
    """
    env = os.environ if environment is None else environment
    start = (folder or Path.cwd()).resolve()
    file = read_project_file(start)
    home = Path(env["TAXIWAY_HOME"]) if env.get("TAXIWAY_HOME") else find_home(start)
    return Settings(
        home=home.expanduser().resolve(),
        url=env.get("TAXIWAY_URL") or file.url or None,
        token=env.get("TAXIWAY_TOKEN") or None,
        blobs=env.get("TAXIWAY_BLOBS") or None,
        project=env.get("TAXIWAY_PROJECT") or file.project or "default",
        experiment=env.get("TAXIWAY_EXPERIMENT") or file.experiment or "default",
        run=env.get("TAXIWAY_RUN") or None,
        run_nth=int(nth) if (nth := env.get("TAXIWAY_RUN_NTH", "")).isdecimal() else 1,
        pins=tuple(env.get("TAXIWAY_PINS", "").split()),
        spool=Path(env["TAXIWAY_SPOOL"]).expanduser().resolve() if env.get("TAXIWAY_SPOOL") else None,
        spool_mb=amount(env, "TAXIWAY_SPOOL_MB", 2048.0),
        system_s=amount(env, "TAXIWAY_SYSTEM_S", 10.0),
        hook_hosts=tuple(env.get("TAXIWAY_HOOK_HOSTS", "").split()),
        smtp=env.get("TAXIWAY_SMTP", ""),
        mail_from=env.get("TAXIWAY_MAIL_FROM", ""),
        witnesses=tuple(env.get("TAXIWAY_WITNESSES", "").split()),
        public_url=env.get("TAXIWAY_PUBLIC_URL", ""),
        oidc_issuer=env.get("TAXIWAY_OIDC_ISSUER", ""),
        oidc_client_id=env.get("TAXIWAY_OIDC_CLIENT_ID", ""),
        oidc_client_secret=env.get("TAXIWAY_OIDC_CLIENT_SECRET", ""),
        oidc_file=Path(env["TAXIWAY_OIDC_FILE"]).expanduser().resolve() if env.get("TAXIWAY_OIDC_FILE") else None,
    )


def amount(environment: Mapping[str, str], name: str, default: float) -> float:
    """A variable that says how much, from 0 on. Raises BadField."""
    text = environment.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e12:
        raise BadField(field=name, value=repr(text[:60]), expected="a number from 0 on, such as 10")
    return value


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


def read_project_file(start: Path) -> ProjectFile:
    """The nearest taxiway.toml; an empty one where there is none. Raises ProjectFileBroken."""
    file = find_project_file(start)
    if file is None:
        return ProjectFile()
    try:
        return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), ProjectFile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError, OSError) as e:
        raise ProjectFileBroken(file=str(file), problem=str(e)) from e
