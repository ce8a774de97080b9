"""What going on without an open gate is refused with."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class NotWaivable(TaxiwayError):
    """A gate that no waiver, or no conditional approval, can stand in for."""

    status = 409
    is_audited = True
    model: str
    version: int
    gate: str
    because: str

    def __str__(self) -> str:
        return (
            f"{self.gate} of {self.model} v{self.version} cannot be passed over: {self.because}. "
            f"`taxiway gates show {self.model}@{self.version}` says what would open it."
        )


class GlassKept(TaxiwayError):
    """Break-glass tried where the path does not allow it, or by somebody whom it does not name."""

    status = 403
    is_audited = True
    actor: str
    model: str
    version: int
    path: str
    roles: list[str]
    who_can: list[str]

    def __str__(self) -> str:
        if not self.roles:
            return (
                f"Nobody can break the glass for {self.model} v{self.version}: its path {self.path} does not allow it. "
                f"`break_glass: [operator]` in the path would."
            )
        who = f"Ask {' or '.join(self.who_can)}." if self.who_can else "Nobody holds the role yet."
        return (
            f"{self.actor} cannot break the glass for {self.model} v{self.version}: the path {self.path} asks for a "
            f"person who signed in and is {' or '.join(self.roles)} by somebody else's grant. {who}"
        )


class NothingClosed(TaxiwayError):
    """Break-glass for a version whose gates are open: it can go on as every other."""

    status = 409
    model: str
    version: int
    stage: str

    def __str__(self) -> str:
        return (
            f"Every gate of {self.model} v{self.version} up to {self.stage} is open, so there is no glass to break: "
            f"`taxiway models promote {self.model}@{self.version} {self.stage}` moves it."
        )
