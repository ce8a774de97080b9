"""The endpoint's page, by forms alone: no script runs here."""

from __future__ import annotations

from datetime import UTC, datetime

from taxiway.endpoints.rollout.falls import Fall, keep_falls
from taxiway.endpoints.rollout.split import whole
from taxiway.endpoints.steering.sampling import Sampler
from tests.endpoints.rollout.pairs import CAUSE, Pair
from tests.gates.doors import Visitor

PAGE = "/endpoints/mortgage"


def test_the_forms_divide_undo_shadow_and_guard(pair: Pair) -> None:
    visitor = Visitor(pair, "olu")
    fields = {"share-1": "75", "share-2": "25", "sticky": "income", "rules": "x-test=beta:2", "reason": "a quarter"}

    visitor.send(PAGE, f"{PAGE}/traffic", fields)
    divided = visitor.request("GET", PAGE)
    visitor.send(PAGE, f"{PAGE}/traffic/undo", {"to": "2"})
    undone = visitor.request("GET", PAGE)
    refused = visitor.send(PAGE, f"{PAGE}/traffic", {"share-1": "75"})
    visitor.send(PAGE, f"{PAGE}/shadows", {"version": "mortgage@1", "share": "20%"})
    visitor.send(PAGE, f"{PAGE}/guard", {"is_on": "yes", "latency_ms": "200"})

    traffic = pair.olu.endpoints.traffic("mortgage")
    detail = traffic.show()
    assert "revision 1, mortgage v1: 75 % of requests" in divided
    assert "One <code>income</code> always finds the same revision" in divided
    assert "answers every request" in undone
    assert "percentages of revisions that sum to 100" in refused
    assert detail.wanted == whole(2)
    assert [(each.shadow.revision, each.shadow.share) for each in detail.shadows] == [(3, 0.2)]
    assert detail.guard.latency_ms == 200
    assert "has answered no copy yet" in visitor.request("GET", f"{PAGE}/shadows/3")


def test_a_version_is_deployed_to_a_part_of_the_requests(pair: Pair) -> None:
    pair.promoted()

    Visitor(pair, "olu").send(PAGE, f"{PAGE}/deploy", {"version": "mortgage@3", "part": "12.5%"})

    assert pair.olu.endpoints.traffic("mortgage").show().wanted.percent(3) == 12.5


def test_the_page_says_why_a_revision_fell_and_offers_no_way_back_to_it_by_one_click(pair: Pair) -> None:
    (pair.home / "gateway").mkdir(exist_ok=True)
    keep_falls(pair.home, [Fall("mortgage", 2, 2, datetime.now(UTC), whole(1), CAUSE, ["its last words"])])
    Sampler(pair.live.house.endpoints).note_falls()

    page = Visitor(pair, "olu").request("GET", PAGE)

    assert "Revision 2 gave its traffic back" in page
    assert "54 of 60 requests in 10 s, which is at least 75.8 %" in page
    assert "its last words" in page
    assert ">Undo<" not in page
    assert 'aria-label="Go back to split 2"' in page
