"""Whom exceptions tell: who asked for a waiver, and the owners and admins where the glass is broken."""

from __future__ import annotations

from collections.abc import Collection

from taxiway.audit.service import Record
from taxiway.gates.exceptions.contract import Waiver
from taxiway.gates.exceptions.passed import BrokenGlass
from taxiway.hooks.announcing import announce
from taxiway.kernel.thing import href
from taxiway.notices.telling import News, tell


def tell_granted(record: Record, waiver: Waiver) -> None:
    """The hooks, and who asked for it."""
    thing = f"model:{waiver.model}@{waiver.version}"
    told = {"name": waiver.model, "version": str(waiver.version), "gate": waiver.gate, "by": waiver.granted_by}
    why = {"asked_by": waiver.asked_by, "reason": waiver.reason, "until": waiver.until.isoformat()}
    announce(record, "waiver.granted", told | why | {"url": href(thing)})
    gate = waiver.gate.replace("_", " ")
    what = (
        f"{waiver.granted_by} waived {gate} for {waiver.model} version {waiver.version} until {waiver.until:%Y-%m-%d}"
    )
    url = f"{href(thing)}#exceptions"
    tell(record, [waiver.asked_by], News("granted", what, url, thing, waiver.project, waiver.comment))


def tell_broken(record: Record, glass: BrokenGlass, project: str, people: Collection[str]) -> None:
    """The people who answer for the project and for the platform."""
    thing = f"model:{glass.model}@{glass.version}"
    what = f"{glass.by} broke the glass: {glass.model} version {glass.version} may go to {glass.stage}"
    note = f"{glass.reason} ({', '.join(glass.unmet)})"
    tell(record, people, News("glass", what, href(thing), thing, project, note))
