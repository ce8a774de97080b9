"""The commands that belong to no noun: server, and what starts from nothing."""

from __future__ import annotations

import shlex
import shutil
import sys
from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from taxiway.compat.mlflow.moving.commands import COMMANDS as MOVING
from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.errors import BadField
from taxiway.kernel.settings import read_settings
from taxiway.kernel.starting import collecting_later

if TYPE_CHECKING:
    from taxiway.adapters.identity import Asked
    from taxiway.doctor import Finding
    from taxiway.runs.launch import Launched
    from taxiway.runs.trash.trashed import Freed
    from taxiway.starter.write import Begun

HOME = Argument("--home", "the folder that holds everything (default: the nearest .taxiway)", is_file=True)


def server(_client: Any, given: Namespace) -> None:
    """Serves until it is told to stop."""
    with collecting_later():
        from taxiway.notices.mailing import read_mail_server
        from taxiway.server import Options, Ready, serve

    home = Path(given.home).resolve() if given.home else read_settings().home
    login = True if given.login else False if given.no_login else None
    options = Options(
        home=home,
        host=given.host,
        port=given.port,
        login=login,
        database_url=given.database,
        blobs_url=given.blobs or read_settings().blobs,
        allow_hosts=tuple(given.allow_host or ()),
        hook_hosts=(*(given.hook_host or ()), *read_settings().hook_hosts),
        witnesses=(*(given.witness or ()), *read_settings().witnesses),
        mail=read_mail_server(read_settings().smtp, read_settings().mail_from),
        otlp=collector(given.otlp),
        public_url=given.public_url or read_settings().public_url,
        provider=provider_asked(given),
    )

    def ready(said: Ready) -> None:
        print(f"Taxiway is ready at {said.url} (home {home}). Stop it with Ctrl-C.", flush=True)
        where = f"at {said.gateway}, with or without this server" if said.gateway else f"nowhere yet: {said.problem}"
        print(f"Endpoints answer {where}.", flush=True)
        if said.provider:
            print(f"People sign in with {said.provider}, or by a link (`taxiway access link NAME`).", flush=True)
        elif said.login:
            print("People sign in: `taxiway access link NAME` makes a link for one who was added.", flush=True)

    serve(options, ready)


def collector(url: str) -> str:
    """The address of a collector of spans; empty for none. Raises BadField."""
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise BadField(field="--otlp", value=repr(url), expected="an address such as http://localhost:4318")
    return url


def provider_asked(given: Namespace) -> Asked | None:
    """The identity provider that the options and the environment name; None where they name none."""
    from taxiway.adapters.identity import Asked

    settings = read_settings()
    issuer = given.oidc_issuer or settings.oidc_issuer
    if not issuer:
        return None
    file = Path(given.oidc_file).resolve() if given.oidc_file else settings.oidc_file
    return Asked(issuer, given.oidc_client_id or settings.oidc_client_id, settings.oidc_client_secret, file)


def demo(_client: Any, given: Namespace) -> None:
    """Tells the story on real data, and stays until Ctrl-C unless it is asked to exit."""
    from taxiway.demo.story import Options, tell

    tell(Options(home=Path(given.home).resolve(), port=given.port, is_exit=given.exit))


def doctor(_client: Any, given: Namespace) -> list[Finding]:
    from taxiway.doctor import examine

    return examine(Path(given.home).resolve() if given.home else read_settings().home, given.port)


def tell_findings(findings: list[Finding]) -> str:
    marks = {"ok": "●", "note": "▲", "problem": "■"}
    width = max(len(f.what) for f in findings)
    lines = [
        f"{marks[f.state]} {f.what.ljust(width)}  {f.found}" + (f". {f.advice}" if f.advice else "") for f in findings
    ]
    problems = sum(f.state == "problem" for f in findings)
    return "\n".join([*lines, "", "All is well." if not problems else f"Problems: {problems}. Mend what is marked ■."])


def init(_client: Any, given: Namespace) -> Begun:
    from taxiway.starter.write import begin

    return begin(Path(given.folder), given.project)


def tell_begun(begun: Begun) -> str:
    where = "" if begun.folder == Path.cwd() else f"\n  cd {begun.folder}"
    taxiway, python = callable_names()
    return (
        f"Wrote {', '.join(begun.files)} and opened the project {begun.project}. Next:{where}\n"
        f"  {python} test_train.py\n  {taxiway} run -- {python} train.py\n  {taxiway} server"
    )


def callable_names() -> tuple[str, str]:
    """How to call this very Taxiway and its Python from here: by path where their folder is not on the PATH."""
    folder = Path(sys.executable).parent
    found = [shutil.which(name) for name in ("taxiway", "python")]
    if all(path is not None and Path(path).parent == folder for path in found):
        return "taxiway", "python"
    return shlex.quote(str(folder / "taxiway")), shlex.quote(sys.executable)


def completion(_client: Any, given: Namespace) -> str:
    import shtab

    from taxiway.cli import build_parser

    script: str = shtab.complete(build_parser([], is_complete=True), given.shell)
    return script


def run(_client: Any, given: Namespace) -> Launched:
    """Runs another program as a run of the folder's home, or of the server that TAXIWAY_URL names."""
    import msgspec

    from taxiway.client import connect
    from taxiway.runs.launch import launch

    with connect(door="cli") as client:
        settings = msgspec.structs.replace(
            client.settings,
            project=given.project or client.settings.project,
            experiment=given.experiment or client.settings.experiment,
        )
        home = client.home.home if client.home is not None else None
        return launch(client.transport, settings, given.program, name=given.name, home=home)


def tell_run(launched: Launched) -> str:
    """Says where the run is kept, beside the program's own output: what that prints is not ours to add to."""
    import sys

    see = f"`taxiway runs show {launched.run}`, or its page under `taxiway server`"
    print(f"taxiway: {launched.name} {launched.status}, kept as run {launched.run}; see {see}.", file=sys.stderr)
    return ""


def gc(_client: Any, given: Namespace) -> Freed:
    from taxiway.client import connect

    with connect(door="cli") as client:
        return client.runs.empty_trash(older_than_s=given.older_than, grace_s=given.grace, dry_run=given.dry_run)


def tell_freed(freed: Freed) -> str:
    from taxiway.runs.showing.shown import show_freed

    return show_freed(freed)


def port(text: str) -> int:
    """A port's number; 0 takes any free one. argparse shows the complaint."""
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise ArgumentTypeError(f"{text!r} is not a port: a number from 0 to 65535")
    return int(text)


def seconds(text: str) -> float:
    """A duration such as ``7d`` in seconds; argparse shows the complaint."""
    from taxiway.runs.search.moments import DURATIONS, read_duration

    found = read_duration(f"{text}s" if text.isdigit() else text)
    if found is None:
        raise ArgumentTypeError(f"{text!r} is not {DURATIONS}")
    return found


COMMANDS = {
    **MOVING,
    "server": Command(
        "server",
        "serve everything: API, pages and endpoints",
        server,
        (
            HOME,
            Argument("--host", "the address to listen on", default="127.0.0.1"),
            Argument("--port", "the port to listen on", port, 5500),
            Argument("--database", "a PostgreSQL URL instead of the home's own SQLite file"),
            Argument("--blobs", "where files are kept: s3://BUCKET/PREFIX?endpoint=URL, or file:///FOLDER"),
            Argument("--login", "ask people to sign in, on loopback too", is_flag=True),
            Argument(
                "--no-login",
                "let everybody on this machine in, asked for sign-in before or not (loopback only)",
                is_flag=True,
            ),
            Argument("--allow-host", "another host name this server goes by", is_many=True),
            Argument(
                "--otlp", "where the gateway sends a span of each request, such as http://localhost:4318", default=""
            ),
            Argument("--hook-host", "a host within the network, or of http, that hooks may lead to", is_many=True),
            Argument(
                "--witness", "where heads of the audit log are kept: file:///…, git:///… or https://…", is_many=True
            ),
            Argument("--public-url", "the address that people open, such as https://taxiway.example"),
            Argument("--oidc-issuer", "the OpenID provider that people sign in with; needs TAXIWAY_OIDC_CLIENT_SECRET"),
            Argument("--oidc-client-id", "the id of this server's client at the provider"),
            Argument("--oidc-file", "the sign-in file: names from claims, roles from groups", is_file=True),
        ),
    ),
    "demo": Command(
        "demo",
        "the whole path once, on real data, then the server until Ctrl-C",
        demo,
        (
            Argument("--home", "the folder that holds everything", default=".taxiway-demo", is_file=True),
            Argument("--port", "the port of the server", port, 5500),
            Argument("--exit", "end when the story does; exits 1 where a step ended otherwise", is_flag=True),
        ),
    ),
    "run": Command(
        "run",
        "run a script and keep what it did: taxiway run -- python train.py",
        run,
        (
            Argument("--name", "the run's name (default: the experiment's, with a number)", default=""),
            Argument("--project", "the project it belongs to (default: the folder's, else `default`)"),
            Argument("--experiment", "the experiment it belongs to (default: the folder's, else `default`)"),
            Argument("program", "the program and its arguments, after --", is_rest=True),
        ),
        show=tell_run,
        exit_code=lambda launched: launched.exit_code,
    ),
    "init": Command(
        "init",
        "write a working project into a folder: taxiway.toml, train.py, path.yaml and a test",
        init,
        (
            Argument("folder", "where (default: here)", default=".", is_optional=True, is_file=True),
            Argument("--project", "the project's name (default: the folder's)", default=""),
        ),
        show=tell_begun,
    ),
    "gc": Command(
        "gc",
        "free what is in the trash for good, and every byte that nothing names any more",
        gc,
        (
            Argument("--older-than", "only what has been in the trash for so long, such as 7d", seconds, 0.0),
            Argument("--dry-run", "say what would be freed, and free nothing", is_flag=True),
            Argument("--grace", "leave bytes alone that were sent within this time", seconds, 3600.0),
        ),
        show=tell_freed,
    ),
    "doctor": Command(
        "doctor",
        "check this machine and home; exits 1 where there is a problem",
        doctor,
        (HOME, Argument("--port", "the port a server would use", port, 5500)),
        show=tell_findings,
        exit_code=lambda findings: 1 if any(f.state == "problem" for f in findings) else 0,
    ),
    "completion": Command(
        "completion",
        "print a shell's completion script",
        completion,
        (Argument("shell", "the shell", choices=("bash", "zsh", "tcsh")),),
    ),
}
