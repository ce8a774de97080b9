"""The rules of datasets."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.datasets import store
from taxiway.datasets.contract import (
    CheckTable,
    CompareVersions,
    ContractBroken,
    ContractText,
    DatasetDiff,
    DatasetSummary,
    DatasetVersion,
    FileFormat,
    ListDatasets,
    Profile,
    RegisterDatasetVersion,
)
from taxiway.datasets.difference import changes
from taxiway.datasets.terms import Contract, ContractResult
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, NotFound, TooLarge
from taxiway.kernel.ids import is_name
from taxiway.kernel.thing import parse
from taxiway.lineage.service import draw_edge
from taxiway.projects.service import Projects, enter_stage, require_project
from taxiway.storage.blobs import Blobs, BytesGone
from taxiway.storage.database import Database

SPOOLED_BYTES = 32 << 20


class Datasets:
    """Tables of a project and their versions."""

    def __init__(self, database: Database, ledger: Ledger, access: Access, blobs: Blobs, projects: Projects) -> None:
        self.database = database
        self.ledger = ledger
        self.access = access
        self.blobs = blobs
        access.digests.named_in.append(store.names_digest)
        self.projects = projects

    def register(self, caller: Caller, body: RegisterDatasetVersion, *, project: str, name: str) -> DatasetVersion:
        """The version of these bytes: the one that is there with them and this contract, or a new one.

        Raises BadField, NotFound, TableUnreadable, TableEmpty, ColumnsRepeated, TooLarge, YamlBroken, and, where
        `refuse_broken` asks for it, ContractBroken.
        """
        if not is_name(name):
            expected = "a name of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, at most 63 characters"
            raise BadField(field="name", value=repr(name), expected=expected)
        self.projects.find(project)
        contract = read_contract(body.contract, body.contract_text)
        if known := self._known(project, name, body.digest, contract):
            return known if not body.refuse_broken else unbroken(known)
        if contract is None:
            contract = self._newest_contract(project, name)
        self._require_bytes(caller, body.digest, body.file_name)
        table = self._as_table(body.digest, body.format, body.file_name)

        from taxiway.datasets.measuring import measure  # loads Arrow, which a server without tables never needs

        measured = measure(self.blobs.file(table), contract, name=body.file_name)

        def make(record: Record) -> DatasetVersion:
            require_project(record, project)
            if known := same_as(store.all_of(record.connection, project, name), body.digest, contract):
                record.thing = known.ref
                record.note(is_new=False)
                return known if not body.refuse_broken else unbroken(known)
            newest = store.find(record.connection, project, name, 0)
            version = DatasetVersion(
                project=project,
                name=name,
                version=newest.version + 1 if newest else 1,
                digest=body.digest,
                table=table,
                fingerprint=measured.fingerprint,
                format=body.format,
                rows=measured.profile.rows,
                size_bytes=self.blobs.size(body.digest),
                columns=measured.columns,
                contract=contract,
                result=measured.result,
                derived_from=body.derived_from,
                note=body.note,
                created_by=caller.name,
                created_at=record.at,
            )
            if body.refuse_broken:
                unbroken(version)
            store.add(record.connection, version, measured.profile)
            self._enter(record, version)
            return version

        thing = f"dataset:{project}/{name}"
        return self.ledger.change(caller, "datasets.register", thing, make, answer=DatasetVersion, project=project)

    def versions(self, caller: Caller, *, project: str, name: str) -> Page[DatasetVersion]:
        """Newest first. Raises NotFound."""
        with self.database.read() as connection:
            found = store.all_of(connection, project, name)
        if not found:
            raise unknown(project, name)
        return Page(found)

    def show(self, caller: Caller, *, project: str, name: str, version: int) -> DatasetVersion:
        return self.find(project, name, version)

    def find(self, project: str, name: str, version: int | None = None) -> DatasetVersion:
        """A version; None or 0 is the newest. Raises NotFound."""
        with self.database.read() as connection:
            found = store.find(connection, project, name, version or 0)
        if found is None:
            raise unknown(project, name, version)
        return found

    def with_digest(self, digest: str) -> list[DatasetVersion]:
        """Every version whose file or table has the digest, oldest first."""
        with self.database.read() as connection:
            return store.with_digest(connection, digest)

    def profile(self, caller: Caller, *, project: str, name: str, version: int) -> Profile:
        found = self.find(project, name, version)
        with self.database.read() as connection:
            return store.profile_of(connection, found)

    def table_file(self, version: DatasetVersion) -> Path:
        """The table as a Parquet file, to read only. Raises BytesGone."""
        return self._kept_file(version.table, version.ref)

    def given_file(self, version: DatasetVersion) -> Path:
        """The file as it was given, to read only. Raises BytesGone."""
        return self._kept_file(version.digest, version.ref)

    def compare(self, caller: Caller, body: CompareVersions, *, project: str, name: str) -> DatasetDiff:
        """What changed between two versions. Raises NotFound."""
        before, after = (self.find(project, name, version) for version in (body.before, body.after))
        with self.database.read() as connection:
            profiles = [store.profile_of(connection, version) for version in (before, after)]
        changed, same = changes((before.columns, profiles[0]), (after.columns, profiles[1]))
        return DatasetDiff(
            project=project,
            name=name,
            before=before.version,
            after=after.version,
            is_same_content=before.fingerprint == after.fingerprint,
            rows_before=before.rows,
            rows_after=after.rows,
            changes=changed,
            same=same,
        )

    def check(self, caller: Caller, body: CheckTable, *, project: str, name: str) -> ContractResult:
        """Holds stored bytes or a version against a contract and keeps nothing. Raises as `register` does."""
        contract = read_contract(body.contract, body.contract_text)
        if body.digest:
            self.projects.find(project)
            self._require_bytes(caller, body.digest, body.file_name)
            table, called = self._as_table(body.digest, body.format, body.file_name), body.file_name
            contract = contract or self._newest_contract(project, name)
        else:
            version = self.find(project, name, body.version)
            table, called = version.table, version.ref
            contract = contract or version.contract
        if contract is None:
            expected = f"a contract: neither it nor {project}/{name} has one"
            raise BadField(field="contract", value="nothing", expected=expected)

        from taxiway.datasets.measuring import check_file

        return check_file(self.blobs.file(table), contract, name=called)

    def list(self, caller: Caller, body: ListDatasets) -> Page[DatasetSummary]:
        """Every dataset that the caller may see, by project and name."""
        visible = self.access.visible(caller)
        if body.project:
            visible = [body.project] if visible is None or body.project in visible else []
        with self.database.read() as connection:
            return Page(store.summaries(connection, visible))

    def _known(self, project: str, name: str, digest: str, contract: Contract | None) -> DatasetVersion | None:
        with self.database.read() as connection:
            return same_as(store.all_of(connection, project, name), digest, contract)

    def _newest_contract(self, project: str, name: str) -> Contract | None:
        with self.database.read() as connection:
            newest = store.find(connection, project, name, 0)
        return newest.contract if newest else None

    def _kept_file(self, digest: str, name: str) -> Path:
        if not self.blobs.has(digest):
            raise BytesGone(what=name)
        return self.blobs.file(digest)

    def _require_bytes(self, caller: Caller, digest: str, name: str) -> None:
        if not (self.access.digests.may_name(caller, digest) and self.blobs.has(digest)):
            hint = f"They are the bytes of {name}: store them first with `PUT /api/blobs/{digest}`."
            raise NotFound(kind="blob", name=digest, hint=hint)

    def _as_table(self, digest: str, format_: FileFormat, name: str) -> str:
        """The digest of the table as Parquet, made and stored where the file is a CSV."""
        if format_ == "parquet":
            return digest

        from taxiway.datasets.reading import csv_to_parquet

        with tempfile.SpooledTemporaryFile(SPOOLED_BYTES) as target:
            csv_to_parquet(self.blobs.file(digest), name, target)
            target.seek(0)
            return self.blobs.put(target)

    def _enter(self, record: Record, version: DatasetVersion) -> None:
        """What a new version means elsewhere: its entry, its edges, the project's stage."""
        record.thing = version.ref
        visible = self.access.visible(record.caller)
        for source in version.derived_from:
            kind, name, number = parse(source)
            project, _, dataset = name.partition("/")
            is_seen = visible is None or project in visible
            if kind != "dataset" or not is_seen or not store.find(record.connection, project, dataset, number or -1):
                expected = "refs of dataset versions such as 'dataset:mortgage-approvals/loanapp@1'"
                raise BadField(field="derived_from", value=repr(source), expected=expected)
            is_own = (project, dataset) == (version.project, version.name)
            verb = "cleaned_into" if is_own else "led_to"
            draw_edge(record, source=source, verb=verb, target=version.ref, project=version.project)
        enter_stage(record, version.project, "data", because=version.ref)
        left_out = {"columns", "created_at", "created_by", "project", "name"}
        facts = msgspec.to_builtins(version)
        record.note(**{field: value for field, value in facts.items() if field not in left_out})


def same_as(versions: list[DatasetVersion], digest: str, contract: Contract | None) -> DatasetVersion | None:
    """The newest version of these bytes under this contract; without one, under whichever it has."""
    return next((v for v in versions if v.digest == digest and contract in (None, v.contract)), None)


MOST_CONTRACT_BYTES = 256 << 10
MOST_CONTRACT_COLUMNS = 5_000


def unbroken(version: DatasetVersion) -> DatasetVersion:
    """The version, if it fulfils its contract. Raises ContractBroken."""
    if version.result is not None and not version.result.passed:
        raise ContractBroken(dataset=f"{version.project}/{version.name}", findings=version.result.findings)
    return version


def read_contract(contract: Contract | None, text: ContractText | None) -> Contract | None:
    """The contract as it was given, in either form. Raises YamlBroken, BadField, TooLarge."""
    if text is None:
        return contract
    if contract is not None:
        raise BadField(field="contract_text", value=repr(text.name), expected="either contract or contract_text")

    if len(text.text.encode()) > MOST_CONTRACT_BYTES:
        raise TooLarge(what=f"{text.name} in bytes", limit=MOST_CONTRACT_BYTES, found=len(text.text.encode()))

    from taxiway.storage.yaml_text import read_yaml

    found = read_yaml(text.text, Contract, name=text.name)
    if len(found.columns) > MOST_CONTRACT_COLUMNS:
        raise TooLarge(
            what=f"The number of columns of {text.name}", limit=MOST_CONTRACT_COLUMNS, found=len(found.columns)
        )
    return found


def unknown(project: str, name: str, version: int | None = None) -> NotFound:
    hint = f"`taxiway datasets list --project {project}` shows those there are."
    if version:
        hint = f"`taxiway datasets versions {project}/{name}` shows those there are."
        return NotFound(kind="dataset version", name=f"{project}/{name}@{version}", hint=hint)
    return NotFound(kind="dataset", name=f"{project}/{name}", hint=hint)
