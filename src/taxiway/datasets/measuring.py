"""Measures a table in one pass over its columns: schema, fingerprint and profile. Loaded when a table arrives."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from taxiway.datasets.contract import Profile, StoredColumn
from taxiway.datasets.fingerprint import column_digest, fingerprint
from taxiway.datasets.kinds import column_type
from taxiway.datasets.profile import profile_column
from taxiway.datasets.reading import open_table
from taxiway.datasets.rules import check
from taxiway.datasets.terms import Contract, ContractResult


class Measured(Struct, frozen=True):
    """What a table is, before it has a name."""

    columns: list[StoredColumn]
    fingerprint: str
    profile: Profile
    result: ContractResult | None


def measure(file: Path, contract: Contract | None, *, name: str) -> Measured:
    """The facts of the table in a Parquet file. Raises what `open_table` raises; `name` is what it calls the file."""
    table = open_table(file, name)
    try:
        columns, digests, profiles = [], [], []
        for field in table.schema:
            values = table.column(field.name)
            columns.append(StoredColumn(field.name, column_type(field.type), str(field.type)))
            digests.append((field.name, column_digest(values)))
            profiles.append(profile_column(field.name, values))
        return Measured(
            columns=columns,
            fingerprint=fingerprint(digests, table.num_rows),
            profile=Profile(table.num_rows, profiles),
            result=None if contract is None else check(table, contract),
        )
    finally:
        table.close()


def check_file(file: Path, contract: Contract, *, name: str) -> ContractResult:
    """Everything in which the table in a Parquet file breaks a contract."""
    table = open_table(file, name)
    try:
        return check(table, contract)
    finally:
        table.close()
