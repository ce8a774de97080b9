"""The rules of inference logs: how each is kept, what is asked of it, whose fields are erased, what goes when."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from taxiway.audit.service import Record
from taxiway.endpoints.inferences.ageing.chain import ChainBroken, check, read_chain
from taxiway.endpoints.inferences.ageing.retention import expired, remove
from taxiway.endpoints.inferences.damage import left_out
from taxiway.endpoints.inferences.log import segments
from taxiway.endpoints.inferences.logs import store
from taxiway.endpoints.inferences.logs.contract import (
    EndpointLog,
    Erased,
    EraseSubject,
    KeepLog,
    LogChecked,
    Why,
)
from taxiway.endpoints.inferences.logs.keeping import check_policy, keep_policy
from taxiway.endpoints.inferences.masking import Mask, hash_secret
from taxiway.endpoints.inferences.policy import LOSS_WINDOW_S, LogPolicy, durability_of
from taxiway.endpoints.inferences.refusals import LogHeld
from taxiway.endpoints.inferences.subjects import Subjects
from taxiway.endpoints.rollout.comparisons import expire
from taxiway.endpoints.service import Endpoints
from taxiway.endpoints.steering.seen import Seen
from taxiway.kernel.caller import SYSTEM, Caller
from taxiway.projects.contract import Project
from taxiway.projects.service import find_project

FETCHED = "fetched"  # where tables wait until their askers took them
log = logging.getLogger("taxiway.endpoints")


class Logs:
    """The inference logs of a home."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints
        self.home: Path = endpoints.home
        self.access = endpoints.below.access

    # --- how it is kept ---

    def policy(self, endpoint: str) -> LogPolicy:
        with self.endpoints.database.read() as connection:
            found = store.find(connection, endpoint)
        return found.policy if found else LogPolicy()

    def show(self, caller: Caller, *, endpoint: str) -> EndpointLog:
        """Raises NotFound."""
        project = self.endpoints.project_of(endpoint)
        with self.endpoints.database.read() as connection:
            kept = store.find(connection, endpoint)
            policy = kept.policy if kept else LogPolicy()
            found = find_project(connection, project)
            asks = self.path_asks(connection, found)
        durability = durability_of(policy, is_high_risk=found.risk == "high", path_asks=asks)
        shown = EndpointLog(
            endpoint=endpoint,
            policy=policy,
            durability=durability,
            because=why(policy, found, asks),
            loss_window_s=0.0 if durability == "acknowledged" else LOSS_WINDOW_S,
        )
        if kept is not None:
            shown = msgspec.structs.replace(
                shown, reason=kept.reason, changed_by=kept.changed_by, changed_at=kept.changed_at
            )
        return self._with_files(self._with_counts(shown))

    def path_asks(self, connection: Connection, project: Project) -> str:
        return self.endpoints.publisher.path_asks(connection, project)

    def _with_counts(self, shown: EndpointLog) -> EndpointLog:
        status = Seen(self.home).status
        found = next((each for each in (status.logs if status else []) if each.endpoint == shown.endpoint), None)
        if found is None:
            return shown
        names = ("rows", "refused", "unrecorded", "failed_syncs", "problem")
        return msgspec.structs.replace(shown, **{name: getattr(found, name) for name in names})

    def _with_files(self, shown: EndpointLog) -> EndpointLog:
        files = [each.path for each in segments(self.home, shown.endpoint)]
        told = {"files": len(files), "bytes": sum(size_of(path) for path in files)}
        shown = msgspec.structs.replace(shown, **told, left_out=left_out(self.home, shown.endpoint))
        try:
            links, head = read_chain(self.home / "inferences" / shown.endpoint)
        except ChainBroken as e:
            return msgspec.structs.replace(shown, broken=str(e))
        removed = {link.file for link in links if link.act == "removed"}
        firsts = [link.first_at for link in links if link.first_at is not None and link.file not in removed]
        return msgspec.structs.replace(shown, chain=head if links else "", first_at=min(firsts, default=None))

    def keep(self, caller: Caller, body: KeepLog, *, endpoint: str) -> EndpointLog:
        """Has a log kept like this from now on; what is in it already stays as it was written.

        Raises BadField, DurabilityAsked, NotFound.
        """
        check_policy(body.policy)
        project = self.endpoints.project_of(endpoint)

        def make(record: Record) -> bool:
            asks = self.path_asks(record.connection, find_project(record.connection, project))
            before = keep_policy(record, endpoint, body.policy, project=project, path_asks=asks, reason=body.reason)
            policy, was = msgspec.to_builtins(body.policy), msgspec.to_builtins(before)
            record.note(policy=policy, before=was, reason=body.reason)
            configuration = self.endpoints.publisher.renew(record.change)
            record.after_commit(lambda: self.endpoints.publisher.publish(configuration))
            return True

        thing = f"endpoint:{endpoint}"
        self.endpoints.ledger.change(caller, "endpoints.keep_log", thing, make, answer=bool, project=project)
        return self.show(caller, endpoint=endpoint)

    # --- what is taken out of it ---

    def erase(self, caller: Caller, body: EraseSubject, *, endpoint: str) -> Erased:
        """Destroys the key of a subject, so that its personal fields are unreadable in every record, for ever.

        The audit log keeps who did it and why, and of the subject a keyed hash. Raises LogHeld, NotFound.
        """
        project = self.endpoints.project_of(endpoint)
        policy = self.policy(endpoint)
        hashed = Mask(endpoint, policy, hash_secret(self.home)).hashed("subject", body.subject)
        thing = f"endpoint:{endpoint}"
        if policy.hold:
            refusal = LogHeld(endpoint=endpoint, hold=policy.hold)
            self.endpoints.ledger.refused(caller, "endpoints.erase", thing, refusal, project=project)
            raise refusal
        subjects = Subjects(self.home)

        def make(record: Record) -> Erased:
            was_there = bool(subjects.id_of(endpoint, body.subject))
            record.note(subject=hashed, was_there=was_there, reason=body.reason, chain=self._head(endpoint))
            # Before the commit: an entry that says so must be true. A key without its entry is found by asking again.
            subjects.erase(endpoint, body.subject)
            for waiting in (self.home / FETCHED).glob("*.arrow"):  # tables with what was readable until now
                waiting.unlink(missing_ok=True)
            return Erased(endpoint, hashed, was_there, record.at)

        return self.endpoints.ledger.change(caller, "endpoints.erase", thing, make, answer=Erased, project=project)

    def retain(self) -> None:
        """Removes what is older than each policy keeps it, with an entry of what went, and working copies of it."""
        with self.endpoints.database.read() as connection:
            policies = store.policies(connection)
        now = self.endpoints.publisher.writer.clock()
        for endpoint, policy in policies.items():
            try:
                self._retain(endpoint, policy)
                if policy.keep_days is not None and not policy.hold:
                    expire(self.home, endpoint, now - timedelta(days=policy.keep_days))
            except ChainBroken as e:
                log.error("Nothing of the log of %s is removed: %s", endpoint, e)  # noqa: TRY400  it says it all

    def _retain(self, endpoint: str, policy: LogPolicy) -> None:
        now = self.endpoints.publisher.writer.clock()
        asked = [since for ask in self.endpoints.needed_since if (since := ask(endpoint)) is not None]
        found = expired(self.home, endpoint, policy, now, min(asked, default=None))
        if found is None:
            return

        def make(record: Record) -> bool:
            firsts = [each.first_at for each in found.files if each.first_at is not None]
            lasts = [each.last_at for each in found.files if each.last_at is not None]
            record.note(
                files={each.file: each.digest for each in found.files},
                rows=found.rows,
                first_at=min(firsts).isoformat() if firsts else "",
                last_at=max(lasts).isoformat() if lasts else "",
                keep_days=policy.keep_days,
                chain=self._head(endpoint),
            )
            return True

        project = self.endpoints.project_of(endpoint)
        thing = f"endpoint:{endpoint}"
        self.endpoints.ledger.change(SYSTEM, "endpoints.expire_log", thing, make, answer=bool, project=project)
        remove(self.home, endpoint, found, now)

    # --- whether it is whole ---

    def check(self, caller: Caller, *, endpoint: str) -> LogChecked:
        """Reads every sealed file again. Raises NotFound."""
        self.endpoints.project_of(endpoint)
        files = sum(each.kind in ("sealed", "merged") for each in segments(self.home, endpoint))
        return LogChecked(endpoint, files, self._head(endpoint), check(self.home, endpoint))

    def _head(self, endpoint: str) -> str:
        try:
            links, head = read_chain(self.home / "inferences" / endpoint)
        except ChainBroken:
            return ""
        return head if links else ""


def why(policy: LogPolicy, project: Project, path_asks: str) -> Why:
    """Whose word settles the durability."""
    if path_asks == "acknowledged" or (path_asks and policy.durability is None):
        return "the path asks for it"
    if policy.durability is not None:
        return "the endpoint's own"
    return "the project's risk is high" if project.risk == "high" else "the default"


def size_of(path: Path) -> int:
    """The bytes of a file, 0 of one that was just merged or removed."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
