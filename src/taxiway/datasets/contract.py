"""What the outside sees of datasets."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from taxiway.datasets.terms import ColumnType, Contract, ContractFinding, ContractResult, Scalar
from taxiway.kernel.endpoint import Endpoint, Nothing, Page, Raw
from taxiway.kernel.errors import TaxiwayError

FileFormat = Literal["parquet", "csv"]


class StoredColumn(Struct, frozen=True):
    """A column: its type in our words, and the Arrow type that holds it, such as ``int64``."""

    name: str
    type: ColumnType
    stored_as: str


class DatasetVersion(Struct, frozen=True):
    """One state of a dataset; it never changes.

    digest: the SHA-256 of the file as it was given: the version's identity.
    table: the digest of the table as Parquet; the same as `digest` unless the file is a CSV.
    fingerprint: the SHA-256 of the logical content, whatever file holds it (see docs/datasets.md).
    contract, result: what its rows had to fulfil when it was registered, and what was found; None without one.
    derived_from: refs of the dataset versions that it was made from.
    """

    project: str
    name: str
    version: int
    digest: str
    table: str
    fingerprint: str
    format: FileFormat
    rows: int
    size_bytes: int
    columns: list[StoredColumn]
    contract: Contract | None
    result: ContractResult | None
    derived_from: list[str]
    note: str
    created_by: str
    created_at: datetime

    @property
    def ref(self) -> str:
        """Its name in lineage and audit, such as ``dataset:mortgage-approvals/loanapp@2``."""
        return f"dataset:{self.project}/{self.name}@{self.version}"

    def _repr_html_(self) -> str:
        from taxiway.datasets.displays import version_html

        return version_html(self)


class DatasetSummary(Struct, frozen=True):
    """A dataset by its newest version. passed: what its contract said; None without one. findings: how many."""

    project: str
    name: str
    versions: int
    rows: int
    columns: int
    size_bytes: int
    passed: bool | None
    findings: int
    digest: str
    created_by: str
    created_at: datetime


class ValueCount(Struct, frozen=True):
    """How many rows hold a value."""

    value: Scalar
    count: int


class Histogram(Struct, frozen=True):
    """Rows per bin. Bin i goes from edge i to edge i+1, its upper edge left out but for the last.

    is_time: the edges are seconds since 1970 in UTC.
    """

    edges: list[float]
    counts: list[int]
    is_time: bool = False


class ColumnProfile(Struct, frozen=True):
    """The summary of a column.

    count: rows that hold a value: neither null nor NaN. distinct: different values among them; counting stops
    at 100,000 and then `is_distinct_capped`. min, max: of every type that has an order. infinite: rows that hold
    an infinity; mean, sd (n-1 below), quantiles and histogram are of the finite numbers. quantiles: by share, such
    as ``"0.5"``, interpolated linearly. top: the most frequent values, for all but continuous columns.
    """

    name: str
    type: ColumnType
    count: int
    nulls: int
    nans: int = 0
    infinite: int = 0
    distinct: int | None = None
    is_distinct_capped: bool = False
    min: Scalar = None
    max: Scalar = None
    mean: float | None = None
    sd: float | None = None
    quantiles: dict[str, float] = {}
    histogram: Histogram | None = None
    top: list[ValueCount] = []


class Profile(Struct, frozen=True):
    """The summary of a version's columns, in the table's order."""

    rows: int
    columns: list[ColumnProfile]


class ColumnChange(Struct, frozen=True):
    """How a column differs between two versions. kind: the summaries tell the rest."""

    column: str
    kind: Literal["added", "removed", "type", "values"]
    before: ColumnProfile | None
    after: ColumnProfile | None


class DatasetDiff(Struct, frozen=True):
    """What changed from one version to another; columns that are alike are left out, `same` names them."""

    project: str
    name: str
    before: int
    after: int
    is_same_content: bool  # the fingerprints are equal
    rows_before: int
    rows_after: int
    changes: list[ColumnChange]
    same: list[str]


class ContractText(Struct, frozen=True, forbid_unknown_fields=True):
    """A contract as YAML. name: what a refusal calls it, such as a file's name."""

    text: str
    name: str = "contract"


class RegisterDatasetVersion(Struct, frozen=True, forbid_unknown_fields=True):
    """The bytes were stored before, under their digest.

    file_name: what a refusal calls the file. contract or contract_text: what the rows must fulfil; without either
    the contract of the newest version holds on. refuse_broken: register nothing if the contract fails.
    """

    digest: str
    format: FileFormat
    file_name: str = "the table"
    contract: Contract | None = None
    contract_text: ContractText | None = None
    derived_from: list[str] = []
    note: str = ""
    refuse_broken: bool = False


class CheckTable(Struct, frozen=True, forbid_unknown_fields=True):
    """Check stored bytes (`digest`, `format`) or a version (0 is the newest) against a contract.

    Without a contract, against the one of that version, or of the newest.
    """

    version: int = 0
    digest: str = ""
    format: FileFormat = "parquet"
    file_name: str = "the table"
    contract: Contract | None = None
    contract_text: ContractText | None = None


class ListDatasets(Struct, frozen=True, forbid_unknown_fields=True):
    project: str = ""


class CompareVersions(Struct, frozen=True, forbid_unknown_fields=True):
    before: int
    after: int


class ContractBroken(TaxiwayError):
    """A table that breaks its contract, where only one that fulfils it was wanted."""

    status = 422
    is_audited = True
    dataset: str
    findings: list[ContractFinding]

    def __str__(self) -> str:
        first = " ".join(finding.sentence for finding in self.findings[:3])
        more = f" And {len(self.findings) - 3} more." if len(self.findings) > 3 else ""
        return f"{self.dataset} breaks its contract and was not registered. {first}{more} Mend the rows and try again."


class TableUnreadable(TaxiwayError):
    """A file that is not the table it is said to be."""

    status = 400
    file: str
    format: str
    cause: str

    def __str__(self) -> str:
        return (
            f"{self.file} cannot be read as {self.format}: {self.cause}. Give a Parquet file, or a CSV with a header."
        )


class TableEmpty(TaxiwayError):
    """A table without rows or without columns."""

    status = 400
    file: str
    lacks: str

    def __str__(self) -> str:
        return f"{self.file} has no {self.lacks}. Give a table with at least one row and one column."


class ColumnsRepeated(TaxiwayError):
    """Column names that stand for more than one column."""

    status = 400
    file: str
    columns: list[str]

    def __str__(self) -> str:
        names = ", ".join(repr(name) for name in self.columns)
        return f"{self.file} has more than one column named {names}. Give each column a name of its own."


class FrameUnusable(TaxiwayError):
    """A frame that cannot be made a table, or a table that cannot be made a frame."""

    status = 400
    cause: str
    do: str

    def __str__(self) -> str:
        return f"{self.cause}. {self.do}"


list_datasets = Endpoint(
    "GET", "/api/datasets", ListDatasets, Page[DatasetSummary], "datasets.read", "The datasets one may see", "platform"
)
list_versions = Endpoint(
    "GET", "/api/datasets/{project}/{name}", Nothing, Page[DatasetVersion], "datasets.read", "Versions, newest first"
)
register_version = Endpoint(
    "POST",
    "/api/datasets/{project}/{name}/versions",
    RegisterDatasetVersion,
    DatasetVersion,
    "datasets.write",
    "Register stored bytes as a version",
)
show_version = Endpoint(
    "GET",
    "/api/datasets/{project}/{name}/versions/{version:int}",
    Nothing,
    DatasetVersion,
    "datasets.read",
    "A version: schema, digests, contract and findings; 0 is the newest",
)
show_profile = Endpoint(
    "GET",
    "/api/datasets/{project}/{name}/versions/{version:int}/profile",
    Nothing,
    Profile,
    "datasets.read",
    "The summary of a version's columns",
)
get_file = Endpoint(
    "GET",
    "/api/datasets/{project}/{name}/versions/{version:int}/file",
    Nothing,
    Raw,
    "datasets.read",
    "The file as it was given",
)
get_table = Endpoint(
    "GET",
    "/api/datasets/{project}/{name}/versions/{version:int}/table",
    Nothing,
    Raw,
    "datasets.read",
    "The table as Parquet",
)
compare_versions = Endpoint(
    "GET",
    "/api/datasets/{project}/{name}/diff",
    CompareVersions,
    DatasetDiff,
    "datasets.read",
    "What changed between two versions",
)
check_table = Endpoint(
    "POST",
    "/api/datasets/{project}/{name}/checks",
    CheckTable,
    ContractResult,
    "datasets.read",
    "Check rows against a contract without registering them",
)
