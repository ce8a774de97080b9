"""The API of gates."""

from __future__ import annotations

from taxiway.gates import contract
from taxiway.gates.checks import contract as checks_contract
from taxiway.gates.checks.offers import offers
from taxiway.gates.eligible import routes as eligible_routes
from taxiway.gates.exceptions import routes as exceptions_routes
from taxiway.gates.findings import routes as findings_routes
from taxiway.gates.observing import contract as observing
from taxiway.gates.paths import contract as paths_contract
from taxiway.gates.planning import contract as planning
from taxiway.gates.proposing import routes as proposing_routes
from taxiway.gates.questionnaires import routes as questionnaires_routes
from taxiway.gates.reviews import routes as reviews_routes
from taxiway.gates.service import Gates
from taxiway.web.serve import Server


def bind(server: Server, gates: Gates) -> None:
    exceptions_routes.bind(server, gates.waivers, gates.glass)
    findings_routes.bind(server, gates.findings)
    proposing_routes.bind(server, gates.proposals)
    server.serve(checks_contract.list_checks, offers)
    server.serve(paths_contract.publish_path, gates.paths.publish)
    server.serve(paths_contract.list_paths, gates.paths.list)
    server.serve(paths_contract.show_schema, gates.paths.schema)
    server.serve(paths_contract.show_path, gates.paths.show)
    server.serve(planning.plan_path, gates.planning.plan)
    server.serve(observing.observed, gates.observing.observed)
    server.serve(contract.show_standing, gates.standing)
    server.serve(contract.evaluate, gates.evaluations.evaluate)
    server.serve(contract.list_evidence, gates.evaluations.evidence)
    server.serve(contract.request_approval, gates.approvals.request)
    server.serve(contract.approve, gates.approvals.approve)
    server.serve(contract.withdraw, gates.approvals.withdraw)
    server.serve(contract.inbox, gates.approvals.inbox)
    questionnaires_routes.bind(server, gates.questionnaires)
    reviews_routes.bind(server, gates.reviews)
    eligible_routes.bind(server, gates.eligibility)
