"""What every server makes anew when it starts, and a process of tests, which starts hundreds, needs to make but once.

Compiled templates, compiled statements, and the patterns of addresses: each follows from what it is made of alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import jinja2
import pytest
import starlette.routing
from jinja2.bccache import Bucket
from sqlalchemy import Engine, create_engine
from starlette.routing import BaseRoute, Route

from taxiway.web import quick

MOST_STATEMENTS = 4000
learn = quick.learn


def make_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("taxiway.storage.database.create_engine", engine_that_shares)
    patch.setattr("taxiway.web.site.Environment", partial(jinja2.Environment, bytecode_cache=Templates()))
    patch.setattr("taxiway.web.quick.learn", learn_once)
    patch.setattr(starlette.routing, "compile_path", cache(starlette.routing.compile_path))


class Statements(dict[Any, Any]):
    """The compiled statements of all databases of a kind, whose keys differ by the one object of the dialect alone."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, value: Any) -> None:
        if len(self) >= MOST_STATEMENTS:
            self.clear()
        super().__setitem__(key[1:], value)


@cache
def statements(_kind: str) -> Statements:
    return Statements()


def engine_that_shares(url: str, **options: Any) -> Engine:
    engine = create_engine(url, **options)
    engine.update_execution_options(compiled_cache=statements(engine.dialect.name))
    return engine


class Templates(jinja2.BytecodeCache):
    """The compiled templates, each by its name, place and text."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key, bucket.checksum] = bucket.code


learned: dict[object, dict[quick.Address, tuple[int, str]]] = {}


def learn_once(routes: Sequence[BaseRoute]) -> dict[quick.Address, tuple[Route, str]]:
    """As `quick.learn`, which is asked once for all routes that have the same addresses in the same order."""
    key = tuple((type(r), getattr(r, "path", ""), frozenset(getattr(r, "methods", None) or ())) for r in routes)
    if key not in learned:
        places = {id(route): place for place, route in enumerate(routes)}
        learned[key] = {address: (places[id(route)], name) for address, (route, name) in learn(routes).items()}
    found: dict[quick.Address, tuple[Route, str]] = {}
    for address, (place, name) in learned[key].items():
        route = routes[place]
        assert isinstance(route, Route)
        found[address] = (route, name)
    return found
