"""Who may approve what: people and not tokens, roles that others gave in time, and nobody who had a part in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import msgspec
import pytest

from taxiway.access.contract import AddUser, ChangeUser
from taxiway.access.delegation.contract import NotTheirs
from taxiway.access.proposals.contract import Decide, NotOthersWord, SecondAdminNeeded
from taxiway.gates.contract import Withdraw
from taxiway.gates.refusals import BarsYourself, FourEyes, GateClosed, RoleMissing, RoleUnfit
from taxiway.kernel.errors import AlreadyExists, BadField, NotAllowed, NotFound
from taxiway.lineage.service import draw_edge
from taxiway.models.contract import Evaluation
from tests.gates.office import LOCAL, MODEL, PROJECT, Office, opened


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with opened(tmp_path) as office:
        yield office


# --- quorum and roles ---


def test_a_stage_asks_for_so_many_people_of_each_role(office: Office) -> None:
    office.path("{roles: {validator: 1, approver: 1}}")
    version = office.version()

    before = office.standing(version).who_can
    office.approve(version, "vera")
    between, lacks = office.standing(version).who_can, office.standing(version).stages[1].gates[0].outcome.reason
    with pytest.raises(GateClosed):
        office.promote(version)
    office.approve(version, "paul")

    assert before == ["paul", "vera", "vito"]
    assert between == ["paul"]
    assert lacks == "1 of 2 approvals count; it lacks approver."
    assert office.promote(version).stage == "production"


def test_one_person_with_both_roles_takes_one_seat(office: Office) -> None:
    office.path("{roles: {validator: 1, approver: 1}}")
    office.grant("vera", "approver")
    version = office.version()

    office.approve(version, "vera", role="approver")
    with pytest.raises(AlreadyExists):
        office.approve(version, "vera", role="validator")
    given = office.approve(version, "vito")

    assert given.role == "validator"
    assert office.is_open(version)


def test_a_path_that_counts_twice_is_refused(office: Office) -> None:
    with pytest.raises(Exception, match="no count where roles say how many"):
        office.path("{roles: {validator: 1}, count: 2}")


# --- who has a part in it ---


def test_who_asks_for_an_approval_does_not_give_it(office: Office) -> None:
    version = office.version()

    with pytest.raises(BarsYourself, match="could not any more once they asked for its approval"):
        office.request(version, "vera")
    office.request(version, "vera", anyway=True)

    with pytest.raises(FourEyes, match="vera asked for its approval"):
        office.approve(version, "vera")
    assert office.standing(version).who_can == ["vito"]


def test_who_could_approve_is_warned_before_running_checks(office: Office) -> None:
    version = office.version()
    office.describe(version, "ana", "anew")

    with pytest.raises(BarsYourself) as warning:
        office.evaluate(version, "vera")
    untouched = office.standing(version).who_can
    office.evaluate(version, "vera", anyway=True)

    assert warning.value.others == ["vito"]
    assert untouched == ["vera", "vito"]
    assert office.standing(version).who_can == ["vito"]


@pytest.mark.parametrize("scope", ["version", "lineage"])
def test_for_a_whole_lineage_nobody_approves_who_made_anything_upstream(office: Office, scope: str) -> None:
    office.path(f"{{roles: [validator], not_author: {scope}}}")
    base, version = office.version("vera"), office.version("ana")
    draw_between(office, base.ref, version.ref)

    able = office.standing(version).who_can

    assert able == (["vera", "vito"] if scope == "version" else ["vito"])
    if scope == "lineage":
        with pytest.raises(FourEyes, match=f"vera registered {base.ref}"):
            office.approve(version, "vera")


def test_who_answers_for_a_program_upstream_is_an_author_of_what_it_made(office: Office) -> None:
    office.path("{roles: [validator], not_author: lineage}")
    office.house.access.add_user(LOCAL, AddUser("nightly", kind="service", accountable="vito"))
    office.grant("nightly", "contributor")
    base, version = office.version("nightly"), office.version("ana")
    draw_between(office, base.ref, version.ref)

    with pytest.raises(FourEyes, match="vito answers for nightly, which registered"):
        office.approve(version, "vito")


def draw_between(office: Office, source: str, target: str) -> None:
    """An edge over something in between, so that one step would not find it."""

    def draw(record: object) -> None:
        draw_edge(record, source=source, verb="made", target="thing:between", project=PROJECT)  # type: ignore[arg-type]
        draw_edge(record, source="thing:between", verb="made", target=target, project=PROJECT)  # type: ignore[arg-type]

    office.house.ledger.change(LOCAL, "test.draw", source, draw, answer=type(None))


def test_who_approved_is_warned_before_asking_others_which_would_void_it(office: Office) -> None:
    office.path("{roles: [validator], count: 2}")
    version = office.version()
    office.approve(version, "vera")

    with pytest.raises(BarsYourself):
        office.request(version, "vera")

    assert office.given(version)[0].counts


# --- roles ---


def test_a_role_counts_for_what_is_asked_after_it_was_given(office: Office) -> None:
    version = office.version()
    office.request(version)
    office.grant("ben", "validator")

    with pytest.raises(RoleUnfit, match="ben became validator on 2026-03-02 at 09:00 UTC, after approval was asked"):
        office.approve(version, "ben")
    asked = office.request(version)

    assert asked.earlier == ["ana"]
    assert office.request(version) == asked
    assert office.approve(version, "ben").role == "validator"


def test_granting_again_makes_a_role_neither_younger_nor_cleaner(office: Office) -> None:
    version = office.version()
    office.request(version)

    office.grant("vera", "validator", by="ivo")

    assert office.approve(version, "vera").role == "validator"


def test_nobody_approves_with_a_role_that_they_got_in_return(office: Office) -> None:
    office.grant("ben", "owner", by="ivo")
    office.grant("ivo", "validator", by="ben")
    office.house.access.revoke_role(office.caller("olga"), project=PROJECT, user="ben")
    version = office.version()

    with pytest.raises(RoleUnfit, match="ben made ivo validator and has rights from ivo in return"):
        office.approve(version, "ivo")

    assert office.standing(version).who_can == ["vera", "vito"]


def test_a_role_from_an_admin_whom_one_made_oneself_is_in_return(office: Office) -> None:
    office.house.access.add_user(office.caller("ivo"), AddUser("puppet", is_admin=True))
    with pytest.raises(SecondAdminNeeded) as held:
        office.grant("ivo", "validator", by="puppet")
    decide, proposal = office.house.access.proposals.decide, held.value.proposal
    with pytest.raises(NotOthersWord):
        decide(office.caller("ivo"), Decide(is_confirmed=True), proposal=proposal)
    decide(LOCAL, Decide(is_confirmed=True), proposal=proposal)

    with pytest.raises(RoleUnfit, match="in return"):
        office.approve(office.version(), "ivo")


def test_who_is_deactivated_approves_nothing_and_keeps_what_they_gave(office: Office) -> None:
    first, second = office.version(), office.version()
    office.approve(first, "vera")

    office.house.access.accounts.change(LOCAL, ChangeUser(is_active=False), user="vera")

    assert office.is_open(first)
    assert office.standing(second).who_can == ["vito"]


# --- delegation ---


def test_a_delegate_approves_for_who_delegated_and_both_count_once(office: Office) -> None:
    office.path("{roles: [validator], count: 2}")
    office.delegate("vera", "ben")
    version = office.version()

    given = office.approve(version, "ben")
    office.approve(version, "vera")

    assert (given.role, given.on_behalf_of) == ("validator", "vera")
    assert not office.is_open(version)
    assert office.standing(version).who_can == ["vito"]
    office.approve(version, "vito")
    assert office.is_open(version)
    assert "ben for vera" in office.standing(version).stages[1].gates[0].outcome.reason


@pytest.mark.parametrize("author", ["vera", "ben"])
def test_an_author_on_either_side_blocks(office: Office, author: str) -> None:
    office.grant("ben", "contributor")
    office.delegate("vera", "ben")
    version = office.version(author)

    with pytest.raises((FourEyes, RoleUnfit), match=f"{author} registered it"):
        office.approve(version, "ben", on_behalf_of="vera")


def test_a_delegation_does_nothing_after_its_end_and_what_it_gave_stays(office: Office) -> None:
    office.delegate("vera", "ben", days=10)
    first, second = office.version(), office.version()
    office.approve(first, "ben")

    office.clock.wait(11)

    with pytest.raises(RoleMissing):
        office.approve(second, "ben")
    assert office.is_open(first)
    assert not office.house.access.is_allowed(office.caller("ben"), "gates.approve", PROJECT)
    [ended] = office.house.access.delegations.list(LOCAL, project=PROJECT).items
    assert not ended.is_active


def test_a_delegation_is_revoked_by_who_gave_it_and_withdrawn_is_what_was_given_for_them(office: Office) -> None:
    made = office.delegate("vera", "ben")
    version = office.version()
    given = office.approve(version, "ben")
    revoke = office.house.access.delegations.revoke

    with pytest.raises(NotAllowed):
        revoke(office.caller("vito"), project=PROJECT, delegation=made.id)
    revoke(office.caller("vera"), project=PROJECT, delegation=made.id)
    with pytest.raises(NotFound):
        revoke(office.caller("vera"), project=PROJECT, delegation=made.id)
    office.house.gates.approvals.withdraw(
        office.caller("vera"), Withdraw("came back"), model=MODEL, version="1", approval=given.id
    )

    assert not office.is_open(version)
    assert office.standing(version).who_can == ["vera", "vito"]


def test_only_ones_own_role_is_delegated_to_another_person_for_a_while(office: Office) -> None:
    office.delegate("vera", "ben")

    with pytest.raises(NotTheirs):  # what was delegated is not passed on
        office.delegate("ben", "paul")
    with pytest.raises(NotTheirs):
        office.delegate("paul", "ben")  # an approver, not a validator
    with pytest.raises(BadField, match="another person"):
        office.delegate("vera", "vera")
    with pytest.raises(BadField, match="at most 90 days"):
        office.delegate("vera", "ben", days=91)


def test_a_delegation_ends_with_the_givers_own_role(office: Office) -> None:
    office.delegate("vera", "ben")
    office.house.access.revoke_role(office.caller("olga"), project=PROJECT, user="vera")

    with pytest.raises(RoleMissing):
        office.approve(office.version(), "ben")


# --- what voids ---


def test_an_approval_ends_by_its_date(office: Office) -> None:
    office.path("{roles: [validator], expires: 30d}")
    version = office.version()
    office.approve(version, "vera")

    office.clock.wait(29)
    held = office.is_open(version)
    office.clock.wait(2)

    assert held
    assert not office.is_open(version)
    assert office.given(version)[0].void_because == "it expired on 2026-04-01"


def change_path(office: Office) -> None:
    office.path("{roles: [validator], expires: 31d}")


def change_card(office: Office) -> None:
    version = office.house.models.find(MODEL, 1)
    office.describe(version, "ana", "something else")


def change_evidence(office: Office) -> None:
    """The same card again: what it says is as before, and the evidence on it is another."""
    office.house.writer.write(lambda change: change.connection.exec_driver_sql("DELETE FROM gate_evidence"))
    office.evaluate(office.house.models.find(MODEL, 1), "ana")


def change_bundle(office: Office) -> None:
    digest = office.house.blobs.put(BytesIO(b"another bundle"))
    sql = f"UPDATE model_versions SET bundle = '{digest}'"
    office.house.writer.write(lambda change: change.connection.exec_driver_sql(sql))


def change_evaluation(office: Office) -> None:
    other = Evaluation(digest="sha256:" + "0" * 64, rows=3, label="y", prediction="p")
    pinned = msgspec.json.encode(other).decode()
    sql = f"UPDATE model_versions SET evaluation = '{pinned}'"
    office.house.writer.write(lambda change: change.connection.exec_driver_sql(sql))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (change_path, "path"),
        (change_card, "card"),
        (change_evidence, "evidence"),
        (change_bundle, "bundle"),
        (change_evaluation, "evaluation"),
    ],
)
def test_every_digest_that_changes_voids_the_approval(office: Office, change: object, named: str) -> None:
    version = office.version()
    office.approve(version, "vera")
    assert office.is_open(version)

    change(office)  # type: ignore[operator]

    [approval] = office.given(version)
    assert named in approval.void_because.removeprefix("what it was given to has changed since: ").split(", ")
    assert not office.is_open(version)


def test_an_approval_by_a_role_that_was_taken_counts_no_more(office: Office) -> None:
    version = office.version()
    office.approve(version, "vera")
    office.clock.wait(timedelta(hours=1) / timedelta(days=1))

    office.house.access.revoke_role(office.caller("olga"), project=PROJECT, user="vera")

    assert office.given(version)[0].void_because == "vera is no validator any more"


# --- who can, before anybody did ---


def test_who_can_approve_is_told_before_the_work_starts_with_why_each_other_cannot(office: Office) -> None:
    office.path("{roles: {validator: 1, approver: 1}}")
    office.delegate("vito", "ben")
    office.house.access.accounts.change(LOCAL, ChangeUser(is_active=False), user="paul")

    [stage] = office.house.gates.eligibility.of_project(LOCAL, project=PROJECT).stages

    assert (stage.stage, stage.asked, stage.found, stage.is_enough) == ("production", 2, 1, False)
    assert [(each.person, each.roles) for each in stage.people if each.can] == [
        ("ben", ["validator for vito until 2026-03-16"]),
        ("vera", ["validator"]),
        ("vito", ["validator"]),
    ]
    assert {each.person: each.why_not for each in stage.people if not each.can} == {
        "ana": "ana holds none of the roles that it asks for: validator, approver",
        "olga": "olga holds none of the roles that it asks for: validator, approver",
        "paul": "paul was deactivated",
    }


def test_who_can_approve_a_version_leaves_out_its_authors(office: Office) -> None:
    office.grant("ana", "validator")
    version = office.version()
    office.approve(version, "vera")

    found = office.house.gates.eligibility.of_version(LOCAL, model=MODEL, version="1")

    [stage] = found.stages
    assert (stage.asked, stage.found, stage.given) == (1, 1, 1)
    assert next(each.why_not for each in stage.people if each.person == "ana").startswith("ana registered it")
    assert found.is_enough
