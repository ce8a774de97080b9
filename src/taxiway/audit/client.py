"""The SDK of the audit log."""

from __future__ import annotations

from taxiway.audit import contract
from taxiway.audit.contract import (
    Consistency,
    Entry,
    Inclusion,
    ListEntries,
    ProveConsistency,
    ProveInclusion,
    TreeHead,
    Verification,
    VerifyLog,
)
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
    ) -> Page[Entry]:
        """Entries, newest first. thing: a reference such as ``model:mortgage@1``."""
        ask = ListEntries(project=project, thing=thing, actor=actor, verb=verb, before=before, limit=limit)
        return self.transport.call(contract.list_entries, ask)

    def head(self) -> TreeHead:
        """The newest signed head. Keep it elsewhere: it shows later that nothing before it was changed."""
        return self.transport.call(contract.tree_head)

    def prove_inclusion(self, seq: int, size: int | None = None) -> Inclusion:
        """That entry `seq` is in the log of `size` entries."""
        return self.transport.call(contract.prove_inclusion, ProveInclusion(seq=seq, size=size))

    def prove_consistency(self, first: int, second: int | None = None) -> Consistency:
        """That the log of `first` entries is the beginning of the one of `second`."""
        return self.transport.call(contract.prove_consistency, ProveConsistency(first=first, second=second))

    def verify(self, *held: TreeHead) -> Verification:
        """Checks every entry, root and signature, and that the log contains each head that was kept elsewhere."""
        return self.transport.call(contract.verify_log, VerifyLog(held=[*held]))
