"""The API of notices."""

from __future__ import annotations

from taxiway.notices import contract
from taxiway.notices.service import Notices
from taxiway.web.serve import Server


def bind(server: Server, notices: Notices) -> None:
    server.serve(contract.list_notices, notices.list)
    server.serve(contract.mark_notices, notices.mark)
    server.serve(contract.show_preferences, notices.preferences)
    server.serve(contract.change_preferences, notices.change_preferences)
    server.serve(contract.list_letters, notices.letters)
