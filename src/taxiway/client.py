"""The SDK: one client with an attribute for each noun, over HTTP to a server or to the folder's own home."""

from __future__ import annotations

import atexit
import json
import os
import time
from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from pkgutil import walk_packages
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import msgspec

from taxiway import NOUNS
from taxiway.kernel.away import HomeBusy, ServerMissing
from taxiway.kernel.errors import BadField
from taxiway.kernel.rich import connected_to
from taxiway.kernel.settings import Settings, read_settings
from taxiway.kernel.starting import collecting_later
from taxiway.kernel.transport import Address, Transport, is_answering

if TYPE_CHECKING:
    from taxiway.access.client import Access
    from taxiway.audit.client import Audit
    from taxiway.datasets.client import Datasets
    from taxiway.discussions.client import Discussions
    from taxiway.dossiers.client import Dossiers
    from taxiway.endpoints.client import Endpoints
    from taxiway.evidence.client import Evidence
    from taxiway.gates.client import Gates
    from taxiway.hooks.client import Hooks
    from taxiway.imports.client import Imports
    from taxiway.lineage.client import Lineage
    from taxiway.models.client import Models
    from taxiway.models.contract import ModelVersion
    from taxiway.models.registering.pending import PendingVersion
    from taxiway.monitors.client import Monitors
    from taxiway.notices.client import Notices
    from taxiway.projects.client import Projects
    from taxiway.runs.active import ActiveRun
    from taxiway.runs.client import Runs
    from taxiway.stores.client import Stores
    from taxiway.traces.client import Traces

WAIT_S = 20.0


class Embedded(Protocol):
    """A server that runs inside this process for a home."""

    def close(self) -> None: ...


class Home:
    """Finds the address of a home's server, and becomes its server where nobody else is."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.lock = Lock()
        self.embedded: Embedded | None = None
        self.pid = os.getpid()
        self.known: Address | None = None

    def __call__(self) -> Address:
        """The address; checked afresh only when the one known has stopped answering."""
        with self.lock:
            if self.pid != os.getpid():  # a fork: the server's threads stayed with the parent
                self.embedded, self.known, self.pid = None, None, os.getpid()
            if self.known is None or not is_answering(self.known):
                self.known = self._find()
            return self.known

    def _find(self) -> Address:
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            address = read_address(self.home)
            if address and is_answering(address):
                return address
            self.embedded = embed(self.home)
            if self.embedded is None:  # somebody else is just starting, or just stopping
                time.sleep(0.05)
        raise HomeBusy(home=str(self.home), owner=owner_of(self.home))

    def close(self) -> None:
        if self.embedded is not None and self.pid == os.getpid():
            self.embedded.close()
        self.embedded, self.known = None, None


def read_address(home: Path) -> Address | None:
    """Where the home's owner says it listens."""
    try:
        said = json.loads((home / "server.json").read_text())
        return Address(url=said["url"], socket=Path(said["socket"]))
    except (OSError, ValueError, KeyError):
        return None


def owner_of(home: Path) -> str:
    try:
        return f"process {json.loads((home / 'server.json').read_text())['pid']}"
    except (OSError, ValueError, KeyError):
        return "a process that did not say who it is"


def embed(home: Path) -> Embedded | None:
    """Starts the server of a home in this process; None where another process holds it. Raises ServerMissing."""
    for entry in entry_points(group="taxiway.embedded"):
        with collecting_later():
            try:
                start = entry.load()
            except ModuleNotFoundError as e:
                raise ServerMissing from e
            started: Embedded | None = start(home)
        return started
    raise ServerMissing


class Client:
    """One way into a platform; `connect` makes it."""

    def __init__(self, transport: Transport, settings: Settings, home: Home | None = None) -> None:
        self.transport = transport
        self.settings = settings
        self.home = home

    @cached_property
    def projects(self) -> Projects:
        from taxiway.projects.client import Projects

        return Projects(self.transport)

    @cached_property
    def monitors(self) -> Monitors:
        from taxiway.monitors.client import Monitors

        return Monitors(self.transport)

    @cached_property
    def datasets(self) -> Datasets:
        from taxiway.datasets.client import Datasets

        datasets = Datasets(self.transport, self.settings.pins)
        datasets.on_read.append(self.runs.note_read)
        return datasets

    @cached_property
    def runs(self) -> Runs:
        from taxiway.runs.client import Runs

        return Runs(self.transport, self.settings, self._log_model)

    @cached_property
    def models(self) -> Models:
        from taxiway.models.client import Models

        return Models(self.transport)

    @cached_property
    def endpoints(self) -> Endpoints:
        from taxiway.endpoints.client import Endpoints

        return Endpoints(self.transport)

    @cached_property
    def gates(self) -> Gates:
        from taxiway.gates.client import Gates

        return Gates(self.transport)

    def _log_model(self, run: ActiveRun, model: Any, name: str, **facts: Any) -> ModelVersion | PendingVersion:
        """The model as a new version; in a run that does another again, the version that the first one made."""
        from taxiway.runs.again.sameness import REPRODUCES

        first = run.run.tags.get(REPRODUCES)
        made = self.lineage.walk(f"run:{first}", steps=1).edges if first else []
        for edge in made:
            if edge.verb == "produced" and edge.target.startswith(f"model:{name}@"):
                return self.models.find(edge.target.removeprefix("model:"))
        return self.models.log(run, model, name, **facts)

    @cached_property
    def access(self) -> Access:
        from taxiway.access.client import Access

        return Access(self.transport)

    @cached_property
    def stores(self) -> Stores:
        from taxiway.stores.client import Stores

        return Stores(self.transport)

    @cached_property
    def hooks(self) -> Hooks:
        from taxiway.hooks.client import Hooks

        return Hooks(self.transport)

    @cached_property
    def imports(self) -> Imports:
        from taxiway.imports.client import Imports

        return Imports(self.transport)

    @cached_property
    def traces(self) -> Traces:
        from taxiway.traces.client import Traces

        return Traces(self.transport)

    @cached_property
    def discussions(self) -> Discussions:
        from taxiway.discussions.client import Discussions

        return Discussions(self.transport)

    @cached_property
    def notices(self) -> Notices:
        from taxiway.notices.client import Notices

        return Notices(self.transport)

    @cached_property
    def audit(self) -> Audit:
        from taxiway.audit.client import Audit

        return Audit(self.transport)

    @cached_property
    def evidence(self) -> Evidence:
        from taxiway.evidence.client import Evidence

        return Evidence(self.transport)

    @cached_property
    def dossiers(self) -> Dossiers:
        from taxiway.dossiers.client import Dossiers

        return Dossiers(self.transport)

    @cached_property
    def lineage(self) -> Lineage:
        from taxiway.lineage.client import Lineage

        return Lineage(self.transport)

    def close(self) -> None:
        """Closes the connection, and the home's server where this process runs it."""
        if "runs" in self.__dict__:
            self.runs.close()
        self.transport.close()
        if self.home is not None:
            self.home.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(
    url: str | None = None,
    *,
    token: str | None = None,
    home: str | Path | None = None,
    start: Path | None = None,
    door: str = "sdk",
) -> Client:
    """A client of the server at `url`, or of a home in a folder.

    start: the folder to look from for a home and a taxiway.toml; by default the working directory.

    With neither, what TAXIWAY_URL, TAXIWAY_TOKEN and TAXIWAY_HOME say, else the nearest `.taxiway` folder. A server
    without a token gets the one that `taxiway access sign-in` kept for it. A home that no process serves is served by
    this one, until the client is closed or the process ends.

    >>> with connect(home=".taxiway") as client:  # doctest: +SKIP
    ...     client.projects.list()
    """
    settings = read_settings(start)
    url = url or (settings.url if home is None else None)
    token = token or settings.token
    if url is not None:
        address = Address(url=checked(url))
        from taxiway.access.terminals.keeping import token_for

        connected_to(address.url)
        settings = msgspec.structs.replace(settings, url=address.url)
        return Client(Transport(lambda: address, token or token_for(address.url), door, learn_refusals), settings)
    found = Home(Path(home).resolve() if home is not None else settings.home)
    settings = msgspec.structs.replace(settings, home=found.home, url=None)
    client = Client(Transport(found, token, door, learn_refusals), settings, found)
    atexit.register(client.close)
    return client


def checked(url: str) -> str:
    """A server's address without the slash at its end. Raises BadField."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadField(field="the server's address (TAXIWAY_URL)", value=repr(url), expected="http://host:port")
    return url.rstrip("/")


def learn_refusals() -> None:
    """Imports every noun's errors, so that what the server raised is raised here as the same class."""
    for noun in NOUNS:
        folders = import_module(f"taxiway.{noun}").__path__
        below = [found.name for found in walk_packages(folders, f"taxiway.{noun}.") if found.ispkg]
        for place in (f"taxiway.{noun}", *below):
            for room in ("contract", "refusals"):
                if find_spec(f"{place}.{room}"):
                    import_module(f"{place}.{room}")


_default: list[Client] = []


def default_client() -> Client:
    """The client of this folder and environment, made at first use."""
    if not _default:
        _default.append(connect())
    return _default[0]


def run(
    name: str = "",
    *,
    project: str | None = None,
    experiment: str | None = None,
    tags: Mapping[str, str] | None = None,
    source: str | Path | None = None,
) -> ActiveRun:
    """Opens a tracked run of this folder's client: see `taxiway.runs.client.Runs.start`.

    >>> with run("baseline") as active:  # doctest: +SKIP
    ...     active.log(step=1, loss=0.3)
    """
    return default_client().runs.start(name, project=project, experiment=experiment, tags=tags, source=source)


def seed(value: int) -> None:
    """Seeds `random`, NumPy and PyTorch, and notes it with the open runs and those that follow. Raises BadField.

    >>> seed(7)
    """
    from taxiway.runs.again.seeds import seed as seed_all

    seed_all(value)


def autolog(*libraries: str, models: bool = True, figures: bool = True, every: int = 10, on: bool = True) -> list[str]:
    """Logs what scikit-learn, LightGBM, XGBoost and PyTorch train, by itself, and gives the libraries' names.

    Parameters, metrics by iteration, the model with its signature and the importances of its features go to the run
    that is open, or to one of the fit's own; PyTorch's losses and learning rates go to the open run only, of every
    tenth step unless `every` says otherwise. on: False gives the libraries back what was theirs. Raises BadField.

    >>> import taxiway as tw
    >>> tw.autolog("sklearn")
    ['sklearn']
    >>> tw.autolog(on=False)
    []
    """
    from taxiway.runs.autologging.autolog import Options, turn_off, turn_on

    if not on:
        turn_off()
        return []
    if every < 1:
        raise BadField(field="every", value=repr(every), expected="a number from 1 on")

    def start(name: str) -> ActiveRun:
        return default_client().runs.start(name)

    return turn_on(libraries, Options(models, figures, every), start)
