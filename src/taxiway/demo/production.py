"""Act 1, step 8: four eyes, the approval, production; and what a single changed byte does."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from taxiway.demo.doors import taxiway
from taxiway.demo.scene import Scene, verdicts
from taxiway.demo.tracked import Trained
from taxiway.gates.refusals import FourEyes
from taxiway.models.bundles.bundle import Bundle, BundleTampered
from taxiway.models.predicting.flavours import flavour

COMMENT = "Read the evidence by group and the limits on the card; the price in accuracy is worth it for this use."


def into_production(scene: Scene, trained: Trained) -> None:
    """Ana may not approve her own work, Vera may, and Olu takes it to production."""
    scene.narrator.step(f"Two pairs of eyes for {trained.name}, then production")
    ask_and_refuse(scene, trained)
    approve(scene, trained)
    promote(scene, trained)
    with tempfile.TemporaryDirectory(prefix="taxiway-demo-") as folder:
        tamper(scene, trained, Path(folder))


def ask_and_refuse(scene: Scene, trained: Trained) -> None:
    """The author asks for an approval, and tries to give it."""
    narrator, ana = scene.narrator, scene.cast["ana"]
    ana.gates.request(trained.name, note="the mitigated one; the comparison is linked from its page")
    refused = ""
    try:
        ana.gates.approve(trained.name, comment="It is good, I made it.")
    except FourEyes as refusal:
        refused = str(refusal)
    narrator.expect(bool(refused), "the author's own approval refused by four eyes", "it was taken")
    narrator.say(f"■ Ana: {refused}")


def approve(scene: Scene, trained: Trained) -> None:
    """The validator finds it in her inbox and approves exactly what stands."""
    narrator, vera = scene.narrator, scene.cast["vera"]
    version = trained.version
    waiting = [item for item in vera.gates.inbox() if item.is_yours]
    asked = [(item.request.model, item.request.version) for item in waiting]
    narrator.expect((version.model, version.version) in asked, "the request in Vera's inbox", asked)
    approval = vera.gates.approve(trained.name, comment=COMMENT)
    narrator.say(f"● Vera, as {approval.role}: “{approval.comment}”")
    until = f", until {approval.expires_at:%Y-%m-%d}" if approval.expires_at else ""
    narrator.say(
        f"It holds for these digests alone{until}: bundle {short(approval.digests.bundle)}, evaluation "
        f"{short(approval.digests.evaluation)}, card {short(approval.digests.card)}, path "
        f"{short(approval.digests.path)}, evidence {short(approval.digests.evidence)}."
    )
    standing = vera.gates.show(trained.name)
    narrator.expect(all(stage.is_open for stage in standing.stages), "every gate open", verdicts(standing))


def promote(scene: Scene, trained: Trained) -> None:
    """The operator moves the version, and the alias moves with it."""
    narrator, olu = scene.narrator, scene.cast["olu"]
    for stage in ("staging", "production"):
        olu.models.promote(trained.name, stage, reason="all gates are open")
    found = olu.models.find(f"{trained.version.model}@champion")
    same = found.version == trained.version.version and found.stage == "production"
    narrator.expect(same, f"{trained.name} in production as champion", f"{found.ref} in {found.stage}")
    narrator.say(f"Olu moved {trained.name} to {found.stage}; the alias champion moved with it.")


def tamper(scene: Scene, trained: Trained, folder: Path) -> None:
    """One byte of a copy is turned, and the copy is neither verified nor loaded."""
    narrator, olu = scene.narrator, scene.cast["olu"]
    bundle = olu.models.download(trained.name, folder / "copy")
    changed = turn_a_byte(bundle, folder / "changed")
    where = f"byte {changed[1]} of {changed[0].relative_to(folder / 'changed')}"
    narrator.say(f"In a copy of the bundle, {where} is turned. Loading the copy:")
    refused = None
    try:
        flavour(bundle.manifest.flavour).load(folder / "changed", bundle.digest)
    except BundleTampered as refusal:
        refused = refusal
    narrator.expect(refused is not None, "a refusal to load the changed copy", "it was loaded")
    assert refused is not None
    narrator.say(f"■ {refused}")
    narrator.expect(refused.file == changed[0].name, f"the file {changed[0].name} named", refused.file)
    command = ("models", "verify", str(folder / "changed"), "--digest", bundle.digest)
    done = taxiway(*command, url=scene.url, token=scene.cast.tokens["olu"])
    narrator.expect(done.returncode == 1, "exit code 1 from `taxiway models verify`", done.returncode)
    narrator.expect(changed[0].name in done.stderr, f"the file {changed[0].name} named", done.stderr)
    kept = olu.models.verify(trained.name)
    narrator.say(
        f"`taxiway models verify` says the same, with exit code {done.returncode}. The version itself is intact: "
        f"{kept.files} files, {kept.size_bytes:,} bytes."
    )


def turn_a_byte(bundle: Bundle, to: Path) -> tuple[Path, int]:
    """Copies a bundle and turns the byte in the middle of the model's own file: gives that file and the place."""
    shutil.copytree(bundle.folder, to)
    file = to / bundle.manifest.native.file
    data = bytearray(file.read_bytes())
    place = len(data) // 2
    data[place] ^= 0xFF
    file.chmod(0o600)
    file.write_bytes(data)
    return file, place


def short(digest: str) -> str:
    """Enough of a digest to recognise it."""
    return digest.removeprefix("sha256:")[:8]
