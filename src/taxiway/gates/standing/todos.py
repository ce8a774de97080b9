"""What gates put into people's inboxes beside what waits in a project: findings to mend or to close, and proposals."""

from __future__ import annotations

from taxiway.gates.findings.contract import Finding, ListFindings
from taxiway.gates.findings.rules import part_in
from taxiway.gates.proposing.contract import ListProposals, Proposal
from taxiway.gates.service import Gates
from taxiway.kernel.caller import SYSTEM
from taxiway.kernel.thing import href
from taxiway.notices.keeping import PLATFORM, Todo


class GateTodos:
    """A source of things to do."""

    def __init__(self, gates: Gates) -> None:
        self.gates = gates

    def __call__(self, projects: list[str]) -> list[Todo]:
        found = [
            self._finding(each)
            for each in self.gates.findings.list(SYSTEM, ListFindings()).items
            if each.project in projects
        ]
        if PLATFORM in projects:
            found += [self._proposal(each) for each in self._proposals()]
        return found

    def _proposals(self) -> list[Proposal]:
        return list(self.gates.proposals.list(SYSTEM, ListProposals(state="open")).items)

    def _finding(self, finding: Finding) -> Todo:
        """It waits for its owner, and once it is resolved for a second person. When it gets overdue it is told anew."""
        late = ", overdue" if finding.is_overdue else ""
        if finding.state == "resolved":
            able = self.gates.findings.access.people_who_may("gates.find", finding.project)
            people = [name for name in able if not part_in(finding, name)]
            what = f"close the finding “{finding.title}”{late}, if it is mended"
        else:
            people, what = [finding.owner], f"mend “{finding.title}” ({finding.severity}{late})"
        state = "resolved" if finding.state == "resolved" else "mend"
        return Todo(
            key=f"{finding.ref}/{state}{'/overdue' if finding.is_overdue else ''}",
            kind="finding",
            people=people,
            what=what,
            note=f"Due {finding.due_at:%Y-%m-%d}. {finding.detail}"[:300].strip(),
            url=href(finding.ref),
            thing=finding.ref,
            project=finding.project,
            by=finding.opened_by,
            since=finding.opened_at,
        )

    def _proposal(self, proposal: Proposal) -> Todo:
        """It waits for who may publish paths and did not propose it."""
        with self.gates.database.read() as connection:
            able = self.gates.sources.access.admins(connection)
        return Todo(
            key=proposal.ref,
            kind="proposal",
            people=[name for name in able if name != proposal.by],
            what=f"accept or reject what {proposal.by} proposes for the path {proposal.path}",
            note=proposal.reason[:300],
            url=href(proposal.ref),
            thing=proposal.ref,
            project=PLATFORM,
            by=proposal.by,
            since=proposal.at,
        )
