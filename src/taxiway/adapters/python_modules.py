"""The source in a bundle as modules: imported from bytes that were checked, and beside those of the program."""

from __future__ import annotations

import sys
from importlib import invalidate_caches
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import PurePosixPath
from threading import Lock
from types import CodeType, ModuleType

from taxiway.models.bundles.bundle import Bundle, read_verified

CODE = "code"
IN_PLACE: list[Modules] = []  # those put last lie on top
TURN = Lock()


class Modules:
    """A bundle's modules, each file checked as it is read: found, and found first, while somebody is within.

    Afterwards the program, or another bundle, has its own modules of these names again, and these wait for the next
    time. Who is within and imports in one thread decides for all threads: names that clash are imported by one bundle
    at a time, and what is imported already stays what it is.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.finder = Verified(bundle)
        self.own: dict[str, ModuleType] = {}
        self.others: dict[str, ModuleType] = {}
        self.within = 0

    def __enter__(self) -> None:
        with TURN:
            self.within += 1
            if self.within == 1:
                self.put()
                IN_PLACE.append(self)

    def __exit__(self, *_: object) -> None:
        with TURN:
            self.within -= 1
            if self.within:
                return
            above = IN_PLACE[IN_PLACE.index(self) + 1 :]
            for each in reversed(above):
                each.take()
            self.take()
            IN_PLACE.remove(self)
            for each in above:
                each.put()

    def put(self) -> None:
        self.others = self._swapped(self.own)
        sys.meta_path.insert(0, self.finder)
        invalidate_caches()

    def take(self) -> None:
        self.own = self._swapped(self.others)
        sys.meta_path.remove(self.finder)

    def _swapped(self, now: dict[str, ModuleType]) -> dict[str, ModuleType]:
        before = {name: sys.modules.pop(name) for name in self.finder.names if name in sys.modules}
        sys.modules.update(now)
        return before


class Verified(MetaPathFinder, Loader):
    """Finds modules among a bundle's files, and runs only bytes that the manifest lists."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.listed = {file.path for file in bundle.manifest.files}
        self.folders = {str(folder) for path in self.listed for folder in PurePosixPath(path).parents}
        sources = {PurePosixPath(path).with_suffix("") for path in self.listed if path.endswith(".py")}
        below = {part for source in sources for part in (source, *source.parents) if part.is_relative_to(CODE)}
        self.names = sorted(".".join(part.parts[1:]) for part in below if part != PurePosixPath(CODE))

    def path_of(self, name: str) -> tuple[str, bool] | None:
        """The file of a module, and whether it is a package."""
        stem = f"{CODE}/{name.replace('.', '/')}"
        for path, is_package in ((f"{stem}/__init__.py", True), (f"{stem}.py", False)):
            if path in self.listed:
                return path, is_package
        return None

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        found = self.path_of(fullname)
        if found:
            return spec_from_loader(fullname, self, is_package=found[1])
        if f"{CODE}/{fullname.replace('.', '/')}" not in self.folders:
            return None
        spaced = ModuleSpec(fullname, None, is_package=True)  # a package without `__init__.py`
        spaced.submodule_search_locations = []
        return spaced

    def exec_module(self, module: ModuleType) -> None:
        found = self.path_of(module.__name__)
        assert found is not None, "only what was found is loaded"
        code: CodeType = compile(read_verified(self.bundle, found[0]), str(self.bundle.folder / found[0]), "exec")
        exec(code, module.__dict__)  # noqa: S102 - after `may_run_code` and the digest
