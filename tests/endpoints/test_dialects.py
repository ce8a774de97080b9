"""The port of protocols: addresses found, calls shared out, and a stranger's dialect served like our own."""

from __future__ import annotations

import pytest

from taxiway.endpoints.gateway.addresses import Addresses
from taxiway.endpoints.gateway.dialects import Address, Answer, Call, Given, Shown
from taxiway.endpoints.gateway.own_form import OwnForm
from taxiway.endpoints.gateway.requests import Asked
from taxiway.kernel.errors import TaxiwayError

POST_INFER = Address("POST", "/v2/models/{name}/versions/{version}/infer", "predict")
PREDICT = Address("POST", "/v1/models/{name}:predict", "predict")
MODEL = Address("GET", "/v1/models/{name}", "endpoint")


class Stranger:
    """A dialect of two protocols' addresses that does nothing with them."""

    addresses = (POST_INFER, PREDICT, MODEL, Address("POST", "/endpoints/{name}/invocations", "predict"))

    def claims(self, call: Call) -> bool:
        return call.body == b"mine"

    def read(self, call: Call) -> Asked:
        return Asked([call.body])

    def write(self, call: Call, given: Given) -> Answer:
        return Answer(200, given.outputs[0])

    def tell(self, call: Call, shown: Shown) -> Answer:
        return Answer(200, call.name.encode())

    def refuse(self, call: Call, refusal: TaxiwayError) -> Answer:
        return Answer(refusal.status, b"no")


@pytest.fixture
def addresses() -> Addresses:
    return Addresses(OwnForm(), [Stranger()])


@pytest.mark.parametrize(
    ("path", "held", "address"),
    [
        ("/v2/models/adder/versions/3/infer", {"name": "adder", "version": "3"}, POST_INFER),
        ("/v1/models/adder:predict", {"name": "adder"}, PREDICT),
        ("/v1/models/adder", {"name": "adder"}, MODEL),
    ],
)
def test_placeholders_hold_a_segment_or_what_stands_before_its_verb(
    addresses: Addresses, path: str, held: dict[str, str], address: Address
) -> None:
    spot, found, is_whole = addresses.find(path)

    assert (found, is_whole) == (held, True)
    assert [pair[1] for pair in spot.here[address.method]] == [address]


@pytest.mark.parametrize("path", ["/v2/models/adder/versions/3", "/v2", "/v2/models/adder/other", "/v1/models/a/b"])
def test_a_path_that_leads_nowhere_is_refused_by_whose_branch_it_is(addresses: Addresses, path: str) -> None:
    spot, _, is_whole = addresses.find(path)

    assert not is_whole
    assert isinstance(spot.owner, Stranger)


@pytest.mark.parametrize("path", ["/", "", "/nothing", "/nothing/else"])
def test_what_nobody_knows_is_refused_in_our_own_form(addresses: Addresses, path: str) -> None:
    spot, _, is_whole = addresses.find(path)

    assert not is_whole
    assert isinstance(spot.owner, OwnForm)


def test_our_own_form_is_asked_last_at_an_address_that_is_shared(addresses: Addresses) -> None:
    spot, _, _ = addresses.find("/endpoints/adder/invocations")

    assert [type(dialect) for dialect, _ in spot.here["POST"]] == [Stranger, OwnForm]
