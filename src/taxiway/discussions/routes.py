"""The API of discussions."""

from __future__ import annotations

from taxiway.discussions import contract
from taxiway.discussions.service import Discussions, Finder
from taxiway.web.serve import Server

# Things whose project their own rooms tell by name alone.
NAMED = ("run", "endpoint", "monitor", "finding")


def bind(server: Server, discussions: Discussions) -> None:
    for kind in NAMED:
        discussions.kinds[kind] = finder(server, kind)
    server.serve(contract.start_thread, discussions.start)
    server.serve(contract.list_threads, discussions.list)
    server.serve(contract.show_thread, discussions.show)
    server.serve(contract.reply, discussions.reply)
    server.serve(contract.edit_comment, discussions.edit)
    server.serve(contract.withdraw_comment, discussions.withdraw)
    server.serve(contract.turn_thread, discussions.turn)


def finder(server: Server, kind: str) -> Finder:
    """Finds the project of a thing as the doorkeeper does."""
    return lambda thing: server.doorkeeper.project_of[kind](thing.name)
