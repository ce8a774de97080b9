"""A server whose people come from a real provider, and what signs in there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from taxiway.adapters.identity import Asked, configure
from tests.access.provider.real import CLIENT, SECRET, Canaille, free_port, running_canaille
from tests.support.live import Live, running
from tests.web.browse import Answer, Visitor

SIGN_IN_FILE = """
provider: Acme
scopes: [openid, profile, email, groups]
admins: [runway-admins]
projects:
  mortgages: {validators: validator, builders: [contributor, operator]}
session_hours: 2
token_days: 30
"""


class Office(NamedTuple):
    """A server, the provider of its people, and the file that says who they are here."""

    live: Live
    canaille: Canaille
    file: Path

    def at_provider(self, name: str, visitor: Visitor | None = None, start: str = "/sign-in/provider") -> Answer:
        """Goes to the provider as somebody who is signed in there; gives its answer, which leads back here."""
        begun = (visitor or Visitor(self.live.url)).get(start)
        assert begun.to.startswith(self.canaille.issuer), begun.text
        self.canaille.tell("enter", name=name)
        parts = urlsplit(begun.to)
        return Visitor(self.canaille.issuer).get(f"{parts.path}?{parts.query}")

    def sign_in(self, name: str, visitor: Visitor | None = None) -> tuple[Visitor, Answer]:
        """The whole way, with what the server answers at its end."""
        visitor = visitor or Visitor(self.live.url)
        return visitor, visitor.get(back(self.at_provider(name, visitor).to))

    def roles(self, name: str) -> list[tuple[str, str]]:
        return [(g.role, g.granted_by) for g in self.live.client.access.grants("mortgages") if g.user == name]


def back(address: str) -> str:
    """The path of an address of ours, with its query."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One for all: starting the provider takes longer than all that it is asked."""
    folder, port = tmp_path_factory.mktemp("office"), free_port()
    file = folder / "sign-in.yaml"
    file.write_text(SIGN_IN_FILE)
    url = f"http://127.0.0.1:{port}"
    with running_canaille(url) as canaille:
        configured = configure(Asked(canaille.issuer, CLIENT, SECRET, file), url)
        with running(folder / "home", port=port, provider=configured) as live:
            live.client.projects.create("mortgages")
            yield Office(live, canaille, file)


@pytest.fixture
def add(office: Office) -> Callable[..., str]:
    """Adds a person at the provider, in groups."""

    def add(name: str, *groups: str) -> str:
        office.canaille.tell("add", name=name, groups=list(groups))
        return name

    return add
