"""What gates refuse: the same sentence on every door."""

from __future__ import annotations

from msgspec import Struct

from taxiway.gates.contract import GateStage, Verdict
from taxiway.kernel.errors import TaxiwayError


class Unmet(Struct, frozen=True):
    """A gate that is not open: its verdict, the sentence with the number, and what to do next."""

    stage: GateStage
    gate: str
    verdict: Verdict
    sentence: str
    next_step: str


class GateClosed(TaxiwayError):
    """A version may not enter a stage: gates up to it are not open."""

    status = 409
    is_audited = True
    model: str
    version: int
    stage: str
    unmet: list[Unmet]
    waived: list[str] = []
    overdue: list[str] = []

    def __str__(self) -> str:
        count = "a gate is" if len(self.unmet) == 1 else f"{len(self.unmet)} gates are"
        lines = [
            f"{self.model} v{self.version} may not enter {self.stage}: {count} not open.",
            *(f"- {e.gate}, before {e.stage}: {e.verdict}. {e.sentence} {e.next_step}".rstrip() for e in self.unmet),
            *(f"- Overdue: {each}." for each in self.overdue),
            *(f"- ⊘ {each}" for each in self.waived),
            f"`taxiway gates show {self.model}@{self.version}` shows all of them.",
        ]
        return "\n".join(lines)


class NeedsPerson(TaxiwayError):
    """An approval tried by a program, or by somebody who did not sign in."""

    status = 403
    is_audited = True
    actor: str
    kind: str

    def __str__(self) -> str:
        return (
            f"{self.actor} cannot approve: an approval is a person's word, and this is a {self.kind} account. "
            f"Have a person sign in to a server that runs with login (`taxiway access link NAME`)."
        )


class FourEyes(TaxiwayError):
    """An author of what is to be approved tries to approve it."""

    status = 403
    is_audited = True
    actor: str
    model: str
    version: int
    because: list[str]
    who_can: list[str]
    act: str = "approve"

    def __str__(self) -> str:
        helpers = f"Ask {' or '.join(self.who_can)}." if self.who_can else "Give another person the role first."
        return (
            f"{self.actor} cannot {self.act} {self.model} v{self.version}: {self.actor} {joined(self.because)} "
            f"(four eyes). {helpers}"
        )


class RoleMissing(TaxiwayError):
    """A person without the role that the path asks of its approvers."""

    status = 403
    is_audited = True
    actor: str
    project: str
    roles: list[str]
    who_can: list[str]
    act: str = "approve"

    def __str__(self) -> str:
        helpers = f" Ask {' or '.join(self.who_can)}." if self.who_can else " Ask an owner of the project for it."
        return (
            f"{self.actor} cannot {self.act} in {self.project}: the path asks for {' or '.join(self.roles)}, "
            f"given by somebody else.{helpers}"
        )


class RoleUnfit(TaxiwayError):
    """A person with the path's role, which gives no approval here: it came too late, or from who got one in return."""

    status = 403
    is_audited = True
    actor: str
    model: str
    version: int
    role: str
    because: str
    who_can: list[str]
    act: str = "approve"
    anew: str = ""

    def __str__(self) -> str:
        helpers = f"Ask {' or '.join(self.who_can)}" if self.who_can else "Give another person the role"
        anew = self.anew or f"ask for approval anew with `taxiway gates request {self.model}@{self.version}`"
        return (
            f"{self.actor} cannot {self.act} {self.model} v{self.version} as {self.role}: {self.because}. "
            f"{helpers}, or {anew}."
        )


class BarsYourself(TaxiwayError):
    """Somebody who could approve is about to become an author, and has not said that they mean to."""

    status = 409
    actor: str
    model: str
    version: int
    act: str
    others: list[str]

    def __str__(self) -> str:
        left = f"Then {joined(self.others)} could" if self.others else "Then nobody could"
        return (
            f"{self.actor} can approve {self.model} v{self.version}, and could not any more once they {self.act} (four "
            f"eyes). {left}. Have somebody else do it, or say `--anyway`."
        )


class AuthorUnknown(TaxiwayError):
    """An approval of what no person made: whoever holds that account's token might be the one who approves."""

    status = 403
    is_audited = True
    actor: str
    model: str
    version: int
    authors: list[str]

    def __str__(self) -> str:
        verb = "is" if len(self.authors) == 1 else "are"
        return (
            f"{self.actor} cannot approve {self.model} v{self.version}: {joined(self.authors)} made it and {verb} no "
            f"person, so nobody can tell whose eyes saw it first (four eyes). Have a person sign in, train it in a run "
            f"of their own, write its card and register it; then somebody else can approve it."
        )


class EvidenceMissing(TaxiwayError):
    """An approval of something that was not evaluated: it would be void with the first evidence."""

    status = 409
    model: str
    version: int
    gates: list[str]

    def __str__(self) -> str:
        return (
            f"{self.model} v{self.version} has no evidence for {', '.join(self.gates)}: nothing to approve yet. "
            f"Run `taxiway gates evaluate {self.model}@{self.version}`."
        )


class ChangedMeanwhile(TaxiwayError):
    """An approval of a state that was shown before, and is not what stands now."""

    status = 409
    model: str
    version: int
    changed: list[str]

    def __str__(self) -> str:
        return (
            f"{self.model} v{self.version} is not what you looked at any more: {', '.join(self.changed)} changed "
            f"since. Look at it again, and approve what stands now."
        )


class PathUnfit(TaxiwayError):
    """A project whose path is not made for its risk tier."""

    status = 409
    is_audited = True
    project: str
    risk: str
    path: str
    applies_to: list[str]

    def __str__(self) -> str:
        return (
            f"The path {self.path} of {self.project} is for risk {' or '.join(self.applies_to)}, and the project's is "
            f"{self.risk}. Choose a path for that tier: `taxiway gates paths` lists them."
        )


def joined(words: list[str]) -> str:
    """Words as a sentence lists them: "a, b and c"."""
    return " and ".join([*([", ".join(words[:-1])] if words[1:] else []), *words[-1:]])
