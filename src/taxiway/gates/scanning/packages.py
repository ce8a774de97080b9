"""The packages that a version's environment was locked to: their licences, and what is known against them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any

import msgspec
from msgspec import Struct

PINNED = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*==\s*([^\s;#\\]+)", re.MULTILINE)
# How classifiers and free texts name licences, most particular first, as their SPDX names.
NAMED = (
    (r"affero", "AGPL"),
    (r"lesser general public|lgpl", "LGPL"),
    (r"general public license v2|gplv2", "GPL-2.0"),
    (r"general public license v3|gplv3", "GPL-3.0"),
    (r"general public license|\bgpl", "GPL"),
    (r"mozilla public license 2|mpl.?2", "MPL-2.0"),
    (r"apache", "Apache-2.0"),
    (r"\bmit\b", "MIT"),
    (r"bsd", "BSD"),
    (r"python software foundation|psf", "PSF-2.0"),
)
LONGEST_NAME = 100  # a longer `License` is the text of one


class Package(Struct, frozen=True):
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Advisory(Struct, frozen=True):
    """A vulnerability that a package has. fixed: the versions that do not have it any more."""

    id: str
    package: Package
    summary: str
    fixed: list[str]


def packages_of(lock: str) -> list[Package]:
    """The pinned packages of a lock, by name."""
    found = {normal(name): Package(normal(name), version) for name, version in PINNED.findall(lock)}
    return [found[name] for name in sorted(found)]


def normal(name: str) -> str:
    """
    >>> normal("Scikit_Learn")
    'scikit-learn'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def licences_of(package: Package) -> list[str]:
    """The licences that an installed package names, in SPDX's words where they are known; empty where it names none
    or is not installed here.
    """
    try:
        said: Any = metadata(package.name)
    except PackageNotFoundError:
        return []
    if expression := said.get("License-Expression"):
        return [each for each in re.split(r"[()\s]+", expression) if each and each.upper() not in ("AND", "OR", "WITH")]
    texts = [each.rpartition("::")[2] for each in said.get_all("Classifier") or [] if each.startswith("License ::")]
    if not texts and (text := said.get("License", "")) and len(text) <= LONGEST_NAME:
        texts = [text]
    return [spdx(text.strip()) for text in texts if text.strip() != "OSI Approved"]


def spdx(text: str) -> str:
    return next((name for pattern, name in NAMED if re.search(pattern, text, re.IGNORECASE)), text)


def is_denied(licence: str, denied: Collection[str]) -> bool:
    """Whether a licence is one of these, in any of its versions where none is named.

    >>> is_denied("GPL-3.0-or-later", ["GPL-3.0"]), is_denied("LGPL-3.0-only", ["GPL"]), is_denied("GPL", ["GPL-3.0"])
    (True, False, False)
    """
    lowered = licence.lower()
    return any(
        lowered == each.lower() or lowered.startswith((f"{each.lower()}-", f"{each.lower()}+")) for each in denied
    )


def read_advisories(table: Any) -> list[dict[str, Any]]:
    """Advisories in the OSV format from a table: each cell of text that holds one, or a list of them, as JSON."""
    found: list[dict[str, Any]] = []
    for name in table.column_names:
        for cell in table[name].to_pylist():
            if isinstance(cell, str) and cell.lstrip()[:1] in ("{", "["):
                try:
                    said = msgspec.json.decode(cell)
                except msgspec.DecodeError:
                    continue
                found += [each for each in (said if isinstance(said, list) else [said]) if is_advisory(each)]
    return found


def is_advisory(what: Any) -> bool:
    return isinstance(what, dict) and "id" in what and isinstance(what.get("affected"), list)


def against(packages: Iterable[Package], advisories: Iterable[dict[str, Any]]) -> Iterator[Advisory]:
    """The advisories that speak of one of these packages at its version. Withdrawn ones are passed over."""
    by_name = {package.name: package for package in packages}
    for advisory in advisories:
        if advisory.get("withdrawn"):
            continue
        for affected in advisory["affected"]:
            about = affected.get("package") or {}
            package = by_name.get(normal(str(about.get("name", ""))))
            if package and about.get("ecosystem") == "PyPI" and is_affected(package.version, affected):
                fixed = [event["fixed"] for event in events(affected) if "fixed" in event]
                summary = str(advisory.get("summary") or advisory.get("details") or "").partition("\n")[0][:120]
                yield Advisory(str(advisory["id"]), package, summary, fixed)
                break


def events(affected: dict[str, Any]) -> list[dict[str, str]]:
    return [
        each for span in affected.get("ranges") or [] if span.get("type") != "GIT" for each in span.get("events", [])
    ]


def is_affected(version: str, affected: dict[str, Any]) -> bool:
    """OSV's own rule: the version is listed, or lies in one of the ranges."""
    from packaging.version import InvalidVersion, Version

    if version in (affected.get("versions") or []):
        return True
    try:
        here = Version(version)
        for span in affected.get("ranges") or []:
            if span.get("type") != "GIT" and is_within(here, span.get("events", []), Version):
                return True
    except InvalidVersion:
        return False
    return False


def is_within(here: Any, given: list[dict[str, str]], version: Any) -> bool:
    """Whether a version lies between an `introduced` and the `fixed` or `last_affected` after it."""
    is_in = False
    for kind, at in sorted(
        ((k, v) for event in given for k, v in event.items()), key=lambda pair: place(pair, version)
    ):
        if kind == "introduced" and (at == "0" or here >= version(at)):
            is_in = True
        elif (kind == "fixed" and here >= version(at)) or (kind == "last_affected" and here > version(at)):
            is_in = False
    return is_in


def place(event: tuple[str, str], version: Any) -> Any:
    kind, at = event
    return (version("0.dev0") if at == "0" else version(at), kind != "introduced")
