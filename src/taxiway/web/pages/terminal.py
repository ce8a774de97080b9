"""The page on which a person lets a terminal of theirs have a token."""

from __future__ import annotations

from taxiway.access.service import Access
from taxiway.access.terminals.contract import PAGE
from taxiway.access.terminals.service import Terminal, read_terminal
from taxiway.web.site import Html, Site, View


class TerminalPage:
    def __init__(self, access: Access) -> None:
        self.access = access

    def ask(self, view: View) -> Html:
        return self._page(view, asked(view), "")

    def allow(self, view: View, _fields: dict[str, str]) -> Html:
        """Leads the browser to the terminal, on the same machine, with a code."""
        terminal = asked(view)
        return self._page(view, terminal, terminal.back(self.access.terminals.allow(view.caller, terminal)))

    def _page(self, view: View, terminal: Terminal, back: str) -> Html:
        values = {
            "title": "Sign a terminal in",
            "terminal": terminal,
            "me": view.caller,
            "action": view.url,
            "back": back,
        }
        return Html("web/terminal.html", "", values)


def asked(view: View) -> Terminal:
    """Raises BadField."""
    return read_terminal({name: view.one(name) for name in ("port", "state", "challenge", "label", "days")})


def add(site: Site, access: Access) -> None:
    page = TerminalPage(access)
    site.page(PAGE, page.ask, needs="access.self", scope="platform")
    site.form(PAGE, page.allow, page=page.ask, needs="access.self", scope="platform")
