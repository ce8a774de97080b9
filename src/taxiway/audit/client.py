"""The SDK of the audit log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from taxiway.audit import contract
from taxiway.audit.contract import (
    Consistency,
    Entry,
    Inclusion,
    ListEntries,
    LogIncomplete,
    ProveConsistency,
    ProveInclusion,
    TreeHead,
    Verification,
    VerifyLog,
    Witness,
)
from taxiway.audit.exported import Exported, lines_of
from taxiway.kernel.endpoint import Page
from taxiway.kernel.transport import Transport


class Audit:
    """The audit log: ``client.audit``."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def entries(
        self,
        *,
        project: str | None = None,
        thing: str | None = None,
        actor: str | None = None,
        verb: str | None = None,
        before: int | None = None,
        limit: int = 100,
        **search: Any,
    ) -> Page[Entry]:
        """Entries, newest first. thing: a reference such as ``model:mortgage@1``.

        search: further fields of `ListEntries`: ``text`` that stands anywhere in an entry, ``since`` and ``until``.

        >>> client.audit.entries(text="gdlin", since=datetime(2026, 11, 1, tzinfo=UTC))  # doctest: +SKIP
        """
        ask = ListEntries(project=project, thing=thing, actor=actor, verb=verb, before=before, limit=limit, **search)
        return self.transport.call(contract.list_entries, ask)

    def export(self, file: str | Path, told: Callable[[int], object] = lambda _: None) -> Exported:
        """Writes the whole log to a file, which `taxiway audit verify --log FILE` checks anywhere, without a platform.

        told: is called with the number of entries written now and then. Raises LogIncomplete for who may not see
        all projects, OSError.
        """
        head = self.head()
        keys = self.transport.call(contract.list_keys).items
        with Path(file).open("wb") as f:
            for number, line in enumerate(lines_of(head, keys, self._all(head.size))):
                f.write(line)
                if number and not number % 1000:
                    told(number)
        return Exported(str(file), head.size, head.root)

    def _all(self, size: int) -> Iterator[Entry]:
        """The first entries of the log, oldest first. Raises LogIncomplete."""
        last = -1
        while last + 1 < size:
            found = self.transport.call(contract.list_entries, ListEntries(after=last, limit=1000)).items
            for entry in found[: size - last - 1]:
                if entry.seq != last + 1:
                    break
                last = entry.seq
                yield entry
            else:
                if found:
                    continue
            raise LogIncomplete(shown=last + 1, size=size)

    def head(self) -> TreeHead:
        """The newest signed head. Keep it elsewhere: it shows later that nothing before it was changed."""
        return self.transport.call(contract.tree_head)

    def witnesses(self) -> Page[Witness]:
        """The places outside that keep heads, and how far each is."""
        return self.transport.call(contract.list_witnesses)

    def prove_inclusion(self, seq: int, size: int | None = None) -> Inclusion:
        """That entry `seq` is in the log of `size` entries."""
        return self.transport.call(contract.prove_inclusion, ProveInclusion(seq=seq, size=size))

    def prove_consistency(self, first: int, second: int | None = None) -> Consistency:
        """That the log of `first` entries is the beginning of the one of `second`."""
        return self.transport.call(contract.prove_consistency, ProveConsistency(first=first, second=second))

    def verify(self, *held: TreeHead) -> Verification:
        """Checks every entry, root and signature, and that the log contains each head that was kept elsewhere."""
        return self.transport.call(contract.verify_log, VerifyLog(held=[*held]))
