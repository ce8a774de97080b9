"""The pages of datasets: all of them, one with its versions, and one version with everything about it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from taxiway.datasets.contract import (
    ColumnProfile,
    CompareVersions,
    DatasetDiff,
    DatasetSummary,
    DatasetVersion,
    ListDatasets,
)
from taxiway.datasets.service import Datasets
from taxiway.datasets.terms import ColumnTerms, Contract, ContractFinding, Scalar, said
from taxiway.kernel.caller import Caller
from taxiway.kernel.thing import href
from taxiway.lineage.contract import WalkFrom
from taxiway.lineage.service import Lineage
from taxiway.web.figures.small_histogram import SmallHistogram
from taxiway.web.numbers import number, share
from taxiway.web.site import Found, Html, Site, View
from taxiway.web.words import listed, plural

ROWS_SHOWN = 8
TOP_SHOWN = 3


class ColumnRow(Struct, frozen=True):
    """A column as the page shows it."""

    profile: ColumnProfile
    stored_as: str
    missing: str
    distinct: str
    drawing: SmallHistogram | None
    typical: str


class DatasetPages:
    def __init__(self, site: Site, datasets: Datasets, lineage: Lineage) -> None:
        self.site = site
        self.datasets = datasets
        self.lineage = lineage

    def all(self, view: View) -> Html:
        project = view.one("project")
        rows = self.datasets.list(view.caller, ListDatasets(project=project)).items
        order = view.one("order", "project")
        values = {
            "title": "Data",
            "rows": sort_rows(rows, order),
            "order": order,
            "url": view.url,
            "only": project,
            "answer": answer_for_all(rows),
        }
        return Html("datasets/list.html", "data", values)

    def find(self, caller: Caller, text: str, most: int) -> list[Found]:
        """Datasets whose name holds the text."""
        found = self.datasets.list(caller, ListDatasets()).items
        fitting = [row for row in found if text.lower() in row.name]
        return [Found(r.name, f"/datasets/{r.project}/{r.name}", f"in {r.project}") for r in fitting[:most]]

    def dataset(self, view: View) -> Html:
        project, name = view.path["project"], view.path["name"]
        versions = self.datasets.versions(view.caller, project=project, name=name).items
        values = {
            "title": name,
            "project": project,
            "name": name,
            "versions": versions,
            "answer": answer_for_dataset(versions),
            "verdict": verdict(versions[0]),
        }
        return Html("datasets/dataset.html", "data", values)

    def version(self, view: View) -> Html:
        project, name, number_ = view.path["project"], view.path["name"], view.path["version"]
        shown = self.datasets.find(project, name, number_)
        profile = self.datasets.profile(view.caller, project=project, name=name, version=shown.version)
        newest = self.datasets.find(project, name)
        stored = {column.name: column.stored_as for column in shown.columns}
        edges = self.lineage.walk(WalkFrom(thing=shown.ref, steps=1), self.datasets.access.visible(view.caller)).edges
        values = {
            "title": f"{name} version {shown.version}",
            "project": project,
            "shown": shown,
            "newest": newest.version,
            "answer": answer_for_version(shown),
            "verdict": verdict(shown),
            "columns": [column_row(column, stored[column.name]) for column in profile.columns],
            "findings": [(finding, places(finding)) for finding in (shown.result.findings if shown.result else [])],
            "terms": in_words(shown.contract),
            "changes": self._changes(view, shown),
            "came_from": [(edge.source, href(edge.source)) for edge in edges if edge.target == shown.ref],
            "led_to": [(edge.verb, edge.target, href(edge.target)) for edge in edges if edge.source == shown.ref],
            "panels": self.site.drawn("datasets/version", view, shown.ref),
        }
        return Html("datasets/version.html", "data", values)

    def _changes(self, view: View, shown: DatasetVersion) -> list[tuple[str, str]] | None:
        """What changed since the version before, by column; None for the first."""
        if shown.version == 1:
            return None
        ask = CompareVersions(before=shown.version - 1, after=shown.version)
        return changes_in_words(self.datasets.compare(view.caller, ask, project=shown.project, name=shown.name))


def add(site: Site, datasets: Datasets, lineage: Lineage) -> None:
    pages = DatasetPages(site, datasets, lineage)
    site.page("/datasets", pages.all, needs="datasets.read", scope="platform")
    site.page("/datasets/{project}/{name}", pages.dataset, needs="datasets.read")
    site.page("/datasets/{project}/{name}/versions/{version:int}", pages.version, needs="datasets.read")
    site.finds("Datasets", pages.find)


def verdict(version: DatasetVersion | DatasetSummary) -> str:
    """The verdict of a version's contract as the pages mark it; missing where it has none."""
    if isinstance(version, DatasetSummary):
        passed = version.passed
    else:
        passed = version.result.passed if version.result else None
    return {True: "pass", False: "fail", None: "missing"}[passed]


def sort_rows(rows: list[DatasetSummary], order: str) -> list[DatasetSummary]:
    """The rows in the order that the page's address asks for; an order we do not know is that of the names."""
    key = order.lstrip("-")
    known = {"name", "rows", "versions", "created_at", "size_bytes"}
    if key == "verdict":
        return sorted(rows, key=lambda row: ("fail", "missing", "pass").index(verdict(row)), reverse=order[0] == "-")
    if key not in known:
        return sorted(rows, key=lambda row: (row.project, row.name), reverse=order == "-project")
    return sorted(rows, key=lambda row: getattr(row, key), reverse=order.startswith("-"))


def answer_for_all(rows: list[DatasetSummary]) -> str:
    if not rows:
        return "No data yet"
    broken = [row.name for row in rows if row.passed is False]
    if not broken:
        checked = sum(1 for row in rows if row.passed)
        return f"{plural(len(rows), 'dataset')}, {number(checked)} under contract, none broken"
    verb = "breaks its contract" if len(broken) == 1 else "break their contracts"
    return f"{listed(broken[:3])}{' and others' if len(broken) > 3 else ''} {verb}"


def answer_for_dataset(versions: list[DatasetVersion]) -> str:
    """How the newest version stands, and how the one before it did."""
    newest = versions[0]
    words = {"pass": "fulfils its contract", "fail": "breaks its contract", "missing": "has no contract"}
    head = f"{newest.name} version {newest.version} {words[verdict(newest)]}"
    earlier = [v.version for v in versions[1:] if verdict(v) == "fail"]
    if earlier and verdict(newest) == "pass":
        names = listed([str(version) for version in sorted(earlier)[-3:]])
        return f"{head}; version{'s' if len(earlier) > 1 else ''} {names} did not"
    return head


def answer_for_version(version: DatasetVersion) -> str:
    head = f"Version {version.version} of {version.name}"
    match version.result:
        case None:
            return f"{head} has {plural(version.rows, 'row')} and no contract"
        case result if result.passed:
            return f"{head} fulfils its contract in all {plural(version.rows, 'row')}"
        case result:
            first = result.findings[0]
            rows = f", which {plural(first.count, 'row')} {broken(first.count)}" if first.count else ""
            more = f"; {plural(len(result.findings) - 1, 'finding')} more" if len(result.findings) > 1 else ""
            return f"{head} breaks its contract: {first.column or 'the table'} {first.rule}{rows}{more}"


def broken(count: int) -> str:
    return "breaks" if count == 1 else "break"


def places(finding: ContractFinding) -> list[tuple[str, str]]:
    """The first rows of a finding with what stands in them."""
    pairs = zip(finding.rows[:ROWS_SHOWN], finding.values[:ROWS_SHOWN], strict=True)
    return [(number(row), said(value)) for row, value in pairs]


def column_row(profile: ColumnProfile, stored_as: str) -> ColumnRow:
    rows = profile.count + profile.nulls + profile.nans
    gaps = profile.nulls + profile.nans
    drawn = profile.histogram
    return ColumnRow(
        profile=profile,
        stored_as=stored_as,
        missing=f"{number(gaps)} ({share(gaps / rows)})" if gaps else "0",
        distinct=f"over {number(profile.distinct)}" if profile.is_distinct_capped else number(profile.distinct),
        drawing=SmallHistogram(
            title=f"Histogram of {profile.name}",
            edges=tuple(drawn.edges),
            counts=tuple(drawn.counts),
            is_time=drawn.is_time,
        )
        if drawn
        else None,
        typical=typical(profile, rows),
    )


def typical(profile: ColumnProfile, rows: int) -> str:
    """What stands in a column: its range and median, or its most frequent values."""
    if profile.quantiles:
        return f"{brief(profile.min)} … {brief(profile.quantiles.get('0.5'))} … {brief(profile.max)}"
    if profile.top and (profile.distinct or 0) < profile.count:
        shown = [f"{brief(top.value)} {share(top.count / rows)}" for top in profile.top[:TOP_SHOWN]]
        return ", ".join(shown) + (", …" if (profile.distinct or 0) > TOP_SHOWN else "")
    if profile.min is not None:
        return f"{brief(profile.min)} … {brief(profile.max)}"
    return "–"


def brief(value: Scalar) -> str:
    """A value in a table's cell."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "–"}[value]
    if isinstance(value, (int, float)):
        return number(value)
    return value if len(value) <= 28 else value[:27] + "…"


def in_words(contract: Contract | None) -> list[tuple[str, str]]:
    """A contract's terms, one line for each column and key."""
    if contract is None:
        return []
    lines = [(name, column_in_words(terms)) for name, terms in contract.columns.items()]
    lines += [(", ".join(key), "differ from row to row, taken together") for key in contract.unique]
    if contract.only_these_columns:
        lines.append(("any other column", "must not be there"))
    if contract.min_rows > 1:
        lines.append(("the table", f"at least {plural(contract.min_rows, 'row')}"))
    return lines


def column_in_words(terms: ColumnTerms) -> str:
    words: list[str] = [terms.type] if terms.type else []
    if terms.allowed is not None:
        words.append(f"one of {', '.join(said(value) for value in terms.allowed)}")
    words += [f"at least {terms.min}"] if terms.min is not None else []
    words += [f"at most {terms.max}"] if terms.max is not None else []
    words += ["never missing"] if not terms.nullable else []
    words += ["different in every row"] if terms.unique else []
    words += ["may be absent"] if not terms.required else []
    return ", ".join(words) or "must be there"


def changes_in_words(diff: DatasetDiff) -> list[tuple[str, str]]:
    """What changed between two versions: (column or "rows", words)."""
    found: list[tuple[str, str]] = []
    if diff.rows_before != diff.rows_after:
        found.append(("rows", f"{number(diff.rows_before)} → {number(diff.rows_after)}"))
    return [*found, *((change.column, change_in_words(change.before, change.after)) for change in diff.changes)]


def change_in_words(was: ColumnProfile | None, now: ColumnProfile | None) -> str:
    if was is None or now is None:
        return "new column" if was is None else "column removed"
    names = ("type", "nulls", "nans", "distinct", "min", "mean", "max")
    pairs: list[tuple[str, Any, Any]] = [(name, getattr(was, name), getattr(now, name)) for name in names]
    facts = [f"{name} {brief(before)} → {brief(after)}" for name, before, after in pairs if before != after]
    return ", ".join(facts) or "other values"
