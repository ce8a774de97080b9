"""The SDK of evidence."""

from __future__ import annotations

import builtins
from datetime import datetime

from taxiway.evidence import contract
from taxiway.evidence.contract import (
    EnvelopeVerdict,
    ListStatements,
    PublicKey,
    RevokeKey,
    RotateKey,
    Shown,
    Statement,
    VerifyEnvelope,
)
from taxiway.evidence.dsse import Envelope
from taxiway.kernel.endpoint import Page
from taxiway.kernel.transport import Transport


class Evidence:
    """Signed statements and the keys that sign them: ``client.evidence``."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def list(
        self, *, subject: str = "", thing: str = "", predicate_type: str = "", before: str = "", limit: int = 100
    ) -> Page[Statement]:
        """Statements, newest first. subject: the digest they are about; thing: such as ``model:mortgage@1``."""
        ask = ListStatements(subject, thing, predicate_type, before, limit)
        return self.transport.call(contract.list_statements, ask)

    def show(self, statement: str) -> Shown:
        """A statement with its DSSE envelope. Raises NotFound."""
        return self.transport.call(contract.show_statement, statement=statement)

    def verify(self, envelope: Envelope) -> EnvelopeVerdict:
        """Whether an envelope was signed by this platform, with a key that stood for it then."""
        return self.transport.call(contract.verify_envelope, VerifyEnvelope(envelope))

    def keys(self) -> builtins.list[PublicKey]:
        """The public keys, newest first."""
        return self.transport.call(contract.list_keys).items

    def rotate(self, reason: str) -> PublicKey:
        """Lets a new key sign from now on; what older keys signed stays good. For admins."""
        return self.transport.call(contract.rotate_key, RotateKey(reason))

    def revoke(self, key: str, reason: str, *, at: datetime | None = None) -> PublicKey:
        """Says that nothing a key signed since `at` is to be believed. For admins. Raises KeyRevoked, NotFound."""
        return self.transport.call(contract.revoke_key, RevokeKey(reason, at), key=key)
