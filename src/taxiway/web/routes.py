"""The API of the floors below: access, audit, lineage and blobs, which know no web framework themselves."""

from __future__ import annotations

from taxiway.access import contract as access_contract
from taxiway.access.contract import User
from taxiway.access.delegation import contract as delegations_contract
from taxiway.access.proposals import contract as proposals_contract
from taxiway.access.provider import contract as provider_contract
from taxiway.access.service import Access
from taxiway.access.terminals import contract as terminals_contract
from taxiway.audit import contract as audit_contract
from taxiway.audit.contract import (
    Consistency,
    Entry,
    Inclusion,
    ListEntries,
    ProveConsistency,
    ProveInclusion,
    TreeHead,
    Verification,
    VerifyLog,
)
from taxiway.audit.service import Audit
from taxiway.evidence import contract as evidence_contract
from taxiway.evidence.contract import PublicKey
from taxiway.evidence.service import Statements
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.lineage import contract as lineage_contract
from taxiway.lineage.contract import Graph, WalkFrom
from taxiway.lineage.service import Lineage
from taxiway.storage.blobs import Blobs
from taxiway.storage.contract import Stored, put_blob
from taxiway.web.bodies import Upload
from taxiway.web.downloads import store
from taxiway.web.serve import Server


def bind(server: Server, *, access: Access, audit: Audit, lineage: Lineage, blobs: Blobs) -> None:
    bind_access(server, access)
    bind_audit(server, audit, access)

    def walk(caller: Caller, body: WalkFrom) -> Graph:
        return lineage.walk(body, access.visible(caller))

    def put(caller: Caller, body: Upload, *, digest: str) -> Stored:
        stored = store(blobs, body, expected=digest)
        access.digests.sent(caller, stored)
        return Stored(stored, blobs.size(stored))

    server.serve(lineage_contract.walk, walk)
    server.serve(put_blob, put)


def bind_access(server: Server, access: Access) -> None:
    def users(caller: Caller) -> Page[User]:
        return access.users(caller)

    def grants(caller: Caller, *, project: str) -> Page[access_contract.Grant]:
        return access.grants(project=project)

    server.serve(access_contract.add_user, access.add_user)
    server.serve(access_contract.list_users, users)
    server.serve(access_contract.change_user, access.accounts.change)
    server.serve(proposals_contract.list_proposals, access.proposals.list)
    server.serve(proposals_contract.decide_proposal, access.proposals.decide)
    server.serve(delegations_contract.delegate, access.delegations.delegate)
    server.serve(delegations_contract.list_delegations, access.delegations.list)
    server.serve(delegations_contract.revoke_delegation, access.delegations.revoke)
    server.serve(provider_contract.list_bindings, access.bindings)
    server.serve(terminals_contract.redeem_code, access.terminals.redeem)
    server.serve(access_contract.list_tokens, access.accounts.tokens)
    server.serve(access_contract.revoke_token, access.accounts.revoke_token)
    server.serve(access_contract.who_am_i, access.who_am_i)
    server.serve(access_contract.make_token, access.make_token)
    server.serve(access_contract.list_my_tokens, access.my_tokens)
    server.serve(access_contract.make_my_token, access.make_my_token)
    server.serve(access_contract.revoke_my_token, access.revoke_my_token)
    server.serve(access_contract.make_link, access.make_link)
    server.serve(access_contract.grant_role, access.grant_role)
    server.serve(access_contract.revoke_role, access.revoke_role)
    server.serve(access_contract.list_grants, grants)


def bind_audit(server: Server, audit: Audit, access: Access) -> None:
    def entries(caller: Caller, body: ListEntries) -> Page[Entry]:
        return audit.entries(body, access.visible(caller))

    def head(caller: Caller) -> TreeHead:
        return audit.head()

    def inclusion(caller: Caller, body: ProveInclusion) -> Inclusion:
        return audit.inclusion(body)

    def consistency(caller: Caller, body: ProveConsistency) -> Consistency:
        return audit.consistency(body)

    def verify(caller: Caller, body: VerifyLog) -> Verification:
        return audit.verify(body)

    server.serve(audit_contract.list_entries, entries)
    server.serve(audit_contract.tree_head, head)
    server.serve(audit_contract.prove_inclusion, inclusion)
    server.serve(audit_contract.prove_consistency, consistency)
    server.serve(audit_contract.verify_log, verify)
    server.serve(audit_contract.list_keys, lambda caller: audit.log_keys())


def bind_evidence(server: Server, statements: Statements) -> None:
    def keys(caller: Caller) -> Page[PublicKey]:
        return Page(statements.public_keys())

    server.doorkeeper.project_of["statement"] = statements.project_of
    server.serve(evidence_contract.list_statements, statements.find)
    server.serve(evidence_contract.show_statement, statements.show)
    server.serve(evidence_contract.verify_envelope, statements.verify)
    server.serve(evidence_contract.list_keys, keys)
    server.serve(evidence_contract.rotate_key, statements.rotate)
    server.serve(evidence_contract.revoke_key, statements.revoke)
