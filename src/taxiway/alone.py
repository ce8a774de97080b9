"""The commands that belong to no noun: server, and what starts from nothing."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.settings import read_settings

HOME = Argument("--home", "the folder that holds everything (default: the nearest .taxiway)", is_file=True)


def server(_client: Any, given: Namespace) -> None:
    """Serves until it is told to stop."""
    from taxiway.server import Options, serve

    home = Path(given.home).resolve() if given.home else read_settings().home
    login = True if given.login else False if given.no_login else None
    options = Options(
        home=home,
        host=given.host,
        port=given.port,
        login=login,
        database_url=given.database,
        allow_hosts=tuple(given.allow_host or ()),
    )
    serve(
        options,
        lambda url: print(f"Taxiway is ready at {url} (home {home}). Stop it with Ctrl-C.", flush=True),
    )


COMMANDS = {
    "server": Command(
        "server",
        "serve everything: API, pages and endpoints",
        server,
        (
            HOME,
            Argument("--host", "the address to listen on", default="127.0.0.1"),
            Argument("--port", "the port to listen on", int, 5500),
            Argument("--database", "a PostgreSQL URL instead of the home's own SQLite file"),
            Argument("--login", "ask people to sign in, on loopback too", is_flag=True),
            Argument("--no-login", "let everybody on this machine in (loopback only)", is_flag=True),
            Argument("--allow-host", "another host name this server goes by", is_many=True),
        ),
    ),
}
