"""What the dialect needs of the trash."""

from __future__ import annotations

from typing import Protocol

from taxiway.kernel.caller import Caller


class Trash(Protocol):
    """Puts runs and experiments into the trash and takes them out again; twice is once. Raises NotFound."""

    def delete_run(self, caller: Caller, run: str) -> object: ...

    def restore_run(self, caller: Caller, run: str) -> object: ...

    def delete_experiment(self, caller: Caller, number: int) -> object: ...

    def restore_experiment(self, caller: Caller, number: int) -> object: ...
