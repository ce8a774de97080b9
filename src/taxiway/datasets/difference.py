"""The law of comparing two versions of a dataset: which columns came, went or changed. Pure."""

from __future__ import annotations

from taxiway.datasets.contract import ColumnChange, ColumnProfile, Profile, StoredColumn


def changes(
    before: tuple[list[StoredColumn], Profile], after: tuple[list[StoredColumn], Profile]
) -> tuple[list[ColumnChange], list[str]]:
    """What changed, columns of the later table first and in its order; and the names of columns that look alike.

    Columns look alike when type and summary are equal; their rows may still differ in order.
    """
    was, old = by_name(before)
    found, same = [], []
    now, new = by_name(after)
    for name, profile in new.items():
        if name not in old:
            found.append(ColumnChange(name, "added", None, profile))
        elif was[name] != now[name]:
            found.append(ColumnChange(name, "type", old[name], profile))
        elif old[name] != profile:
            found.append(ColumnChange(name, "values", old[name], profile))
        else:
            same.append(name)
    gone = [ColumnChange(name, "removed", profile, None) for name, profile in old.items() if name not in new]
    return [*found, *gone], same


def by_name(table: tuple[list[StoredColumn], Profile]) -> tuple[dict[str, str], dict[str, ColumnProfile]]:
    """How each column is stored, and its summary."""
    columns, profile = table
    return {c.name: c.stored_as for c in columns}, {p.name: p for p in profile.columns}
