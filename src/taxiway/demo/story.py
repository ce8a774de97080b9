"""The demo from beginning to end: the server, the people, both acts, and what one can click on afterwards."""

from __future__ import annotations

import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from msgspec import Struct

from taxiway.demo import act_one, act_two
from taxiway.demo.narrator import Narrator
from taxiway.demo.people import PEOPLE, Cast, assembled, open_projects, publish_paths
from taxiway.demo.scene import Scene
from taxiway.demo.serving import Server, serving

LOOK_S = 1.0


class Options(Struct, frozen=True):
    """How `taxiway demo` was asked. is_exit: ends when the story does."""

    home: Path
    port: int = 5500
    is_exit: bool = False


def tell(options: Options) -> None:
    """Tells the story and, unless asked to exit, leaves the server until Ctrl-C; every process ends with it.

    Raises StoryDiffers for the first step that ended otherwise, and what the platform refuses with.
    """
    narrator, began = Narrator(sys.stdout), time.monotonic()
    with stopped_by_signals(), serving(options.home, options.port) as server:
        narrator.line(f"Taxiway serves {options.home} at {server.url}, with login. Nothing leaves this machine.")
        with assembled(options.home, server.url) as cast:
            scene = Scene(narrator, cast, options.home, server.url)
            set_up(scene)
            act_one.tell(scene)
            act_two.tell(scene)
            check_the_log(scene)
            narrator.line()
            narrator.line(f"Every step ended as the story says, after {time.monotonic() - began:.0f} s.")
            if not options.is_exit:
                stay(scene, server)
    narrator.line("The server and every process it started have ended.")


def set_up(scene: Scene) -> None:
    """What IT does before anybody builds anything."""
    narrator, ines = scene.narrator, scene.cast["ines"]
    narrator.aside("Before the first act")
    if known := scene.cast.local.models.list():
        versions = ", ".join(f"{model.name}@{model.newest}" for model in known)
        narrator.say(
            f"An earlier demo left {versions} in this home. Tables that are the same keep their versions; runs and "
            f"their models are made anew, for a run is something that happened; the replay of act 2 happens once."
        )
    narrator.table([{"who": person.name, "is": person.display, "does": person.does} for person in PEOPLE])
    paths = publish_paths(ines)
    projects = open_projects(ines)
    narrator.line()
    narrator.say(f"Ines published {' and '.join(path.ref for path in paths)}, and opened the projects:")
    for project in projects:
        kpi = project.kpi
        assert kpi is not None
        narrator.say(
            f"{project.name} (risk {project.risk}, path {project.path}): {project.purpose} Owner {project.owner}, "
            f"sponsor {project.sponsor}; to move: {kpi.name}, from {kpi.baseline:g}, one unit worth "
            f"{kpi.unit_value:g} {kpi.currency} (example values)."
        )


def check_the_log(scene: Scene) -> None:
    """Everything above is in the audit log, and the log is whole."""
    narrator = scene.narrator
    narrator.aside("After the last act, Ines checks the audit log")
    verified = scene.cast["ines"].audit.verify()
    narrator.expect(verified.is_intact, "an audit log that is whole", verified)
    narrator.say(f"All {verified.entries:,} entries and {verified.heads:,} signed heads hold (RFC 6962 Merkle tree).")


def stay(scene: Scene, server: Server) -> None:
    """Shows the ways in and waits for Ctrl-C, or for the server's end. Return prints fresh links."""
    narrator = scene.narrator
    narrator.line(f"The portfolio: {scene.link('/')}. Sign in with one of these; each works once, within the hour.")
    show_links(scene.cast, narrator)
    narrator.line(f"More of them: TAXIWAY_HOME={scene.home} taxiway access link NAME. Ctrl-C stops everything.")
    is_asked = sys.stdin.isatty()
    if is_asked:
        narrator.line("Or press Return here.")
    try:
        while server.is_running:
            if not is_asked:
                time.sleep(LOOK_S)
            elif select.select([sys.stdin], [], [], LOOK_S)[0]:
                if sys.stdin.readline():
                    show_links(scene.cast, narrator)
                else:
                    is_asked = False
    except KeyboardInterrupt:
        narrator.line()


def show_links(cast: Cast, narrator: Narrator) -> None:
    for person in PEOPLE:
        narrator.line(f"  {person.display:<14} {cast.sign_in_link(person.name)}")


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """A hang-up or a polite kill ends the demo as Ctrl-C does, so that nothing is left running.

    Ctrl-C does so too where a shell started the demo in the background, which has it ignored.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
