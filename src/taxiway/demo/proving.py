"""Act 1, step 9: one file that proves why a version is in production, verified where Taxiway is not."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from zipfile import ZipFile

from taxiway.demo.doors import TIMEOUT_S, taxiway
from taxiway.demo.production import short
from taxiway.demo.scene import Scene
from taxiway.demo.tracked import Trained

VERIFY = "verify.py"
PATH = "gates/paths/"  # where the texts of the paths lie in a dossier
APPROVAL = "approval"


def prove(scene: Scene, trained: Trained) -> None:
    """Saves the dossier in the home, has it verified, and changes one byte of a copy."""
    narrator, vera = scene.narrator, scene.cast["vera"]
    narrator.step(f"One file proves it: the dossier of {trained.name}")
    version = trained.version
    file = scene.home / "demo" / f"{version.model}-{version.version}.dossier.zip"
    file.unlink(missing_ok=True)
    vera.dossiers.save(trained.name, file)
    told = vera.dossiers.show(trained.name)
    narrator.say(
        f"Vera saved {file}: {len(told.files)} files and the list of them, which the key {told.key[:8]}… signed; "
        f"{file.stat().st_size:,} bytes. Each audit entry in it has a proof to the log's signed head, of {told.head:,} "
        f"entries."
    )
    with tempfile.TemporaryDirectory(prefix="taxiway-demo-") as folder:
        approval = open_dossier(scene, file, Path(folder), told.statements)
        verify(scene, file, Path(folder), told.key)
        turn_and_verify(scene, file, Path(folder), approval)
        judge(scene, trained, file, Path(folder), told.key)


def open_dossier(scene: Scene, file: Path, folder: Path, statements: int) -> str:
    """Takes the program and the path's text out of the file, and tells its statements; gives the approval's name."""
    with ZipFile(file) as opened:
        names = opened.namelist()
        said = {name: predicate_of(opened.read(name)) for name in names if name.startswith("statements/")}
        (folder / VERIFY).write_bytes(opened.read(VERIFY))
        (folder / "path.yaml").write_bytes(opened.read(next(name for name in names if name.startswith(PATH))))
    narrator, kinds = scene.narrator, Counter(said.values())
    narrator.expect(len(said) == statements, f"{statements} signed statements", len(said))
    narrator.say(
        f"It holds {len(said)} signed statements: "
        + ", ".join(f"{count} {kind.replace('-', ' ')}" for kind, count in sorted(kinds.items(), key=lambda k: -k[1]))
        + "."
    )
    narrator.expect(kinds[APPROVAL] == 1, "one approval among them", kinds)
    return next(name for name, kind in said.items() if kind == APPROVAL)


def predicate_of(envelope: bytes) -> str:
    """What a signed statement is, such as `approval`."""
    payload = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    return str(payload["predicateType"]).rsplit("/", 2)[-2]


def verify(scene: Scene, file: Path, folder: Path, key: str) -> None:
    """The program from inside the file finds that all of it holds."""
    narrator = scene.narrator
    narrator.say("Python verifies it with the program from inside, which needs `cryptography` and nothing of Taxiway:")
    done = verified(folder, file, key)
    narrator.show(f"$ python -I {VERIFY} {file.name} --key {key[:8]}…")
    narrator.expect(done.returncode == 0, f"exit code 0 from {VERIFY}", done.stdout + done.stderr)
    for line in done.stdout.splitlines():
        narrator.say(line)


def turn_and_verify(scene: Scene, file: Path, folder: Path, approval: str) -> None:
    """One byte of the approval is turned in a copy, and the program names that file."""
    narrator = scene.narrator
    with ZipFile(file) as opened:
        inside = opened.read(approval)
    data = bytearray(file.read_bytes())
    place = data.index(inside) + len(inside) // 2
    data[place] ^= 1
    changed = folder / "changed.zip"
    changed.write_bytes(data)
    done = verified(folder, changed)
    said = done.stdout.strip()
    narrator.expect(done.returncode == 1 and approval in said, f"a refusal that names {approval}", said + done.stderr)
    narrator.say(
        f"In a copy, one bit of byte {place:,} is turned: it lies in Vera's approval. Exit code {done.returncode}:"
    )
    narrator.say(f"■ {said}")


def verified(folder: Path, file: Path, key: str = "") -> subprocess.CompletedProcess[str]:
    """Runs the dossier's own program, away from every variable and folder of this one."""
    given = ("--key", key) if key else ()
    return subprocess.run(
        [sys.executable, "-I", VERIFY, str(file.resolve()), *given],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=TIMEOUT_S,
    )


def judge(scene: Scene, trained: Trained, file: Path, folder: Path, key: str) -> None:
    """Holds the dossier against the path without a platform, and asks the platform the same."""
    narrator = scene.narrator
    done = taxiway("gates", "verify", str(file), "--path", str(folder / "path.yaml"), "--key", key, "--json")
    found = json.loads(done.stdout or "{}")
    gates = found.get("gates", [])
    stops = [gate["gate"] for gate in gates if gate["stops"]]
    narrator.expect((done.returncode, stops) == (1, ["findings"]), "all but the findings told by the file", done)
    narrator.say(
        f"`taxiway gates verify {file.name} --path …`, with no platform: {len(gates) - len(stops)} of {len(gates)} "
        f"gates are open by what is signed. The other is findings: which are open today no file can know, so it ends "
        f"with exit code {done.returncode}."
    )
    asked = taxiway("gates", "verify", trained.name, url=scene.url, token=scene.cast.tokens["vera"])
    narrator.expect(asked.returncode == 0, "exit code 0 from the platform", asked.stdout + asked.stderr)
    narrator.say(
        f"The platform knows: `taxiway gates verify {trained.name}` ends with exit code {asked.returncode}, for the "
        f"bundle {short(trained.version.bundle)}."
    )
