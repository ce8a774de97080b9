"""The SDK of datasets."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from taxiway.datasets import contract as wire
from taxiway.datasets.contract import (
    CheckTable,
    CompareVersions,
    ContractText,
    DatasetDiff,
    DatasetSummary,
    DatasetVersion,
    FrameUnusable,
    ListDatasets,
    Profile,
    RegisterDatasetVersion,
)
from taxiway.datasets.terms import Contract, ContractResult
from taxiway.kernel.endpoint import Endpoint, Nothing, Raw
from taxiway.kernel.errors import Unexpected
from taxiway.kernel.thing import parse
from taxiway.kernel.transport import Transport
from taxiway.storage.contract import put_blob

if TYPE_CHECKING:
    from taxiway.datasets.frames import Backend, Source

# A contract as a struct, as YAML text, or as the path of a YAML file.
GivenContract = Contract | str | Path


class Datasets:
    """Versioned tables: ``client.datasets``.

    on_read: called with each version that is read, so that a run can note what it used. pins: references of the
    versions that are read where no number is given, instead of the newest.
    """

    def __init__(self, transport: Transport, pins: Sequence[str] = ()) -> None:
        self.transport = transport
        self.pins = pinned(pins)
        self.on_read: list[Callable[[DatasetVersion], None]] = []

    def register(
        self,
        name: str,
        table: Any,
        *,
        project: str,
        contract: GivenContract | None = None,
        derived_from: DatasetVersion | str | Sequence[DatasetVersion | str] | None = None,
        note: str = "",
        refuse_broken: bool = False,
    ) -> DatasetVersion:
        """Registers a table as the next version of a dataset, or gives the version that is there with its bytes.

        table: a pandas, polars or pyarrow frame, or the path or bytes of a Parquet or CSV file (UTF-8, commas, a
        header). contract: without one, that of the newest version holds on. A broken contract is recorded with
        the version, see ``.result``; with `refuse_broken` nothing is registered and ContractBroken raised.
        derived_from: the versions it was made from, for lineage.

        Raises BadField, NotFound, TableUnreadable, TableEmpty, ColumnsRepeated, FrameUnusable, YamlBroken.

        >>> raw = client.datasets.register("loans", "loans.csv", project="mortgages")  # doctest: +SKIP
        >>> clean = client.datasets.register(  # doctest: +SKIP
        ...     "loans", frame, project="mortgages", derived_from=raw, contract=Path("loans.yaml")
        ... )
        """
        from taxiway.datasets.frames import opened

        struct, text = split(contract)
        with opened(table) as source:
            self._store(source)
            body = RegisterDatasetVersion(
                digest=source.digest,
                format=source.format,
                file_name=source.name,
                contract=struct,
                contract_text=text,
                derived_from=refs(derived_from),
                note=note,
                refuse_broken=refuse_broken,
            )
        return self.transport.call(wire.register_version, body, project=project, name=name)

    def show(self, name: str, version: int | None = None, *, project: str) -> DatasetVersion:
        """A version; without a number the newest. Raises NotFound."""
        number = version or self.pins.get((project, name), 0)
        return self.transport.call(wire.show_version, project=project, name=name, version=number)

    def version(self, name: str, version: int | None = None, *, project: str) -> DatasetVersion:
        """The same as `show`: what a run notes as its input, ``run.use(client.datasets.version(…))``."""
        return self.show(name, version, project=project)

    def profile(self, name: str, version: int | None = None, *, project: str) -> Profile:
        """The summary of a version's columns. Raises NotFound."""
        return self.transport.call(wire.show_profile, project=project, name=name, version=version or 0)

    def check(
        self,
        name: str,
        table: Any = None,
        *,
        project: str,
        version: int | None = None,
        contract: GivenContract | None = None,
    ) -> ContractResult:
        """Holds a table, or a version that is there, against a contract. Nothing is registered.

        table: as for `register`; without one, the version. contract: without one, that of the version or of the
        newest. Raises as `register` does; a broken contract is an answer, not an error.
        """
        from taxiway.datasets.frames import opened

        struct, text = split(contract)
        if table is None:
            body = CheckTable(version=version or 0, contract=struct, contract_text=text)
            return self.transport.call(wire.check_table, body, project=project, name=name)
        with opened(table) as source:
            self._store(source)
            body = CheckTable(
                digest=source.digest,
                format=source.format,
                file_name=source.name,
                contract=struct,
                contract_text=text,
            )
        return self.transport.call(wire.check_table, body, project=project, name=name)

    def read(self, name: str, version: int | None = None, *, project: str, backend: Backend = "pandas") -> Any:
        """A version's rows as a frame of pandas, polars or pyarrow; without a number of the newest.

        Raises NotFound, and FrameUnusable where the backend is not installed.
        """
        from taxiway.datasets.frames import read_frame

        found = self.show(name, version, project=project)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "table.parquet"
            self._fetch(wire.get_table, found, found.table, file)
            frame = read_frame(file, backend)
        for told in self.on_read:
            told(found)
        return frame

    def download(
        self, name: str, version: int | None = None, to: str | Path = ".", *, project: str, as_parquet: bool = False
    ) -> Path:
        """Saves a version's file as it was given, and gives its path. Without a number, the newest version's.

        to: a folder, or the path of the file to write. as_parquet: the table as Parquet, whatever was given.
        """
        found = self.show(name, version, project=project)
        ending = "parquet" if as_parquet else found.format
        target = Path(to) / f"{name}-{found.version}.{ending}" if Path(to).is_dir() else Path(to)
        endpoint, digest = (wire.get_table, found.table) if as_parquet else (wire.get_file, found.digest)
        part = target.with_name(f"{target.name}.part")
        try:
            self._fetch(endpoint, found, digest, part)
            part.replace(target)
        except OSError as e:
            raise FrameUnusable(cause=f"{target} cannot be written ({e.strerror})", do="Give another path.") from e
        finally:
            part.unlink(missing_ok=True)
        for told in self.on_read:
            told(found)
        return target

    def diff(self, name: str, before: int, after: int, *, project: str) -> DatasetDiff:
        """What changed between two versions: columns, types and summaries. Raises NotFound."""
        body = CompareVersions(before=before, after=after)
        return self.transport.call(wire.compare_versions, body, project=project, name=name)

    def versions(self, name: str, *, project: str) -> list[DatasetVersion]:
        """Every version, newest first. Raises NotFound."""
        return self.transport.call(wire.list_versions, project=project, name=name).items

    def list(self, project: str = "") -> list[DatasetSummary]:
        """The datasets of a project, or all that one may see."""
        return self.transport.call(wire.list_datasets, ListDatasets(project=project)).items

    def _store(self, source: Source) -> None:
        self.transport.upload(put_blob, source.data, source.size_bytes, digest=source.digest)

    def _fetch(self, endpoint: Endpoint[Nothing, Raw], found: DatasetVersion, digest: str, file: Path) -> None:
        """Writes a version's bytes to a file. Raises Unexpected where they are not what the digest says."""
        with file.open("wb") as target:
            hashed = Hashed(target)
            self.transport.download(
                endpoint,
                hashed,  # type: ignore[arg-type]  # it only writes
                project=found.project,
                name=found.name,
                version=found.version,
            )
        if hashed.digest != digest:
            raise Unexpected(detail=f"{found.ref} arrived as {hashed.digest}, not as {digest}. Fetch it again.")


class Hashed:
    """A file to write that knows the digest of what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        return self.file.write(data)

    @property
    def digest(self) -> str:
        return f"sha256:{self.hash.hexdigest()}"


def split(given: GivenContract | None) -> tuple[Contract | None, ContractText | None]:
    """A contract in the one of its two forms on the wire."""
    if given is None or isinstance(given, Contract):
        return given, None
    if isinstance(given, str) and "\n" not in given and given.endswith((".yaml", ".yml")):
        given = Path(given)
    if isinstance(given, str):
        return None, ContractText(text=given)
    try:
        return None, ContractText(text=given.read_text(encoding="utf-8"), name=os.fspath(given))
    except (OSError, UnicodeDecodeError) as e:
        raise FrameUnusable(
            cause=f"The contract {given} cannot be read ({e})", do="Give the path of a YAML file."
        ) from e


def pinned(pins: Sequence[str]) -> dict[tuple[str, str], int]:
    """The pinned version of each dataset, by project and name."""
    found: dict[tuple[str, str], int] = {}
    for thing in map(parse, pins):
        project, _, name = thing.name.partition("/")
        found[project, name] = thing.version or 0
    return found


def refs(given: DatasetVersion | str | Sequence[DatasetVersion | str] | None) -> list[str]:
    """References of versions given in any of the ways people give them."""
    if given is None:
        return []
    one_or_many = [given] if isinstance(given, (DatasetVersion, str)) else given
    return [one.ref if isinstance(one, DatasetVersion) else one for one in one_or_many]
