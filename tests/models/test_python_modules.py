"""A bundle's modules are found by whoever is within it, and the program's own are what they were."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from taxiway.adapters.python_modules import Modules
from taxiway.models.bundles.bundle import BundleTampered, Manifest, NativeModel, write_bundle
from taxiway.models.predicting.signature import Signature

LATE = "def late():\n    from adding.inner import more\n    return SAID + more.SAID\n"


@pytest.fixture(autouse=True)
def mine() -> Iterator[ModuleType]:
    """A module of this program's own, of the name that the bundles' have."""
    sys.modules["adding"] = own = ModuleType("adding")
    finders, modules = list(sys.meta_path), dict(sys.modules)
    yield own
    assert sys.meta_path == finders
    assert {name for name in sys.modules.keys() - modules.keys() if name.startswith("adding")} == set()
    assert sys.modules.pop("adding") is own


def made(folder: Path, said: str) -> Modules:
    inner = folder / "code" / "adding" / "inner"
    inner.mkdir(parents=True)
    (inner.parent / "__init__.py").write_text(f"SAID = {said!r}\n{LATE}")
    (inner / "more.py").write_text(f"SAID = {said.upper()!r}\n")
    (folder / "service.json").write_text("{}")
    native = NativeModel(file="service.json", serialization="python")
    draft = Manifest(name="m", flavour="python", signature=Signature(inputs=(), outputs=()), native=native)
    return Modules(write_bundle(folder, draft, lock=""))


def test_two_bundles_with_modules_of_one_name_each_import_their_own(tmp_path: Path, mine: ModuleType) -> None:
    one, two = made(tmp_path / "one", "a"), made(tmp_path / "two", "b")

    with one:
        first = import_module("adding")
    assert import_module("adding") is mine
    with two, one:
        assert first.late() == "aA"
    with two:
        second = import_module("adding")
        assert second.late() == "bB"
        assert first.SAID == "a"

    with one:
        assert import_module("adding") is first
        assert import_module("adding.inner.more").SAID == "A"


def test_who_leaves_first_takes_nothing_of_who_came_later(tmp_path: Path) -> None:
    one, two = made(tmp_path / "one", "a"), made(tmp_path / "two", "b")
    below, above = ExitStack(), ExitStack()

    below.enter_context(one)
    above.enter_context(two)
    above.enter_context(two)
    found = import_module("adding")
    below.close()

    assert found.late() == "bB"
    assert import_module("adding") is found
    above.close()


def test_a_module_that_was_changed_since_is_not_run(tmp_path: Path) -> None:
    one = made(tmp_path / "one", "a")
    (tmp_path / "one" / "code" / "adding" / "inner" / "more.py").write_text("SAID = 'x'\n")

    with one, pytest.raises(BundleTampered):
        import_module("adding").late()
