"""`taxiway runs reproduce`: a past run once more, from what was kept of it, as a new run that is held against it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from taxiway.kernel.errors import BadField, TaxiwayError
from taxiway.kernel.ids import new_id
from taxiway.kernel.settings import Settings
from taxiway.kernel.transport import Transport
from taxiway.runs import contract
from taxiway.runs.again import replay
from taxiway.runs.again.rebuild import Rebuilt, rebuild
from taxiway.runs.again.restore import put_back, within
from taxiway.runs.again.sameness import REPRODUCES, TOLERANCE, InputGap, Reproduction
from taxiway.runs.again.seeds import HASH_SEED
from taxiway.runs.capturing.capture import capture_files, is_python
from taxiway.runs.capturing.redact import REDACTED
from taxiway.runs.client import Surrounding
from taxiway.runs.contract import (
    LOCK,
    NOTEBOOK,
    SOURCES,
    Code,
    FetchArtifact,
    RecordReproduction,
    StartRun,
)
from taxiway.runs.launch import Launch, Program, script_of, variables_of
from taxiway.runs.sending.recorder import Recorder

Tell = Callable[[str], None]


class Asked(Struct, frozen=True):
    """How a run is to be done again. ignored: patterns of metrics that do not count. keep: leave the folder."""

    tolerance: float = TOLERANCE
    ignored: list[str] = []
    environment: Surrounding = "rebuild"
    keep: bool = False


class Impossible(Exception):
    """Why a run cannot be done again, a sentence for each reason. It leaves this file as a verdict."""

    def __init__(self, because: list[str]) -> None:
        super().__init__("; ".join(because))
        self.because = because


class Plan(Struct, frozen=True):
    """What will be run, and what is known to differ before it does."""

    program: Program
    variables: dict[str, str]
    gaps: list[InputGap]


class Again:
    """One run, done again."""

    def __init__(self, transport: Transport, settings: Settings, run: str, asked: Asked, tell: Tell) -> None:
        self.transport = transport
        self.settings = settings
        self.asked = asked
        self.tell = tell
        self.first = transport.call(contract.show_run, run=run)
        if self.first.ended_at is None:
            raise BadField(field="run", value=run, expected="a run that has ended")
        self.kept = {a.path: a.digest for a in transport.call(contract.list_artifacts, run=run).items}

    def reproduce(self) -> Reproduction:
        """Restores, runs and compares. Raises UvMissing, RebuildFailed, ServerAway."""
        with working_folder(self.asked, self.tell) as folder:
            try:
                plan = self._plan(folder)
            except Impossible as impossible:
                return self._record(RecordReproduction(because=impossible.because))
            again = self._launch(plan)
            self.tell("comparing")
            return self._record(RecordReproduction(again=again, gaps=plan.gaps))

    def _record(self, body: RecordReproduction) -> Reproduction:
        said = msgspec.structs.replace(body, tolerance=self.asked.tolerance, ignored=self.asked.ignored)
        return self.transport.call(contract.record_reproduction, said, run=self.first.id)

    def _plan(self, folder: Path) -> Plan:
        """Everything in its place, ready to run. Raises Impossible."""
        code = self._code()
        sources = folder / "code"
        sources.mkdir()
        self.tell("restoring the sources")
        texts = self._texts()
        restored = put_back(code, texts, sources)
        lacking = [*restored.lacking, *self._lacking_data()]
        if Path(code.folder).is_absolute():
            raise Impossible([*lacking, f"it ran in {code.folder}, outside of the folder whose sources were kept"])
        place = within(sources, code.folder)
        script = "" if code.notebook else script_word(self.first.command)
        if script and not lacking and not (place / moved(script, code, sources)).exists():
            lacking.append(f"{script} was not kept")
        if lacking:
            raise Impossible(lacking)
        place.mkdir(parents=True, exist_ok=True)
        built = self._interpreter(folder)
        command = self._command(code, sources, built)
        program = shutil.which(command[0], path=self._path(built))
        if program is None:
            raise Impossible([f"{command[0]!r} is no program on this machine"])
        snapshot = capture_files(sources, texts, folder=code.folder)
        snapshot = msgspec.structs.replace(
            snapshot, code=msgspec.structs.replace(snapshot.code, notebook=self.kept.get(NOTEBOOK, ""))
        )
        variables = {"PATH": self._path(built), "TAXIWAY_RUN_NTH": str(code.nth)}
        return Plan(Program(command, program, snapshot, place), variables, [*restored.gaps, *built.gaps])

    def _code(self) -> Code:
        """What was captured of the code. Raises Impossible where that is too little."""
        code, command = self.first.code, self.first.command
        if code is None or not (command or code.notebook):
            raise Impossible(["what it ran was not captured"])
        if not code.notebook and any(REDACTED in word for word in command):
            raise Impossible(["its command held secrets, which were not kept"])
        return code

    def _texts(self) -> dict[str, str]:
        """The kept sources by path. Raises Impossible for a notebook without its secrets."""
        if NOTEBOOK in self.kept and REDACTED in self._fetched(NOTEBOOK).decode():
            raise Impossible(["its cells held secrets, which were not kept"])
        if SOURCES not in self.kept:
            return {}
        return msgspec.json.decode(self._fetched(SOURCES), type=dict[str, str])

    def _fetched(self, path: str) -> bytes:
        with tempfile.TemporaryFile() as file:
            self.transport.download(contract.fetch_artifact, file, FetchArtifact(path), run=self.first.id)
            file.seek(0)
            return file.read()

    def _lacking_data(self) -> list[str]:
        """The data that it read and that is there no more; by its digest, for versions never change."""
        from taxiway.datasets import contract as datasets
        from taxiway.kernel.thing import parse

        lacking = []
        for ref in self.first.inputs:
            thing = parse(ref)
            project, _, name = thing.name.partition("/")
            try:
                self.transport.call(datasets.show_version, project=project, name=name, version=thing.version or 0)
            except TaxiwayError as e:
                lacking.append(f"{ref} cannot be read: {e}")
        return lacking

    def _interpreter(self, folder: Path) -> Rebuilt:
        """The Python that it will run with. Raises UvMissing, RebuildFailed."""
        environment = self.first.environment
        if self.asked.environment == "current" or environment is None:
            return Rebuilt(Path(sys.executable), [])
        if LOCK not in self.kept:
            raise Impossible(["no lock of its packages was kept; `--env current` takes those there are"])
        return rebuild(self._fetched(LOCK).decode(), environment, folder / "environment", self.tell)

    def _command(self, code: Code, sources: Path, built: Rebuilt) -> list[str]:
        """The captured command with what it names in its new places."""
        if code.notebook:
            notebook = sources.parent / "notebook.ipynb"
            notebook.write_bytes(self._fetched(NOTEBOOK))
            script = sources.parent / "replay.py"
            shutil.copyfile(Path(replay.__file__), script)
            return [str(built.python), str(script), str(notebook)]
        words = [moved(word, code, sources) for word in self.first.command]
        beside = built.python.parent
        words[1:] = [str(beside / Path(w).name) if is_tool(w, beside) else w for w in words[1:]]
        return [str(built.python) if is_python(words[0]) else words[0], *words[1:]]

    def _path(self, built: Rebuilt) -> str:
        return os.pathsep.join((str(built.python.parent), os.environ.get("PATH", os.defpath)))

    def _launch(self, plan: Plan) -> str:
        """Runs it as a new run, and gives that one's id."""
        first = self.first
        opening = StartRun(
            project=first.project,
            experiment=first.experiment,
            name=f"{first.name} again"[:200],
            tags={REPRODUCES: first.id},
        )
        recorder = Recorder(self.transport, self.settings, new_id(), opening.name)
        run = recorder.open(msgspec.structs.replace(opening, id=recorder.run))
        self.tell(f"running {' '.join(plan.program.command)} as run {run.id}")
        home = None if self.settings.url else self.settings.home
        variables = {**variables_of(run, self.settings, home), **plan.variables, "TAXIWAY_PINS": " ".join(first.inputs)}
        if self.settings.token:
            variables["TAXIWAY_TOKEN"] = self.settings.token
        if (hash_seed := first.tags.get(HASH_SEED, "random")) != "random":
            variables["PYTHONHASHSEED"] = hash_seed
        for name in ("PYTHONPATH", "PYTHONHOME") if self.asked.environment == "rebuild" else ():
            variables.pop(name, None)
        Launch(recorder, run, plan.program, out=sys.stderr.buffer).execute(variables)
        return run.id


def script_word(command: list[str]) -> str:
    """The script that a command names, as it names it; empty where it runs a module, a text or a program.

    >>> script_word(["python", "-u", "src/train.py", "--alpha", "1"]), script_word(["python", "-m", "train"])
    ('src/train.py', '')
    """
    name = script_of(command)
    if not name or "-m" in command or "-c" in command:
        return ""
    return next(word for word in command if Path(word).name == name)


def is_tool(word: str, beside: Path) -> bool:
    """Whether a word of a command is a program of its environment, such as ``/…/bin/pytest``."""
    return Path(word).is_absolute() and Path(word).parent.name == "bin" and (beside / Path(word).name).is_file()


def moved(word: str, code: Code, sources: Path) -> str:
    """A path within the captured folder, as the same path in the restored one."""
    if code.root and (word == code.root or word.startswith(f"{code.root}/")):
        return f"{sources}{word[len(code.root) :]}"
    return word


@contextmanager
def working_folder(asked: Asked, tell: Tell) -> Iterator[Path]:
    """A clean folder, gone at the end unless it is to be kept."""
    folder = Path(tempfile.mkdtemp(prefix="taxiway-again-"))
    try:
        yield folder
    finally:
        if asked.keep:
            tell(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
