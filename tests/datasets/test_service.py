"""Datasets, through the SDK and over a real port."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxiway.client import Client
from taxiway.datasets.contract import (
    ColumnsRepeated,
    ContractBroken,
    DatasetVersion,
    FrameUnusable,
    TableEmpty,
    TableUnreadable,
)
from taxiway.datasets.terms import ColumnTerms, Contract
from taxiway.kernel.errors import BadField, NotFound
from taxiway.storage.contract import YamlBroken
from tests.support.live import Live

LOANS = pa.table({"application": [1, 2, 3, 4], "gdlin": [1, 666, 0, 666], "race": ["white", "black", "white", None]})
CLEAN = LOANS.set_column(1, "gdlin", pa.array([1, None, 0, None]))
TERMS = Contract(columns={"gdlin": ColumnTerms(type="integer", allowed=[0, 1])}, unique=[["application"]])
YAML = """\
columns:
  gdlin: {type: integer, allowed: [0, 1]}
unique: [[application]]
"""


def opened(live: Live) -> Client:
    live.client.projects.create("loans")
    return live.as_person("ana", "contributor", project="loans")


def test_a_broken_contract_names_column_rows_values_and_rule_and_the_version_stays(live: Live) -> None:
    ana = opened(live)

    raw = ana.datasets.register("loanapp", LOANS, project="loans", contract=YAML)
    clean = ana.datasets.register("loanapp", CLEAN, project="loans", contract=YAML, derived_from=raw)

    assert raw.result is not None
    assert not raw.result.passed
    (finding,) = raw.result.findings
    assert (finding.column, finding.rows, finding.values) == ("gdlin", [1, 3], [666, 666])
    assert finding.rule == "must be one of 0, 1"
    assert clean.result is not None
    assert clean.result.passed
    assert [v.version for v in ana.datasets.versions("loanapp", project="loans")] == [2, 1]


def test_a_version_made_from_another_hangs_on_it_in_the_lineage(live: Live) -> None:
    ana = opened(live)
    raw = ana.datasets.register("loanapp", LOANS, project="loans")
    clean = ana.datasets.register("loanapp", CLEAN, project="loans", derived_from=raw)
    joined = ana.datasets.register("features", CLEAN, project="loans", derived_from=[clean, raw.ref])

    edges = {(e.source, e.verb, e.target) for e in ana.lineage.walk(raw.ref).edges}

    assert edges == {
        (raw.ref, "cleaned_into", clean.ref),
        (clean.ref, "led_to", joined.ref),
        (raw.ref, "led_to", joined.ref),
    }


def test_the_first_dataset_brings_its_project_to_the_stage_of_data(live: Live) -> None:
    ana = opened(live)

    first = ana.datasets.register("loanapp", LOANS, project="loans")

    stages = ana.projects.show("loans").stages
    assert [(s.stage, s.because) for s in stages] == [("idea", "project:loans"), ("data", first.ref)]


def test_the_same_bytes_are_the_same_version(live: Live) -> None:
    ana = opened(live)

    first = ana.datasets.register("loanapp", LOANS, project="loans", contract=TERMS)
    again = ana.datasets.register("loanapp", LOANS, project="loans", contract=TERMS)
    without = ana.datasets.register("loanapp", LOANS, project="loans")
    stricter = ana.datasets.register("loanapp", LOANS, project="loans", contract=Contract(min_rows=9))

    assert again == without == first
    assert (stricter.version, stricter.digest) == (2, first.digest)
    assert ana.datasets.list("loans")[0].versions == 2


def test_eight_at_once_register_the_same_bytes_as_one_version(live: Live) -> None:
    ana = opened(live)

    def register(_: int) -> DatasetVersion:
        try:
            return ana.datasets.register("loanapp", LOANS, project="loans")
        finally:
            ana.transport.close()  # each thread has a connection of its own

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(register, range(8)))

    assert {version.version for version in found} == {1}
    assert len(ana.datasets.versions("loanapp", project="loans")) == 1


def test_the_contract_holds_on_for_the_next_version(live: Live) -> None:
    ana = opened(live)
    ana.datasets.register("loanapp", CLEAN, project="loans", contract=TERMS)

    later = ana.datasets.register("loanapp", LOANS, project="loans")

    assert later.contract == TERMS
    assert later.result is not None
    assert not later.result.passed


def test_a_broken_table_can_be_refused_and_then_nothing_stays(live: Live) -> None:
    ana = opened(live)

    with pytest.raises(ContractBroken, match=r"gdlin must be one of 0, 1: 2 rows break this \(row 1: 666"):
        ana.datasets.register("loanapp", LOANS, project="loans", contract=TERMS, refuse_broken=True)

    assert ana.datasets.list("loans") == []
    assert live.last_verb() == "datasets.register.refused"


def test_a_broken_version_that_is_there_is_refused_too(live: Live) -> None:
    ana = opened(live)
    ana.datasets.register("loanapp", LOANS, project="loans", contract=TERMS)

    with pytest.raises(ContractBroken):
        ana.datasets.register("loanapp", LOANS, project="loans", contract=TERMS, refuse_broken=True)


def test_a_table_with_wrong_columns_has_each_of_them_named(live: Live) -> None:
    ana = opened(live)
    terms = Contract(columns={"GDLIN": ColumnTerms(), "age": ColumnTerms()}, only_these_columns=True)

    found = ana.datasets.register("loanapp", LOANS, project="loans", contract=terms)

    assert found.result is not None
    assert [(f.column, f.kind) for f in found.result.findings] == [
        ("GDLIN", "column missing"),
        ("age", "column missing"),
        ("application", "column unexpected"),
        ("gdlin", "column unexpected"),
        ("race", "column unexpected"),
    ]
    assert found.result.findings[0].rule == "must be there; there is 'gdlin'"


def test_a_table_is_checked_without_being_registered(live: Live) -> None:
    ana = opened(live)

    result = ana.datasets.check("loanapp", LOANS, project="loans", contract=TERMS)

    assert [f.count for f in result.findings] == [2]
    assert ana.datasets.list("loans") == []


def test_a_version_is_checked_against_another_contract(live: Live) -> None:
    ana = opened(live)
    ana.datasets.register("loanapp", CLEAN, project="loans", contract=TERMS)

    assert ana.datasets.check("loanapp", project="loans").passed
    assert not ana.datasets.check("loanapp", project="loans", contract=Contract(min_rows=5)).passed
    assert not ana.datasets.check("loanapp", LOANS, project="loans").passed


def test_a_check_without_any_contract_says_that_it_needs_one(live: Live) -> None:
    ana = opened(live)
    ana.datasets.register("loanapp", LOANS, project="loans")

    with pytest.raises(BadField, match="contract"):
        ana.datasets.check("loanapp", project="loans")


@pytest.mark.parametrize("backend", ["pandas", "pyarrow"])
def test_what_was_registered_is_read_back(live: Live, backend: Any) -> None:
    ana = opened(live)
    noted: list[str] = []
    ana.datasets.on_read.append(lambda version: noted.append(version.digest))
    version = ana.datasets.register("loanapp", LOANS, project="loans")

    frame = ana.datasets.read("loanapp", project="loans", backend=backend)

    assert pa.table(frame).to_pydict() == LOANS.to_pydict()
    assert noted == [version.digest]


def test_a_backend_that_we_do_not_know_is_refused(open_live: Live) -> None:
    open_live.client.projects.create("loans")
    open_live.client.datasets.register("loanapp", LOANS, project="loans")

    with pytest.raises(BadField, match="one of pandas, polars, pyarrow"):
        open_live.client.datasets.read("loanapp", project="loans", backend="excel")  # type: ignore[arg-type]


def test_a_file_is_kept_as_it_was_given(live: Live, tmp_path: Path) -> None:
    ana = opened(live)
    file = tmp_path / "loans.csv"
    file.write_bytes(b'application,gdlin,race\n1,1,white\n2,,black\n3,0,"NA"\n')

    version = ana.datasets.register("loanapp", file, project="loans", contract=TERMS)
    saved = ana.datasets.download("loanapp", project="loans", to=tmp_path / "back.csv")

    assert saved.read_bytes() == file.read_bytes()
    assert (version.format, version.rows, version.size_bytes) == ("csv", 3, file.stat().st_size)
    assert version.table != version.digest
    assert [c.type for c in version.columns] == ["integer", "integer", "string"]
    read = ana.datasets.read("loanapp", project="loans", backend="pyarrow")
    assert read.to_pydict() == {"application": [1, 2, 3], "gdlin": [1, None, 0], "race": ["white", "black", "NA"]}


def test_a_download_goes_into_a_folder_under_the_versions_name(live: Live, tmp_path: Path) -> None:
    ana = opened(live)
    ana.datasets.register("loanapp", LOANS, project="loans")

    saved = ana.datasets.download("loanapp", 1, tmp_path, project="loans", as_parquet=True)

    assert saved == tmp_path / "loanapp-1.parquet"
    assert pq.read_table(saved).equals(LOANS)
    assert list(tmp_path.glob("*.part")) == []


def test_the_profile_is_measured_when_a_version_is_registered(live: Live) -> None:
    ana = opened(live)
    ana.datasets.register("loanapp", CLEAN, project="loans")

    _, gdlin, race = ana.datasets.profile("loanapp", project="loans").columns

    assert (gdlin.count, gdlin.nulls, gdlin.distinct, gdlin.min, gdlin.max, gdlin.mean) == (2, 2, 2, 0, 1, 0.5)
    assert [(top.value, top.count) for top in race.top] == [("white", 2), ("black", 1)]


def test_two_versions_are_compared_by_their_columns(live: Live) -> None:
    ana = opened(live)
    ana.datasets.register("loanapp", LOANS, project="loans")
    ana.datasets.register("loanapp", CLEAN.drop_columns(["race"]), project="loans")

    diff = ana.datasets.diff("loanapp", 1, 2, project="loans")

    assert [(c.column, c.kind) for c in diff.changes] == [("gdlin", "values"), ("race", "removed")]
    assert diff.same == ["application"]
    assert not diff.is_same_content


def test_a_stranger_may_neither_see_nor_register(live: Live) -> None:
    ana = opened(live)
    ana.datasets.register("loanapp", LOANS, project="loans")
    eve = live.as_person("eve")

    with pytest.raises(NotFound):
        eve.datasets.register("loanapp", LOANS, project="loans")
    with pytest.raises(NotFound):
        eve.datasets.read("loanapp", project="loans")
    assert eve.datasets.list() == []


def test_a_version_cannot_be_said_to_come_from_what_one_may_not_see(live: Live) -> None:
    ana = opened(live)
    secret = ana.datasets.register("loanapp", LOANS, project="loans")
    eve = live.as_person("eve")
    eve.projects.create("own")

    with pytest.raises(BadField, match="derived_from"):
        eve.datasets.register("copy", LOANS, project="own", derived_from=secret)

    assert eve.datasets.list() == []


def parquet(table: Any) -> bytes:
    target = io.BytesIO()
    pq.write_table(table, target)
    return target.getvalue()


FAR = (pa.timestamp("us"), pa.timestamp("ms", "UTC"), pa.date32(), pa.duration("ms"))


def far(kind: Any) -> Any:
    """A table whose last value is as far away as its bits allow."""
    bits = 32 if pa.types.is_date32(kind) else 64
    return pa.table(
        {"at": pa.array([0, None, 2 ** (bits - 1) - 1], pa.int32() if bits == 32 else pa.int64()).view(kind)}
    )


@pytest.mark.parametrize(
    ("table", "refusal", "words"),
    [
        (pd.DataFrame({"a": []}), TableEmpty, "no rows"),
        (pd.DataFrame(index=range(3)), TableEmpty, "no columns"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ColumnsRepeated, "'a'"),
        (pd.DataFrame({"a": [1]}, index=pd.Index(["x"], name="id")), FrameUnusable, "reset_index"),
        (pd.DataFrame({"a": [1, "x"]}), FrameUnusable, "one type"),
        ({"a": [1]}, FrameUnusable, "A dict is no table"),
        (Path("nowhere.csv"), FrameUnusable, "nowhere.csv"),
        (b"", TableUnreadable, "CSV"),
        (b"a,a\n1,2\n", ColumnsRepeated, "'a'"),
        (b"a,b\n", TableEmpty, "no rows"),
        (b"a,b\n1,2,3\n", TableUnreadable, "Expected 2 columns"),
        (b"a\n\xff\xfe\n", None, ""),
        *((parquet(far(kind)), TableUnreadable, "column at holds") for kind in FAR),
        (b"PAR1 and then nothing", TableUnreadable, "Parquet"),
        (parquet(pa.table({"a": pa.array([], pa.int64())})), TableEmpty, "no rows"),
        (parquet(LOANS)[:-9] + b"PAR1", TableUnreadable, "Parquet"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_the_reason(open_live: Live, table: Any, refusal: Any, words: str) -> None:
    open_live.client.projects.create("loans")
    if refusal is None:  # bytes that are no text are a column of bytes, and that is a table
        assert open_live.client.datasets.register("x", table, project="loans").columns[0].type == "binary"
        return

    with pytest.raises(refusal, match=words):
        open_live.client.datasets.register("x", table, project="loans")

    assert open_live.client.datasets.list() == []


def test_a_malformed_contract_is_refused_with_file_line_and_key(open_live: Live, tmp_path: Path) -> None:
    open_live.client.projects.create("loans")
    file = tmp_path / "loans.yaml"
    file.write_text("columns:\n  gdlin:\n    alowed: [0, 1]\n")

    with pytest.raises(YamlBroken) as refused:
        open_live.client.datasets.register("loanapp", LOANS, project="loans", contract=file)

    assert (refused.value.line, refused.value.key) == (3, "columns.gdlin.alowed")
    assert "allowed" in refused.value.expected


def test_an_unknown_project_dataset_and_version_are_not_found(open_live: Live) -> None:
    datasets = open_live.client.datasets

    with pytest.raises(NotFound, match="taxiway projects create"):
        datasets.register("loanapp", LOANS, project="nowhere")
    open_live.client.projects.create("loans")
    with pytest.raises(NotFound, match="loans/loanapp"):
        datasets.show("loanapp", project="loans")
    datasets.register("loanapp", LOANS, project="loans")
    with pytest.raises(NotFound, match="loans/loanapp@7"):
        datasets.show("loanapp", 7, project="loans")


def test_a_bad_name_is_refused(open_live: Live) -> None:
    open_live.client.projects.create("loans")

    with pytest.raises(BadField, match="Loan App"):
        open_live.client.datasets.register("Loan App", LOANS, project="loans")


def test_the_rows_of_a_filtered_pandas_frame_are_counted_afresh(open_live: Live) -> None:
    open_live.client.projects.create("loans")
    frame = pd.DataFrame({"a": [1, 2, 3]})

    part = open_live.client.datasets.register("x", frame[frame.a > 1], project="loans")
    same = open_live.client.datasets.register("x", pd.DataFrame({"a": [2, 3]}), project="loans")

    assert [c.name for c in part.columns] == ["a"]
    assert same.version == part.version
