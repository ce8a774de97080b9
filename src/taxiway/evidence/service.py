"""The rules of evidence: a statement is signed in the change that it speaks of, by a key that stands for it then."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.evidence import store
from taxiway.evidence.attesting import Claim
from taxiway.evidence.contract import (
    EnvelopeVerdict,
    KeyRevoked,
    ListStatements,
    PublicKey,
    RevokeKey,
    RotateKey,
    Shown,
    Statement,
    VerifyEnvelope,
)
from taxiway.evidence.dsse import IN_TOTO, Envelope, NoEnvelope, payload_of, seal, signers
from taxiway.evidence.keys import KeyFolder, is_signed_by
from taxiway.evidence.statement import NoStatement, read_statement, subjects_of
from taxiway.kernel.caller import SYSTEM, Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, NotFound
from taxiway.storage.blobs import digest_of
from taxiway.storage.database import Database

MOST_LISTED = 1000


class Sealed(Struct, frozen=True):
    """Bytes that were signed outside of any change, and the key that did it."""

    envelope: Envelope
    key: PublicKey


class Statements:
    """The statements and keys of a platform. `sign` is what the ledger does with the claims of a change."""

    def __init__(self, database: Database, ledger: Ledger, access: Access, keys: KeyFolder) -> None:
        self.database = database
        self.ledger = ledger
        self.access = access
        self.keys = keys
        ledger.before_entries.append(self.sign)

    # --- signing ---

    def sign(self, record: Record) -> None:
        """Signs what a change claims, and keeps it in the same transaction."""
        claims: list[Claim] = record.claims
        if not claims:
            return
        key = self._signing_key(record)
        made = []
        for each in claims:
            envelope = seal(each.payload, lambda data: self.keys.sign(key, data), keyid=key)
            statement = Statement(
                id=each.id,
                predicate_type=each.predicate_type,
                thing=each.thing,
                project=record.project,
                subjects=each.subjects,
                key=key,
                digest=each.digest,
                by=record.caller.name,
                at=record.at,
            )
            made.append((statement, envelope))
        store.add(record.connection, made)

    def seal(self, payload: bytes, public: PublicKey) -> Sealed:
        """Signs bytes that no change makes, such as the list of a dossier's files, by a key that `signer` gave."""
        return Sealed(seal(payload, lambda data: self.keys.sign(public.id, data), keyid=public.id), public)

    def signer(self) -> PublicKey:
        """The key that signs now; it is entered where nothing was signed before."""
        with self.database.read() as connection:
            key = self._usable(connection)
        if key is None:
            key = self.ledger.change(SYSTEM, "evidence.add_key", "platform", self._signing_key, answer=str)
        with self.database.read() as connection:
            public = store.find_key(connection, key)
        assert public is not None
        return public

    def _usable(self, connection: Connection) -> str | None:
        return next((key for key in store.signing(connection) if key in self.keys.names), None)

    def _signing_key(self, record: Record) -> str:
        """The key of this home that signs; the first one, or one in place of what was lost, is entered now."""
        found = self._usable(record.connection)
        if found is not None:
            return found
        fresh = sorted(self.keys.names - store.known_among(record.connection, self.keys.names))
        return self._enter(record, fresh[0] if fresh else self.keys.make()).id

    def _enter(self, record: Record, key: str) -> PublicKey:
        made = PublicKey(id=key, public=self.keys.public_pem(key), state="signs", made_at=record.at)
        store.add_key(record.connection, made)
        record.note(signing_key=key)
        return made

    # --- reading ---

    def find(self, caller: Caller, body: ListStatements) -> Page[Statement]:
        """Those that the caller may see, newest first."""
        if not 1 <= body.limit <= MOST_LISTED:
            raise BadField(field="limit", value=str(body.limit), expected=f"a number from 1 to {MOST_LISTED}")
        with self.database.read() as connection:
            found = store.listed(connection, body, self.access.visible(caller))
        return Page(found, found[-1].id if len(found) == body.limit else None)

    def show(self, caller: Caller, *, statement: str) -> Shown:
        """Raises NotFound."""
        found, envelope = self._find(statement)
        return Shown(found, envelope, read_statement(payload_of(envelope)).predicate)

    def project_of(self, statement: str) -> str:
        """The project that a statement belongs to. Raises NotFound."""
        return self._find(statement)[0].project or ""

    def about(self, thing: str) -> list[tuple[Statement, Envelope]]:
        """All that was said of a thing, oldest first, with the envelopes."""
        with self.database.read() as connection:
            return store.envelopes_about(connection, thing)

    def _find(self, statement: str) -> tuple[Statement, Envelope]:
        with self.database.read() as connection:
            found = store.find(connection, statement)
        if found is None:
            raise NotFound(kind="statement", name=statement, hint="`taxiway evidence list` lists those there are.")
        return found

    def verify(self, caller: Caller, body: VerifyEnvelope) -> EnvelopeVerdict:
        """Whether an envelope, wherever it was kept, was signed here and says something."""
        envelope = body.envelope
        with self.database.read() as connection:
            known = {key.id: key for key in store.all_keys(connection)}

            def is_good(keyid: str, data: bytes, signature: bytes) -> bool:
                return keyid in known and is_signed_by(known[keyid].public, data, signature)

            try:
                good = signers(envelope, is_good)
                if not good:
                    return EnvelopeVerdict(holds=False, problem="no key of this platform signed it")
                if envelope.payload_type != IN_TOTO:
                    return EnvelopeVerdict(holds=False, problem=f"it holds {envelope.payload_type}", key=good[0])
                payload = payload_of(envelope)
                said = read_statement(payload)
            except (NoEnvelope, NoStatement) as e:
                return EnvelopeVerdict(holds=False, problem=str(e))
            kept = store.with_digest(connection, digest_of(payload))
        trust, because = store.trust_in(known[good[0]], kept.at if kept else None)
        return EnvelopeVerdict(
            holds=trust != "bad",
            problem=because,
            key=good[0],
            trust=trust,
            predicate_type=said.predicate_type,
            subjects=subjects_of(said),
        )

    # --- keys ---

    def public_keys(self) -> list[PublicKey]:
        """Newest first."""
        with self.database.read() as connection:
            return store.all_keys(connection)

    def rotate(self, caller: Caller, body: RotateKey) -> PublicKey:
        """Lets a new key sign from now on; what older ones signed stays good."""

        def make(record: Record) -> PublicKey:
            before = self._usable(record.connection)
            if before is not None:
                store.retire(record.connection, before, record.at)
            made = self._enter(record, self.keys.make())
            record.note(before=before, reason=body.reason)
            return made

        return self.ledger.change(caller, "evidence.rotate", "platform", make, answer=PublicKey)

    def revoke(self, caller: Caller, body: RevokeKey, *, key: str) -> PublicKey:
        """Says since when a key is not to be believed. If it signs now, a new one takes its place.

        Raises BadField, KeyRevoked, NotFound.
        """

        def make(record: Record) -> PublicKey:
            found = store.find_key(record.connection, key)
            if found is None:
                raise NotFound(kind="key", name=key, hint="`taxiway evidence keys` lists those there are.")
            if found.revoked_at is not None:
                raise KeyRevoked(key=key)
            at = body.at or record.at
            if at > record.at:
                raise BadField(field="at", value=at.isoformat(), expected="a time that is past")
            store.retire(record.connection, key, record.at)
            store.revoke(record.connection, key, at, by=record.caller.name, because=body.reason)
            record.note(key=key, revoked_at=at, reason=body.reason)
            if self._usable(record.connection) is None:
                self._enter(record, self.keys.make())
            revoked = store.find_key(record.connection, key)
            assert revoked is not None
            return revoked

        return self.ledger.change(caller, "evidence.revoke", "platform", make, answer=PublicKey)


def follow_name(record: Record, before: str, to: str) -> None:
    """What was said of a model's versions is found under its new name; what was signed stays as it is."""
    store.rename_things(record.connection, f"model:{before}@", f"model:{to}@")
