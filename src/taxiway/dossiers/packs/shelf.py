"""The packs there are: those that ship with the platform, and those in the folder ``packs`` of its home.

One in the folder takes the place of a shipped one of the same name, for every report from then on.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from taxiway.dossiers.documents.mapping import refuse_unknown
from taxiway.dossiers.packs.contract import NoSuchPack, Pack, PackListed
from taxiway.dossiers.packs.covering import pack_digest
from taxiway.kernel.errors import BadField
from taxiway.kernel.ids import is_name
from taxiway.storage.contract import YamlBroken
from taxiway.storage.yaml_text import read_yaml

SHIPPED = ("eu-ai-act", "iso-42001-2023", "nist-ai-rmf-1.0", "sr-26-2")


def read_pack(text: str, *, name: str) -> Pack:
    """The pack that a YAML text describes. Raises YamlBroken: for a clause twice, without a decision, or whose evidence
    nothing can read."""
    pack = read_yaml(text, Pack, name=name)
    clauses = [clause for group in pack.groups for clause in group.clauses]

    def broken(key: str, problem: str, expected: str) -> YamlBroken:
        line = next((at for at, each in enumerate(text.splitlines(), 1) if key in each), 1)
        return YamlBroken(file=name, line=line, key=key, problem=problem, expected=expected)

    if not is_name(pack.pack):
        raise broken("pack", f"{pack.pack!r} is not accepted", "a name of a-z, 0-9, '.', '_' and '-'")
    ids = [clause.id for clause in clauses]
    for clause in clauses:
        if ids.count(clause.id) > 1:
            raise broken(clause.id, "the clause stands twice", "each clause once")
        if clause.decision == "outside" and (clause.evidence or not clause.reason):
            raise broken(clause.id, "it is decided to be outside", "a reason and no evidence")
        if clause.decision == "applies" and not clause.evidence:
            raise broken(clause.id, "there is no evidence for it", "its sources, or `decision: outside` with a reason")
    refuse_unknown(text, [source for clause in clauses for source in clause.evidence], name=name)
    return pack


@cache
def shipped(name: str) -> Pack:
    folder = files("taxiway.dossiers.packs") / "packaged"
    return read_pack((folder / f"{name}.yaml").read_text("utf-8"), name=f"{name}.yaml")


class Packs:
    """The packs of a platform, read anew each time: who may write to its home may swap them."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "packs"

    def find(self, name: str) -> Pack:
        """Raises NoSuchPack, YamlBroken."""
        file = self.folder / f"{name}.yaml"
        if is_name(name) and file.is_file():
            found = read_pack(file.read_text("utf-8"), name=file.name)
            if found.pack != name:
                raise BadField(field="pack", value=repr(found.pack), expected=f"{name!r}, as its file {file.name} says")
            return found
        if name not in SHIPPED:
            raise NoSuchPack(name=name, packs=self.names())
        return shipped(name)

    def names(self) -> list[str]:
        own = {file.stem for file in self.folder.glob("*.yaml")} if self.folder.is_dir() else set()
        return sorted({*SHIPPED, *own})

    def list(self) -> list[PackListed]:
        return [self._listed(name) for name in self.names()]

    def _listed(self, name: str) -> PackListed:
        own = (self.folder / f"{name}.yaml").is_file()
        try:
            pack = self.find(name)
        except (YamlBroken, BadField, UnicodeDecodeError) as e:
            return PackListed(name, 0, name, "", 0, "home", str(e))
        clauses = sum(len(group.clauses) for group in pack.groups)
        return PackListed(name, pack.version, pack.title, pack_digest(pack), clauses, "home" if own else "shipped")
