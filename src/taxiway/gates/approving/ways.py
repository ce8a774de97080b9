"""By which of their roles somebody approves, and what would bar who could: judged inside the change."""

from __future__ import annotations

from taxiway.audit.service import Record
from taxiway.gates.approving.authorship import Way, roles_of, seats_asked, voice_of
from taxiway.gates.contract import Approve, GateStage, PathStage, Request, RequestApproval
from taxiway.gates.laws.quorum import helps
from taxiway.gates.refusals import AuthorUnknown, BarsYourself, FourEyes, NeedsPerson, RoleMissing, RoleUnfit
from taxiway.gates.standing.look import Look
from taxiway.kernel.caller import Caller


def require_way(record: Record, look: Look, stage: PathStage, body: Approve) -> Way:
    """The role by which the caller approves: one that the stage still lacks, their own before one that was delegated.

    Raises NeedsPerson, FourEyes, AuthorUnknown, RoleMissing, RoleUnfit.
    """
    caller, version, authorship = record.caller, look.version, look.authorship
    if not caller.can_approve:
        raise NeedsPerson(actor=caller.name, kind=caller.kind)
    who_can = look.who_can(stage)
    if because := authorship.authors.get(caller.name):
        raise FourEyes(
            actor=caller.name, model=version.model, version=version.version, because=because, who_can=who_can
        )
    if authorship.unknown:
        raise AuthorUnknown(actor=caller.name, model=version.model, version=version.version, authors=authorship.unknown)
    ways = [way for way in authorship.ways(stage, caller.name) if is_meant(way, body)]
    if not ways:
        roles = [body.role] if body.role else [str(role) for role in roles_of(stage)]
        raise RoleMissing(actor=caller.name, project=version.project, roles=roles, who_can=who_can)
    usable = [way for way in ways if not way.why_not]
    if not usable:
        raise RoleUnfit(
            actor=caller.name,
            model=version.model,
            version=version.version,
            role=ways[0].holding.role,
            because=ways[0].why_not,
            who_can=who_can,
        )
    given = [voice_of(each) for each in look.approvals(stage.stage) if each.counts]
    asked = [seats_asked(spec) for spec in stage.gates if spec.check == "approvals"]
    needed = [way for way in usable if any(helps(seats, given, way.voice) for seats in asked)]
    return (needed or usable)[0]


def is_meant(way: Way, body: Approve) -> bool:
    """Whether the caller means this role, where they said which."""
    holding = way.holding
    is_for = not body.on_behalf_of or body.on_behalf_of in (holding.on_behalf_of, holding.user)
    return body.role in ("", holding.role) and is_for


def require_not_barring(look: Look, caller: Caller, act: str, *, anyway: bool) -> None:
    """Nothing, or BarsYourself where the caller could approve the version or has, and could not any more after an act.

    act: in words that follow "you".
    """
    if anyway or not caller.can_approve or caller.name in look.authorship.authors:
        return
    able = {stage.stage: look.who_can(stage) for stage in look.path.stages}
    stages = [stage for stage, who in able.items() if caller.name in who or has_spoken(look, stage, caller.name)]
    if stages:
        others = sorted({name for stage in stages for name in able[stage]} - {caller.name})
        version = look.version
        raise BarsYourself(actor=caller.name, model=version.model, version=version.version, act=act, others=others)


def has_spoken(look: Look, stage: GateStage, name: str) -> bool:
    """Whether an approval counts that somebody gave, or that was given for them."""
    return any(each.counts and name in (each.by, each.on_behalf_of) for each in look.approvals(stage))


def asked_anew(known: Request, body: RequestApproval, record: Record) -> Request:
    """A request in place of an earlier one, so that roles given meanwhile count. Who asked before may not approve."""
    earlier = list(dict.fromkeys([*known.earlier, known.by]))
    note = body.note.strip() or known.note
    return Request(known.model, known.version, known.project, known.stage, record.caller.name, note, record.at, earlier)


def is_outdated(look: Look, stage: PathStage, known: Request) -> bool:
    """Whether somebody could approve if it were asked for now: their role is younger than the request."""
    return any(way.holding.since > known.at and not way.is_author for way in look.authorship.ways(stage))
