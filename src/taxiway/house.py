"""The whole platform put together: every noun's service, its routes and its pages, over one home and database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from taxiway.access.provider.port import Configured
from taxiway.access.provider.service import SignIns
from taxiway.access.service import Access
from taxiway.adapters.blob_stores import open_blobs, place_of, read_object
from taxiway.audit.contract import list_witnesses
from taxiway.audit.service import Audit, Ledger, signed_with
from taxiway.compat.mlflow import routes as mlflow_routes
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.files import Files
from taxiway.compat.mlflow.packing import Packing
from taxiway.compat.oci.contract import release_image, show_image
from taxiway.compat.oci.service import Images
from taxiway.datasets import pages as datasets_pages
from taxiway.datasets import routes as datasets_routes
from taxiway.datasets.service import Datasets
from taxiway.discussions import pages as discussions_pages
from taxiway.discussions import routes as discussions_routes
from taxiway.discussions import service as discussions
from taxiway.discussions.todos import LookTodos
from taxiway.dossiers import pages as dossiers_pages
from taxiway.dossiers import routes as dossiers_routes
from taxiway.dossiers.collecting import Below as Collected
from taxiway.dossiers.documents import pages as documents_pages
from taxiway.dossiers.documents import routes as documents_routes
from taxiway.dossiers.documents.gathering import Above, Gathering
from taxiway.dossiers.documents.service import Documents
from taxiway.dossiers.judging.service import Judging
from taxiway.dossiers.service import Dossiers
from taxiway.endpoints import pages as endpoints_pages
from taxiway.endpoints import routes as endpoints_routes
from taxiway.endpoints.inferences.labelling import Labels
from taxiway.endpoints.service import Below, Endpoints
from taxiway.endpoints.showing.tracing import Tracer
from taxiway.endpoints.steering.publishing import Publisher
from taxiway.evidence import service as evidence
from taxiway.evidence.keys import KeyFolder
from taxiway.gates import pages as gates_pages
from taxiway.gates import routes as gates_routes
from taxiway.gates.service import Gates
from taxiway.gates.standing.todos import GateTodos
from taxiway.hooks import pages as hooks_pages
from taxiway.hooks import routes as hooks_routes
from taxiway.hooks.addresses import Reach
from taxiway.hooks.service import Hooks
from taxiway.imports import routes as imports_routes
from taxiway.imports.files import FileIntake
from taxiway.imports.logged import LoggedIntake
from taxiway.imports.registry import RegistryIntake
from taxiway.imports.service import Imports
from taxiway.imports.tracing import TraceIntake
from taxiway.kernel.caller import SYSTEM
from taxiway.kernel.clock import Clock, now
from taxiway.lineage.service import Lineage
from taxiway.models import pages as models_pages
from taxiway.models import routes as models_routes
from taxiway.models.bundles.freeing import MadeModels
from taxiway.models.bundles.shelf import Shelf
from taxiway.models.registering.provenance import Sources
from taxiway.models.service import Models
from taxiway.monitors import pages as monitors_pages
from taxiway.monitors import routes as monitors_routes
from taxiway.monitors.referring import References
from taxiway.monitors.service import Monitors
from taxiway.monitors.watched import Watched
from taxiway.notices import pages as notices_pages
from taxiway.notices import routes as notices_routes
from taxiway.notices import service as notices
from taxiway.projects import pages as projects_pages
from taxiway.projects import routes as projects_routes
from taxiway.projects.portfolio import Portfolio
from taxiway.projects.service import Projects
from taxiway.runs import pages as runs_pages
from taxiway.runs import routes as runs_routes
from taxiway.runs.again import reproduced
from taxiway.runs.again.reproductions import Reproductions
from taxiway.runs.comparison import Comparisons
from taxiway.runs.experiments import Experiments
from taxiway.runs.foreign.foreign import ForeignRuns
from taxiway.runs.foreign.foreign_files import ForeignFiles
from taxiway.runs.foreign.settling import Settler
from taxiway.runs.points.log import Log
from taxiway.runs.service import Runs
from taxiway.runs.trash.emptying import Emptying
from taxiway.runs.trash.trash import Trash
from taxiway.runs.trash.trashed import empty_trash
from taxiway.storage.cache import Cache
from taxiway.storage.database import Database, metadata, sqlite_url
from taxiway.storage.home import HomeUnusable, take_home
from taxiway.storage.keys import Keys
from taxiway.storage.migrations import migrate
from taxiway.storage.owning import Owning
from taxiway.storage.parts import Parts
from taxiway.storage.sharing import share
from taxiway.storage.writes import Writer
from taxiway.stores import routes as stores_routes
from taxiway.stores.blobs import PlacedBlobs
from taxiway.stores.service import Stores
from taxiway.traces import pages as traces_pages
from taxiway.traces import routes as traces_routes
from taxiway.traces.service import Traces
from taxiway.web import routes as web_routes
from taxiway.web.doorkeeper import Doorkeeper
from taxiway.web.metrics import Metrics
from taxiway.web.pages import account, audit, docs, lineage, provider, search, sign_in, terminal
from taxiway.web.pages import evidence as evidence_pages
from taxiway.web.quick import QuickRouter
from taxiway.web.refusals import handlers
from taxiway.web.serve import Server
from taxiway.web.site import Site
from taxiway.witnesses.service import Witnesses


class House:
    """Every service of a platform; what holds a home open and lets it go."""

    provider: Configured | None = None

    def __init__(
        self,
        home: Path,
        *,
        database_url: str | None = None,
        blobs_url: str | None = None,
        login: bool = False,
        clock: Clock = now,
        hook_hosts: Sequence[str] = (),
    ) -> None:
        """blobs_url: as `storage.places.parse_place` reads it; by default where the home's blobs are already.
        hook_hosts: where hooks may lead although it is within the network, or speaks http.

        Raises HomeTaken, HomeUnusable, BlobsElsewhere, FilesElsewhere, StoreUnusable, DatabaseUnusable, KeyUnusable,
        NewerDatabase.
        """
        self.home = home
        self.login = login
        self.clock = clock
        self._open_storage(home, database_url, blobs_url)
        self.ledger = Ledger(self.database, self.writer, self.keys)
        self.stores = Stores(self.database, self.ledger, home=home, read=read_object)
        self.blobs.stores = self.stores
        self.hooks = Hooks(self.ledger, self.keys, Reach(hook_hosts))
        self.access = Access(self.database, self.ledger, clock)
        self.audit = Audit(self.database, self.keys)
        self.witnesses = Witnesses(self.audit, clock)
        self.statements = evidence.Statements(self.database, self.ledger, self.access, self.evidence_keys)
        self.lineage = Lineage(self.database)
        self.projects = Projects(self.database, self.ledger, self.access)
        self.datasets = Datasets(self.database, self.ledger, self.access, self.blobs, self.projects)
        self.portfolio = Portfolio(self.projects, clock)
        self._open_runs()
        self._open_models()
        self.gates = Gates(self.database, self.ledger, self.access, models=self.models, clock=clock)
        self.models.guard_with(self.gates)
        self.models.catalogue.follow.append(evidence.follow_name)
        self.projects.path_names = self.gates.paths.names
        self.imports = Imports(self.ledger, self.projects, self.models.logged, self.traces, clock)
        self.intakes = imports_routes.Intakes(
            self.imports,
            FileIntake(self.imports, self.blobs, self.stores),
            LoggedIntake(self.imports, self.models.logged, self.experiments),
            RegistryIntake(self.imports, self.models),
            TraceIntake(self.imports, self.experiments),
        )
        self._open_endpoints()

    def _open_storage(self, home: Path, database_url: str | None, blobs_url: str | None) -> None:
        """The home, its bytes, its database and its keys; nothing stays open where one of them does not open."""
        self.lock = take_home(home)
        self.owning: Owning | None = None
        try:
            self.blobs = PlacedBlobs(open_blobs(home, blobs_url), Cache(home / "blob-cache"))
            self.database = Database(database_url or sqlite_url(home))
            self.owning = Owning(self.database)
            self.keys = Keys(home / "keys", signed_with=signed_with(self.database))
            self.evidence_keys = KeyFolder(home / "keys" / "evidence")
            migrate(self.database, metadata)
            share(self.database, home, place=str(place_of(home, blobs_url)), key=self.keys.key_id)
        except OSError as e:
            self._let_go()
            raise HomeUnusable(home=str(home), cause=e.strerror or str(e)) from e
        except BaseException:
            self._let_go()
            raise
        self.writer = Writer(self.database, self.clock, str(home))
        self.writer.before_each = self.owning.require
        self.writer.forget_old_keys()

    def _open_talk(self) -> None:
        """What people say of everything, and what waits for whom in all of it."""
        self.notices = notices.Notices(self.ledger, self.access, self.clock)
        self.discussions = discussions.Discussions(self.ledger, self.access, self.clock)
        self.discussions.kinds |= {
            "dataset": lambda thing: self.datasets.find(*halves(thing.name), thing.version).project,
            "model": self.models.project_of_thing,
            "alert": lambda thing: self.monitors.project_of_alert(*halves(thing.name)),
            "path-proposal": lambda thing: self.gates.proposals.project_of(thing.name),
        }
        self.models.catalogue.follow += [discussions.follow_name, notices.follow_name]
        keeper = self.notices.keeper
        keeper.names = lambda: self.projects.names(SYSTEM)
        keeper.sources += [self.portfolio.waiting.todos, GateTodos(self.gates), LookTodos(self.discussions)]

    def _open_runs(self) -> None:
        self.runs = Runs(self.database, self.ledger, self.access, self.blobs, self.datasets, self.clock)
        self.runs.settled = Settler(self.writer, self.stores.settle)
        self.run_log = Log(self.database, self.ledger)
        self.packing = Packing()
        self.experiments = Experiments(self.database, self.ledger)
        self.trash = Trash(self.database, self.ledger, self.experiments)
        self.comparisons = Comparisons(self.runs, self.access, self.blobs)
        self.reproductions = Reproductions(self.runs, self.run_log, self.comparisons, self.blobs)
        self.traces = Traces(self.database, self.ledger, self.access, self.blobs)

    def _open_models(self) -> None:
        self.shelf = Shelf(self.home / "bundles", self.blobs)
        self.shelf.clear_incoming()
        sources = Sources(self.projects, self.datasets, self.runs)
        self.models = Models(
            self.database, self.ledger, self.access, sources=sources, blobs=self.blobs, shelf=self.shelf
        )
        self.emptying = Emptying(self.database, self.ledger, self.blobs, MadeModels(self.shelf), self.clock)
        self.emptying.with_experiments.append(self.traces.drop_of)
        self.emptying.forget = self.access.digests.forget

    def _open_endpoints(self) -> None:
        self.publisher = Publisher(self.home, self.database, self.writer, self.keys, self.access)
        below = Below(self.access, self.datasets, self.runs, self.models, self.gates)
        self.endpoints = Endpoints(self.home, self.ledger, below, self.publisher)
        self.labels = Labels(self.endpoints)
        self.tracer = Tracer(self.endpoints, self.labels)
        self.monitors: Monitors = Monitors(
            self.database,
            self.ledger,
            self.access,
            watched=Watched(self.endpoints, self.labels, self.models),
            references=References(self.datasets, self.blobs, self.access),
            clock=self.clock,
        )
        self.endpoints.needed_since.append(self.monitors.needed_since)
        self._open_dossiers()
        self._open_talk()

    def sign_in_with(self, provider: Configured) -> None:
        """Has people sign in with an identity provider, too; before the house is built."""
        self.provider = provider
        kept = (self.database, self.ledger, self.access.memory, self.keys)
        self.access.sign_ins = SignIns(*kept, provider.mapping)

    def is_on_duty(self) -> bool:
        """Whether this server does what one alone must do for its database."""
        return self.owning is not None and self.owning.is_on_duty()

    def _open_dossiers(self) -> None:
        read = (self.access, self.audit, self.statements, self.models, self.gates, self.reproductions)
        gathering = Gathering(Collected(*read), Above(self.endpoints, self.monitors, self.lineage))
        self.documents = Documents(self.home, gathering)
        self.dossiers = Dossiers(self.home, Collected(*read), self.documents)

    def close(self) -> None:
        """Finishes what is being written and lets the home go."""
        self.packing.close()
        self.run_log.close()
        self.writer.close()
        self._let_go()

    def _let_go(self) -> None:
        if self.owning is not None:
            self.owning.close()
            self.owning.database.close()
        self.lock.close()


def halves(name: str) -> tuple[str, str]:
    """The two names within one such as ``mortgages/loans``."""
    before, _, after = name.partition("/")
    return before, after


def build(house: House) -> Starlette:
    """The application: the API and the pages of every noun, behind one doorkeeper."""
    doorkeeper = Doorkeeper(house.access, login=house.login)
    server = Server(doorkeeper)
    site = Site(doorkeeper, login=house.login)
    bind_routes(server, house)
    mlflow = dialect_of(house, doorkeeper, server)
    add_pages(site, house, server)
    static = StaticFiles(packages=[("taxiway.web", "static")])
    metrics = Metrics(doorkeeper, server.tellers)
    routes = [*metrics.routes, *server.routes, *mlflow.routes, *site.routes, Mount("/static", static)]
    app = Starlette(routes=routes, exception_handlers=handlers(site, [mlflow]))
    app.router = QuickRouter(routes)
    app.state.dialects, app.state.counted = [mlflow], metrics.counted
    return app


def bind_routes(server: Server, house: House) -> None:
    """The API of every noun."""
    server.serve(list_witnesses, lambda caller: house.witnesses.list())
    web_routes.bind(server, access=house.access, audit=house.audit, lineage=house.lineage, blobs=house.blobs)
    web_routes.bind_evidence(server, house.statements)
    projects_routes.bind(server, house.projects)
    datasets_routes.bind(server, house.datasets)
    runs_routes.bind(server, house.runs, house.run_log, house.comparisons, house.trash)
    server.serve(empty_trash, house.emptying.empty)
    reproduced.bind(server, house.reproductions)
    traces_routes.bind(server, house.traces)
    models_routes.bind(server, house.models)
    gates_routes.bind(server, house.gates)
    stores_routes.bind(server, house.stores)
    hooks_routes.bind(server, house.hooks)
    imports_routes.bind(server, house.intakes)
    endpoints_routes.bind(server, house.endpoints, house.labels, house.tracer, login=house.login)
    monitors_routes.bind(server, house.monitors)
    dossiers_routes.bind(server, house.dossiers, Judging(house.access, house.models, house.gates))
    documents_routes.bind(server, house.documents, house.dossiers.folder)
    discussions_routes.bind(server, house.discussions)
    notices_routes.bind(server, house.notices)
    images = Images(house.ledger, house.models, house.gates, house.statements)
    server.serve(show_image, images.show)
    server.serve(release_image, images.release)


def dialect_of(house: House, doorkeeper: Doorkeeper, server: Server) -> Dialect:
    """The API of MLflow's clients."""
    mlflow = Dialect(doorkeeper, server.uploads)
    mlflow_routes.bind(
        mlflow,
        mlflow_routes.Below(
            access=house.access,
            projects=house.projects,
            stores=house.stores,
            experiments=house.experiments,
            foreign=ForeignRuns(house.database, house.ledger),
            log=house.run_log,
            packing=house.packing,
            searching=house.runs.search,
            trash=house.trash,
            models=house.models,
            hooks=house.hooks,
            files=Files(
                house.blobs,
                ForeignFiles(house.database, house.ledger, house.blobs, house.runs.settled),
                house.models.logged,
                house.traces,
                house.models,
            ),
            parts=Parts(house.home / "uploads"),
            traces=house.traces,
        ),
    )
    return mlflow


def add_pages(site: Site, house: House, server: Server) -> None:
    """The pages of every noun."""
    desk = sign_in.desk_of(site, house.access)
    if house.provider is not None and house.access.sign_ins is not None:
        provider.add(desk, house.provider, house.access.sign_ins)
    sign_in.add(desk)
    account.add(site, house.access)
    terminal.add(site, house.access)
    projects_pages.add(site, house.portfolio, house.access, house.audit)
    datasets_pages.add(site, house.datasets, house.lineage)
    runs_pages.add(site, house.runs, house.run_log, house.comparisons, house.trash)
    reproduced.add(site, house.reproductions)
    traces_pages.add(site, house.traces)
    hooks_pages.add(site, house.hooks)
    notices_pages.add(site, house.notices)
    models = models_pages.add(site, house.models, house.comparisons, house.access)
    dossiers_pages.add(site, house.dossiers)
    documents_pages.add(site, house.documents)
    gates_pages.add(site, house.gates, models, house.runs, house.access, house.portfolio)
    audit.add(site, house.audit, house.access, house.witnesses.list)
    evidence_pages.add(site, house.statements)
    lineage.add(site, house.lineage, house.access)
    search.add(site, house.access)
    docs.add(site, server)
    endpoints_pages.add(site, house.endpoints, house.labels, house.tracer, house.portfolio)
    monitors_pages.add(site, house.monitors, house.access, house.portfolio)
    discussions_pages.add(site, house.discussions)
