"""What an open run started from, looked at in a thread of its own: a failure costs the capture, never the run."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from taxiway.kernel.errors import TaxiwayError
from taxiway.runs.again.notebook import Cells, cells_of_session
from taxiway.runs.contract import CaptureRun, Code

log = logging.getLogger("taxiway")

CAPTURE_S = 60.0


class Capturing:
    """Captures what a run of this process started from. upload: keeps bytes and gives their digest.

    is_attached: `taxiway run` keeps command and sources already. source: the folder whose sources are kept; None is
    the working folder with its whole git tree. nth: how many runs this process has opened with it.
    """

    def __init__(
        self,
        run: str,
        upload: Callable[[bytes], str],
        say: Callable[[CaptureRun], object],
        *,
        is_attached: bool = False,
        source: Path | None = None,
        nth: int = 1,
    ) -> None:
        self.run = run
        self.upload = upload
        self.say = say
        self.is_attached = is_attached
        self.source = source
        self.nth = nth
        self.cells: Cells | None = None if is_attached else cells_of_session()
        self.code: Code | None = None
        self.thread = threading.Thread(target=self._look_around, name="taxiway-capture", daemon=True)
        self.thread.start()

    def finish(self) -> None:
        """Waits for the capture; in a notebook, keeps the cells that were executed until now."""
        self.thread.join(CAPTURE_S)
        if self.cells is None or self.code is None:
            return
        try:
            code = msgspec.structs.replace(self.code, notebook=self.upload(self.cells.written()))
            self.say(CaptureRun(code=code))
        except (TaxiwayError, OSError) as e:
            log.warning("run %s: the executed cells could not be kept: %s", self.run, e)

    def _look_around(self) -> None:
        try:
            self.say(self._captured())
        except (TaxiwayError, OSError, ValueError) as e:
            log.warning("run %s: what it started from could not be kept: %s", self.run, e)

    def _captured(self) -> CaptureRun:
        from taxiway.runs.capturing.capture import capture_all, capture_environment

        if self.is_attached:
            found = capture_environment()
            lock = self.upload(found.lock)
            return CaptureRun(environment=found.environment, packages=found.packages, lock=lock)
        self.code = self._code()
        return capture_all(sys.orig_argv, self.code, self.upload)

    def _code(self) -> Code:
        from taxiway.runs.capturing.capture import capture_code, keep_snapshot

        snapshot = capture_code(self.source or Path.cwd(), is_tree=self.source is None)
        code = keep_snapshot(snapshot, self.upload)
        notebook = self.upload(self.cells.written()) if self.cells is not None else ""
        return msgspec.structs.replace(code, notebook=notebook, nth=self.nth)
