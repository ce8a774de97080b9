"""Logging what a library trains without a line in the script: the rule that every library's adapter follows.

A fit is logged with the newest open run of the process, or with one of its own. A fit within a fit is part of it. What
fails here is said once and never reaches the caller: his training goes on as without us.
"""

from __future__ import annotations

import logging
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from taxiway.kernel.errors import BadField, TaxiwayError
from taxiway.runs.active import ActiveRun, newest_open
from taxiway.runs.autologging.importing import when_imported
from taxiway.runs.autologging.patching import Patch
from taxiway.runs.refusals import ParamFixed

log = logging.getLogger("taxiway")

GROUP = "taxiway.autolog"
LONGEST_PARAM = 500


class Options(Struct, frozen=True):
    """models, figures: whether they are kept too. every: of so many steps of an optimizer one is logged."""

    models: bool = True
    figures: bool = True
    every: int = 10


class Library(Protocol):
    """One library, as its adapter patches it. module: the one whose import it waits for."""

    module: str

    def patch(self, autolog: Autolog) -> list[Patch]: ...


class Fit:
    """One fit on its way into a run. Of several in one run, the later ones' names begin with ``fit_2/`` and so on."""

    def __init__(
        self, run: ActiveRun, subject: Any, options: Options, number: int = 1, *, is_run_ours: bool = False
    ) -> None:
        self.run = run
        self.is_run_ours = is_run_ours
        self.subject = subject
        self.options = options
        self.prefix = "" if number == 1 else f"fit_{number}/"
        self.has_complained = False

    def quietly(self, act: Callable[..., Any], *arguments: Any) -> Any:
        """What `act` gives; None where it fails, which is said once."""
        try:
            return act(*arguments)
        except Exception as e:  # noqa: BLE001 - a plug-in call: the user's training must not suffer from our curiosity
            if not self.has_complained:
                log.warning("run %s: autolog could not log everything: %s", self.run.id, str(e) or repr(e))
            self.has_complained = True
            return None

    def params(self, given: Mapping[str, Any]) -> None:
        for name, value in given.items():
            short = value if isinstance(value, bool | int | float) else str(value)[:LONGEST_PARAM]
            try:
                self.run.param(self.prefix + name, short)
            except (ParamFixed, BadField):  # the script has logged it itself, in its own words
                continue

    def metrics(self, given: Mapping[str, float], step: int | None = None) -> None:
        values = {self.prefix + name: value for name, value in given.items()}
        if values:
            self.run.log(step=step, **values)

    def figure(self, name: str, svg: str) -> None:
        if self.options.figures:
            self.run.log_figure(svg, f"{self.prefix}figures/{name}")

    def text(self, name: str, text: str) -> None:
        self.run.log_artifact(text.encode(), self.prefix + name)

    def folder(self, folder: Path, under: str) -> None:
        """Keeps every file of a folder with the run."""
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            self.run.log_artifact(file.read_bytes(), f"{self.prefix}{under}/{file.relative_to(folder)}")


class Autolog:
    """What is patched, and the fits under way. start: opens a run of that name, where none is open."""

    def __init__(self, options: Options, start: Callable[[str], ActiveRun]) -> None:
        self.options = options
        self.start = start
        self.patches: list[Patch] = []
        self.is_on = True
        self.under_way: dict[int, Fit] = {}  # by thread
        self.counts: weakref.WeakKeyDictionary[ActiveRun, int] = weakref.WeakKeyDictionary()

    def take(self, library: Library) -> None:
        """Patches a library, unless all was turned off again; where that fails it stays as it was."""
        if not self.is_on:
            return
        try:
            self.patches += library.patch(self)
        except Exception as e:  # noqa: BLE001 - a plug-in call: a library of another version than we know
            log.warning("autolog does not know this %s: %r", library.module, e)

    def stop(self) -> None:
        """Gives the libraries back what was theirs."""
        self.is_on = False
        while self.patches:
            self.patches.pop().undo()

    def enclosing(self) -> Fit | None:
        """The fit of this thread that is under way."""
        return self.under_way.get(threading.get_ident())

    @contextmanager
    def fit(self, subject: Any) -> Iterator[Fit | None]:
        """The fit that begins here; None where it is part of another one, or no run can be opened."""
        fit = None if self._is_part() else self._begin(subject)
        if fit is None:
            yield None
            return
        self.counts[fit.run] = self.counts.get(fit.run, 0) + 1
        thread = threading.get_ident()
        self.under_way[thread] = fit
        try:
            yield fit
        except BaseException as e:
            if fit.is_run_ours:
                fit.run.__exit__(type(e), e, None)  # as failed; what is wrong with that is only told
            raise
        finally:
            self.under_way.pop(thread, None)
        if fit.is_run_ours:
            fit.quietly(fit.run.finish)

    def _is_part(self) -> bool:
        """Whether a fit is under way already: in this thread, or in one that this one works for."""
        if not self.is_on or threading.get_ident() in self.under_way:
            return True
        return bool(self.under_way) and threading.current_thread() is not threading.main_thread()

    def _begin(self, subject: Any) -> Fit | None:
        run = newest_open()
        if run is None:
            try:
                run = self.start(name_of(subject))
            except (TaxiwayError, OSError) as e:
                log.warning("autolog: no run could be opened: %s", e)
                return None
            return Fit(run, subject, self.options, is_run_ours=True)
        return Fit(run, subject, self.options, self.counts.get(run, 0) + 1)


def name_of(subject: Any) -> str:
    return subject if isinstance(subject, str) else type(subject).__name__


_on: list[Autolog] = []


def current() -> Autolog | None:
    """What is on in this process. Patched functions ask here, and hold nothing that could not be pickled."""
    return _on[-1] if _on else None


def turn_on(names: tuple[str, ...], options: Options, start: Callable[[str], ActiveRun]) -> list[str]:
    """Patches these libraries, or every one that is known: those loaded now at once, others when they are imported.

    Gives their names. What was on before is turned off first. Raises BadField for an unknown name.
    """
    known = {entry.name: entry for entry in entry_points(group=GROUP)}
    if unknown := [name for name in names if name not in known]:
        raise BadField(field="libraries", value=repr(unknown[0]), expected=f"one of {', '.join(sorted(known))}")
    turn_off()
    autolog = Autolog(options, start)
    _on.append(autolog)
    chosen = sorted(names or known)
    for name in chosen:
        library: Library = known[name].load()
        if library.module in sys.modules:
            autolog.take(library)
        else:
            when_imported(library.module, partial(autolog.take, library))
    return chosen


def turn_off() -> None:
    """Gives every library back what was its own."""
    while _on:
        _on.pop().stop()
