"""The API of hooks."""

from __future__ import annotations

from taxiway.hooks import contract
from taxiway.hooks.service import Hooks
from taxiway.web.serve import Server


def bind(server: Server, hooks: Hooks) -> None:
    server.serve(contract.add_hook, hooks.add)
    server.serve(contract.list_hooks, hooks.list)
    server.serve(contract.show_hook, hooks.show)
    server.serve(contract.change_hook, hooks.change)
    server.serve(contract.remove_hook, hooks.remove)
    server.serve(contract.send_sample, hooks.test)
    server.serve(contract.list_deliveries, hooks.deliveries)
