"""The API of endpoints, and the way through to the gateway."""

from __future__ import annotations

from starlette.routing import Route

from taxiway.endpoints import contract
from taxiway.endpoints.canary import contract as canary
from taxiway.endpoints.canary.service import Canaries
from taxiway.endpoints.external import contract as external
from taxiway.endpoints.external.service import Externals
from taxiway.endpoints.gateway.dialects import installed
from taxiway.endpoints.inferences.labelling import Labels
from taxiway.endpoints.inferences.logs import contract as about_log
from taxiway.endpoints.inferences.logs.asking import Asking
from taxiway.endpoints.inferences.logs.service import Logs
from taxiway.endpoints.rollout import contract as rollout
from taxiway.endpoints.rollout.judging import Comparing
from taxiway.endpoints.rollout.service import Traffic
from taxiway.endpoints.scoring import contract as scoring
from taxiway.endpoints.scoring.service import Scoring
from taxiway.endpoints.service import Endpoints
from taxiway.endpoints.showing.figures import teller
from taxiway.endpoints.showing.tracing import Tracer
from taxiway.endpoints.steering.forwarding import Forwarder
from taxiway.endpoints.stopping import Stopping
from taxiway.web.serve import Server


def bind(server: Server, endpoints: Endpoints, labels: Labels, tracer: Tracer, *, login: bool) -> None:
    server.doorkeeper.project_of["endpoint"] = endpoints.project_of
    server.doorkeeper.project_of["prediction"] = tracer.project_of
    server.tellers.append(teller(endpoints))
    server.serve(contract.deploy, endpoints.deploy)
    server.serve(contract.list_endpoints, endpoints.list)
    server.serve(contract.trace, tracer.trace)
    server.serve(contract.show_endpoint, endpoints.show)
    server.serve(contract.show_revision, endpoints.revision)
    stopping = Stopping(endpoints)
    server.serve(contract.stop_endpoint, stopping.stop)
    server.serve(contract.start_endpoint, stopping.start)
    server.serve(contract.declare_fallback, stopping.declare_fallback)
    server.serve(contract.give_labels, labels.give)
    traffic = Traffic(endpoints)
    server.serve(rollout.show_traffic, traffic.show)
    server.serve(rollout.change_traffic, traffic.change)
    server.serve(rollout.undo_traffic, traffic.undo)
    server.serve(rollout.add_shadow, traffic.add_shadow)
    server.serve(rollout.remove_shadow, traffic.remove_shadow)
    server.serve(rollout.compare_shadow, Comparing(endpoints).compare)
    server.serve(rollout.change_guard, traffic.change_guard)
    externals = Externals(endpoints)
    server.serve(external.register_external, externals.register)
    server.serve(external.feed, externals.feed)
    scorings = Scoring(endpoints)
    server.serve(scoring.ask_scoring, scorings.ask)
    server.serve(scoring.tell_scoring, scorings.tell)
    logs = Logs(endpoints)
    asking = Asking(logs)
    server.serve(about_log.show_log, logs.show)
    server.serve(about_log.keep_log, logs.keep)
    server.serve(about_log.check_log, logs.check)
    server.serve(about_log.erase_subject, logs.erase)
    server.serve(about_log.ask_log, asking.ask)
    server.serve(about_log.fetch_log, asking.fetch)
    canaries = Canaries(endpoints)
    server.serve(canary.begin_canary, canaries.begin)
    server.serve(canary.show_canary, canaries.show)
    server.serve(canary.end_canary, canaries.end)
    forwarder = Forwarder(endpoints.home, login=login, token=lambda: endpoints.publisher.token)
    server.bound.add((contract.invoke.method, contract.invoke.path))
    server.routes.append(Route(contract.invoke.path, forwarder, methods=["POST"]))
    server.routes.extend(forwarded(forwarder))


def forwarded(forwarder: Forwarder) -> list[Route]:
    """The addresses of other protocols, which the gateway answers and this port passes on."""
    own = contract.invoke.path.replace("{endpoint}", "{name}")
    found = {(a.template, a.method) for dialect in installed().values() for a in dialect.addresses if a.template != own}
    return [Route(template, forwarder, methods=[method]) for template, method in sorted(found)]
