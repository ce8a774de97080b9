"""What lies in a bundle that should not: programs, secrets, licences that are not wanted, packages known as weak."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Outcome
from taxiway.gates.scanning import files, packages
from taxiway.gates.scanning.files import Program, Secret, Unread
from taxiway.gates.scanning.opcodes import unknown
from taxiway.models.bundles.bundle import LOCK, Bundle, read_verified

Severity = Literal["refuse", "warn"]
MOST_NAMES = 4
MEND = "Save the model in its library's own format, take out what is named, and log it as a new version."


class Licences(Struct, frozen=True, forbid_unknown_fields=True):
    """deny: SPDX names such as GPL-3.0, each with all that it begins. unknown: of packages that name none here."""

    deny: list[str]
    unknown: Severity = "warn"


class ScanAsks(Struct, frozen=True, forbid_unknown_fields=True):
    """pickle: of one that imports what is on no list. allow: further globals, as `package.module.Name`. secrets: in
    texts, and files named like them. licences: of the locked packages. advisories: a dataset with advisories in the
    OSV format, such as security/advisories; vulnerable: of packages that it speaks of.
    """

    pickle: Severity = "refuse"
    secrets: Severity = "refuse"
    allow: list[str] = msgspec.field(default_factory=list)
    licences: Licences | None = None
    advisories: str = ""
    vulnerable: Severity = "refuse"


class Found(Struct, frozen=True):
    """A thing that was found, and whether it stops the version."""

    kind: str
    what: str
    severity: Severity


class Scan:
    """Passes when nothing was found that its path refuses; what it warns of is listed."""

    name = "scan"
    parameters = ScanAsks
    inputs: tuple[Input, ...] = ("bundle", "dataset:advisories")
    is_live = False

    def title(self, parameters: ScanAsks) -> str:
        asked = [
            "programs" if parameters.pickle == "refuse" else "",
            "secrets" if parameters.secrets == "refuse" else "",
        ]
        asked += [f"licences such as {', '.join(parameters.licences.deny)}"] if parameters.licences else []
        asked += ["packages known as vulnerable"] if parameters.advisories else []
        return f"the bundle holds no {', no '.join(each for each in asked if each) or 'surprise'}"

    def ask(self, parameters: ScanAsks, case: Case) -> Outcome:
        bundle = case.bundle()
        found, pieces, programs = in_files(parameters, bundle)
        said = [f"{pieces} pieces in {len(bundle.manifest.files) + 1} files, {programs} of them pickles; none was run"]
        locked = lock_of(bundle)
        if parameters.licences is not None or parameters.advisories:
            if not locked:
                reason = "The bundle has no locked packages to look at."
                return Outcome("missing", reason, "Log the model where pip knows its packages, as a new version.")
            said.append(f"{len(locked)} locked packages")
        if parameters.licences is not None:
            found += of_licences(parameters.licences, locked)
        if parameters.advisories:
            advisories = packages.read_advisories(case.table("advisories"))
            said.append(f"{len(advisories)} advisories of {parameters.advisories}")
            found += of_advisories(parameters, locked, advisories)
        return outcome_of(found, said)


def in_files(parameters: ScanAsks, bundle: Bundle) -> tuple[list[Found], int, int]:
    """What lies in files; how many pieces were looked at, and how many of them are pickles."""
    found, count, programs = [], 0, 0
    for piece in files.pieces(bundle.folder):
        count += 1
        if isinstance(piece, Unread):
            found.append(Found("unread", f"{piece.place} cannot be looked into ({piece.why})", parameters.pickle))
            continue
        if (program := files.program(piece)) is not None:
            programs += 1
            found += of_program(parameters, program)
        found += [Found("secret", said_secret(each), parameters.secrets) for each in files.secrets(piece)]
    return found, count, programs


def of_program(parameters: ScanAsks, program: Program) -> list[Found]:
    names = list(unknown(program.found.names, parameters.allow))
    if not names:
        return []
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    what = f"{program.place} is a pickle that imports {', '.join(names[:MOST_NAMES])}{more}"
    return [Found("pickle", what, parameters.pickle)]


def said_secret(secret: Secret) -> str:
    return (
        f"{secret.place} holds a secret in line {secret.line}" if secret.line else f"{secret.place} is named like one"
    )


def lock_of(bundle: Bundle) -> list[packages.Package]:
    if not any(file.path == LOCK for file in bundle.manifest.files):
        return []
    return packages.packages_of(read_verified(bundle, LOCK).decode("utf-8", "replace"))


def of_licences(asked: Licences, locked: list[packages.Package]) -> list[Found]:
    found, silent = [], []
    for package in locked:
        licences = packages.licences_of(package)
        if not licences:
            silent.append(package.name)
        found += [
            Found("licence", f"{package} is under {licence}", "refuse")
            for licence in licences
            if packages.is_denied(licence, asked.deny)
        ]
    if silent:
        names = ", ".join(silent[:MOST_NAMES]) + (f" and {len(silent) - MOST_NAMES} more" if len(silent) > 4 else "")
        found.append(Found("licence", f"{len(silent)} packages name no licence here: {names}", asked.unknown))
    return found


def of_advisories(
    parameters: ScanAsks, locked: list[packages.Package], advisories: list[dict[str, object]]
) -> list[Found]:
    return [
        Found("vulnerable", f"{each.package} has {each.id}{said_advisory(each)}", parameters.vulnerable)
        for each in packages.against(locked, advisories)
    ]


def said_advisory(advisory: packages.Advisory) -> str:
    fixed = f"; mended in {', '.join(advisory.fixed)}" if advisory.fixed else ""
    return f" ({advisory.summary}{fixed})" if advisory.summary else fixed


def outcome_of(found: list[Found], said: list[str]) -> Outcome:
    refused = [each for each in found if each.severity == "refuse"]
    warned = [each for each in found if each.severity == "warn"]
    lines = [f"{each.severity}: {each.what}" for each in (*refused, *warned)]
    if refused:
        first = "; ".join(each.what for each in refused[:3])
        more = f"; and {len(refused) - 3} more" if len(refused) > 3 else ""
        return Outcome("fail", f"{first}{more}.", MEND, details=[*lines, *said])
    warns = f"; {len(warned)} {'warning' if len(warned) == 1 else 'warnings'}" if warned else ""
    return Outcome("pass", f"Nothing was found that is refused{warns}.", details=[*lines, *said])
