"""The CLI of datasets."""

from __future__ import annotations

import re
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from taxiway.datasets.contract import DatasetDiff, DatasetSummary, DatasetVersion, Profile
from taxiway.datasets.terms import ContractResult
from taxiway.kernel.commands import Argument, Command, count
from taxiway.kernel.errors import BadField
from taxiway.kernel.show import as_table, cell

if TYPE_CHECKING:
    from taxiway.client import Client

NAMED = re.compile(r"(?:dataset:)?(?P<project>[^/@]+)/(?P<name>[^/@]+)(?:@(?P<version>[1-9]\d{0,8}))?")

DATASET = Argument("dataset", "PROJECT/NAME")
VERSION = Argument("dataset", "PROJECT/NAME, or PROJECT/NAME@VERSION; without a version the newest")
CONTRACT = Argument("--contract", "a YAML file with the contract", is_file=True)


def parse(text: str) -> dict[str, Any]:
    """The arguments `name`, `project` and `version` that a dataset's name on the command line stands for."""
    found = NAMED.fullmatch(text)
    if found is None:
        raise BadField(field="dataset", value=repr(text), expected="PROJECT/NAME or PROJECT/NAME@VERSION")
    version = found["version"]
    return {"name": found["name"], "project": found["project"], "version": int(version) if version else None}


def parse_unversioned(text: str) -> dict[str, str]:
    given = parse(text)
    if given.pop("version") is not None:
        raise BadField(field="dataset", value=repr(text), expected="PROJECT/NAME without a version")
    return given


def contract_path(given: Namespace) -> Any:
    from pathlib import Path

    return Path(given.contract) if given.contract else None


def list_(client: Client, given: Namespace) -> list[DatasetSummary]:
    return client.datasets.list(given.project)


def show(client: Client, given: Namespace) -> DatasetVersion:
    return client.datasets.show(**parse(given.dataset))


def versions(client: Client, given: Namespace) -> list[DatasetVersion]:
    return client.datasets.versions(**parse_unversioned(given.dataset))


def register(client: Client, given: Namespace) -> DatasetVersion:
    return client.datasets.register(
        table=given.file,
        contract=contract_path(given),
        derived_from=given.derived_from or None,
        note=given.note,
        refuse_broken=given.refuse_broken,
        **parse_unversioned(given.dataset),
    )


def check(client: Client, given: Namespace) -> ContractResult:
    return client.datasets.check(table=given.file, contract=contract_path(given), **parse(given.dataset))


def download(client: Client, given: Namespace) -> str:
    saved = client.datasets.download(to=given.to, as_parquet=given.as_parquet, **parse(given.dataset))
    return str(saved)


def profile(client: Client, given: Namespace) -> Profile:
    return client.datasets.profile(**parse(given.dataset))


def diff(client: Client, given: Namespace) -> DatasetDiff:
    return client.datasets.diff(before=given.before, after=given.after, **parse_unversioned(given.dataset))


def show_version(version: DatasetVersion) -> str:
    """A version in a few lines: what it is, its columns, its verdict."""
    facts = {
        "dataset": version.ref,
        "rows": f"{version.rows:,}",
        "columns": len(version.columns),
        "digest": version.digest,
        "fingerprint": version.fingerprint,
        "derived from": version.derived_from,
        "registered": f"{cell(version.created_at)} by {version.created_by}",
        "note": version.note,
    }
    lines = [f"{name.ljust(12)}  {cell(value)}" for name, value in facts.items() if value]
    columns = [{"column": c.name, "type": c.type, "stored_as": c.stored_as} for c in version.columns]
    verdict = show_result(version.result) if version.result else "It has no contract."
    return "\n".join([*lines, "", as_table(columns), "", verdict])


def show_result(result: ContractResult) -> str:
    """A verdict, and every finding on a line of its own."""
    if result.passed:
        return f"● {result.sentence}"
    number = "1 finding" if len(result.findings) == 1 else f"{len(result.findings)} findings"
    return "\n".join([f"■ The contract is broken, {number}:", *(f"  {f.sentence}" for f in result.findings)])


def show_profile(profile: Profile) -> str:
    names = ("name", "type", "count", "nulls", "nans", "distinct", "min", "mean", "max")
    rows: list[Any] = []
    for column in profile.columns:
        facts = {name: getattr(column, name) for name in names}
        if column.is_distinct_capped:
            facts["distinct"] = f"over {column.distinct:,}"
        median = column.quantiles.get("0.5")
        commonest = column.top[0] if column.top else None
        facts |= {"median": median, "commonest": f"{commonest.value} ({commonest.count:,})" if commonest else None}
        rows.append(facts)
    return as_table(rows)


def show_diff(diff: DatasetDiff) -> str:
    """What changed, column by column."""
    if diff.is_same_content:
        return f"Versions {diff.before} and {diff.after} hold the same rows."
    lines = [f"rows {diff.rows_before:,} → {diff.rows_after:,}; {len(diff.same)} columns look alike"]
    for change in diff.changes:
        was, now = change.before, change.after
        if was is None or now is None:
            lines.append(f"{change.column}: {change.kind}")
        elif was.type != now.type:
            lines.append(f"{change.column}: {was.type} → {now.type}")
        else:
            names = [
                n for n in ("nulls", "nans", "distinct", "min", "mean", "max") if getattr(was, n) != getattr(now, n)
            ]
            facts = [f"{name} {cell(getattr(was, name))} → {cell(getattr(now, name))}" for name in names]
            lines.append(f"{change.column}: {', '.join(facts) or 'other values'}")
    return "\n".join(lines)


def exit_code(result: ContractResult) -> int:
    return 0 if result.passed else 1


COMMANDS = (
    Command(
        "list",
        "the datasets you may see",
        list_,
        (Argument("--project", "of this project alone", default=""),),
        columns=("project", "name", "versions", "rows", "columns", "passed", "findings", "created_at", "created_by"),
    ),
    Command("show", "a version: schema, digests, contract and findings", show, (VERSION,), show=show_version),
    Command(
        "versions",
        "every version of a dataset",
        versions,
        (DATASET,),
        columns=("version", "rows", "result.passed", "digest", "derived_from", "created_at", "created_by", "note"),
    ),
    Command(
        "register",
        "register a Parquet or CSV file as the next version",
        register,
        (
            DATASET,
            Argument("file", "the file", is_file=True),
            CONTRACT,
            Argument("--derived-from", "refs of the versions it was made from", is_many=True),
            Argument("--note", "a remark", default=""),
            Argument("--refuse-broken", "register nothing if the contract fails", is_flag=True),
        ),
        show=show_version,
    ),
    Command(
        "check",
        "hold a file or a version against a contract; exit code 1 if it is broken",
        check,
        (VERSION, Argument("file", "a file to check instead of the version", is_optional=True, is_file=True), CONTRACT),
        show=show_result,
        exit_code=exit_code,
    ),
    Command(
        "download",
        "save a version's file",
        download,
        (
            VERSION,
            Argument("--to", "a folder or the file to write", default=".", is_file=True),
            Argument("--as-parquet", "the table as Parquet, whatever was given", is_flag=True),
        ),
    ),
    Command("profile", "the summary of a version's columns", profile, (VERSION,), show=show_profile),
    Command(
        "diff",
        "what changed between two versions",
        diff,
        (DATASET, Argument("before", "a version", count), Argument("after", "another version", count)),
        show=show_diff,
    ),
)
