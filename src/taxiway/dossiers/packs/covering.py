"""Which records are evidence for which clause. Pure."""

from __future__ import annotations

from taxiway.dossiers.documents.contract import Said
from taxiway.dossiers.documents.facts import Facts
from taxiway.dossiers.documents.readers import read
from taxiway.dossiers.packs.contract import STATES, Clause, ClauseState, Coverage, Covered, Group, Pack, ShownSource
from taxiway.kernel.canonical import canonical_json
from taxiway.models.bundles.bundle import digest_of

LONGEST_LINE = 160


def cover(pack: Pack, facts: Facts) -> Coverage:
    """Every clause of the pack, with the evidence there is for it."""
    clauses = [covered(clause, group_name(group), facts) for group in pack.groups for clause in group.clauses]
    states = [clause.state for clause in clauses]
    return Coverage(
        pack=pack.pack,
        pack_version=pack.version,
        digest=pack_digest(pack),
        title=pack.title,
        about=pack.about,
        formerly=pack.formerly,
        effective=pack.effective,
        thing=facts.version.ref,
        project=facts.version.project,
        as_of=facts.as_of,
        clauses=clauses,
        counts={state: states.count(state) for state in STATES},
    )


def covered(clause: Clause, group: str, facts: Facts) -> Covered:
    shown = [show(source, read(source, facts)) for source in clause.evidence]
    state: ClauseState = "outside" if clause.decision == "outside" else state_of(shown)
    return Covered(clause.id, group, clause.title, clause.asks, state, shown, clause.reason)


def group_name(group: Group) -> str:
    """Its number and title; an id that is a mere word says no more than the title."""
    return group.title if group.id.isalpha() else f"{group.id} {group.title}"


def show(source: str, said: Said | None) -> ShownSource:
    if said is None:
        return ShownSource(source, is_there=False, is_entered=False, line="", refs=[])
    return ShownSource(source, is_there=True, is_entered=said.is_entered, line=line_of(said), refs=said.refs)


def line_of(said: Said) -> str:
    """The first of what is said, short."""
    if said.text:
        line = said.text[0] + (f" (and {len(said.text) - 1} more)" if len(said.text) > 1 else "")
    elif said.grid:
        rows = said.grid.rows
        first = ", ".join(cell for cell in rows[0] if cell)
        line = first + (f" (and {len(rows) - 1} more)" if len(rows) > 1 else "")
    else:
        line = ""
    line = " ".join(line.split())
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"


def state_of(shown: list[ShownSource]) -> ClauseState:
    there = [each for each in shown if each.is_there]
    if not there:
        return "gap"
    if len(there) < len(shown):
        return "partly"
    return "entered" if all(each.is_entered for each in there) else "evidence"


def pack_digest(pack: Pack) -> str:
    return digest_of(canonical_json(pack))
