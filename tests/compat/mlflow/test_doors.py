"""Every call of the dialect, walked without a credential, with a wrong one, with a stranger's and with a viewer's.

The calls are read from the running application: one that is added tomorrow is walked too.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import pytest
from msgspec import inspect

from taxiway.compat.mlflow.call import Call
from taxiway.compat.mlflow.door import NEW, Dialect
from taxiway.house import build
from tests.compat.mlflow.conftest import Told
from tests.support.live import Live, running
from tests.web.browse import Visitor

OPEN = {"/version", "/mlflow/server-info"}
BY_SECRET = "/mlflow-artifacts/mpu/parts/{upload_id}/{part_number}"  # each upload has one of its own, sent in a header
BY_HEADER = "/v1/traces"  # says its experiment in a header
PARAMETER = re.compile(r"{([\w.]+)(?::path)?}")
READS = ("runs.read", "models.read", "traces.read")
DENIED = ("PERMISSION_DENIED", "RESOURCE_DOES_NOT_EXIST")


class Walk(NamedTuple):
    """A server with login, and what anna's project holds there."""

    live: Live
    dialect: Dialect
    run: str
    experiment: str
    name: str = "fraud/base"
    model: str = "scores"
    logged: str = "m-" + "0" * 32

    @property
    def closed(self) -> list[Call[Any, Any]]:
        return [call for call in self.dialect.calls if call.path not in (*OPEN, BY_SECRET)]

    def ask(self, call: Call[Any, Any], body: dict[str, Any]) -> Any:
        """What a call of ana's is told."""
        headers = {"Content-Type": "application/json", "Authorization": bearer(self, "ana")}
        answer = Visitor(self.live.url).ask("POST", call.paths[0], body=msgspec.json.encode(body), headers=headers)
        assert answer.status == 200, answer.text
        return msgspec.json.decode(answer.text)

    def plain(self, told: Told) -> Told:
        """An answer without the names that were asked with."""
        text = msgspec.json.encode(told.body).decode()
        for name in (self.run, self.name, self.model, self.logged):
            text = text.replace(name, "NAME")
        text = re.sub(rf"\b({self.experiment}|1)\b", "NAME", text)  # what is asked for without a name of its own is 1
        return Told(told.status, msgspec.json.decode(text))

    def knock(self, call: Call[Any, Any], authorization: str = "", path: str = "") -> Told:
        """The call with the least that it may carry: of anna's, where it is about a run or an experiment."""
        values = {
            "run_id": self.run, "run_uuid": self.run, "run_ids": [self.run], "experiment_id": self.experiment,
            "experiment_ids": [self.experiment], "experiment_name": self.name, "model_id": self.logged,
            "path": f"{self.experiment}/{self.run}/artifacts/x",
        }  # fmt: skip
        if call.about == "model":
            values["name"] = self.model
        given = least_of(call.ask, values)
        address = PARAMETER.sub(lambda found: str(values.get(found[1], "1")), path or call.paths[0])
        headers = {"Accept": "*/*"} | ({"Authorization": authorization} if authorization else {})
        body = None
        if call.has_json:
            headers["Content-Type"] = "application/json"
            body = msgspec.json.encode(given)
        else:
            pairs = [(k, one) for k, v in given.items() for one in (v if isinstance(v, list) else [v])]
            address += "?" + "&".join(f"{name}={value}" for name, value in pairs)
            body = b"x" if call.body == "raw" else None
        answer = Visitor(self.live.url).ask(call.method, address, body=body, headers=headers)
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return Told(answer.status, msgspec.json.decode(answer.text) if is_json else answer.text)


def least_of(kind: type, values: dict[str, Any]) -> dict[str, Any]:
    """The required fields of a request, and those that say what it is about."""
    said = inspect.type_info(kind)
    if not isinstance(said, inspect.StructType):
        return {}
    return {
        field.encode_name: values.get(field.encode_name, least(field.type, values))
        for field in said.fields
        if field.required or field.encode_name in values
    }


def least(kind: inspect.Type, values: dict[str, Any]) -> Any:
    found: Any = "1"
    match kind:
        case inspect.StructType(cls=cls):
            found = least_of(cls, values)
        case inspect.ListType(item_type=item):
            found = [least(item, values)]
        case inspect.LiteralType(values=words):
            found = words[0]
        case inspect.UnionType(types=types):
            found = least(next(one for one in types if not isinstance(one, inspect.NoneType)), values)
        case inspect.IntType() | inspect.FloatType():
            found = 1
        case inspect.BoolType():
            found = True
        case inspect.DictType():
            found = {}
    return found


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with running(tmp_path_factory.mktemp("doors") / "home") as live:
        ana = live.as_person("ana")
        ana.projects.create("fraud")
        with ana.runs.start(project="fraud", experiment="base") as run:
            run.log(auc=0.5)
        app = build(live.house)
        found = live.house.experiments.named("fraud", "base")
        assert found is not None
        live.as_person("eve")
        live.as_person("vic", "viewer", project="fraud")
        walk = Walk(live, app.state.dialects[0], run.id, str(found.number))
        made = {call.path: call for call in walk.closed if call.method == "POST"}
        logged = walk.ask(made["/mlflow/logged-models"], {"experiment_id": walk.experiment, "name": "made"})
        walk.ask(made["/mlflow/registered-models/create"], {"name": walk.model})
        yield walk._replace(logged=logged["model"]["info"]["model_id"])


def bearer(walk: Walk, name: str) -> str:
    return f"Bearer {walk.live.client.access.make_token(name).token}"


def test_without_a_credential_every_call_is_refused_at_each_of_its_addresses(walk: Walk) -> None:
    told = {(call.method, path): walk.knock(call, path=path) for call in walk.closed for path in call.paths}

    assert len(told) > 60
    assert {door: t for door, t in told.items() if (t.status, t.code) != (401, "UNAUTHENTICATED")} == {}


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer tw_token_wrong",
        "Basic " + base64.b64encode(b"ana:tw_token_wrong").decode(),
        "Basic x",
        "Digest a=b",
        "x",
    ],
)
def test_a_wrong_credential_is_refused_not_ignored(walk: Walk, authorization: str) -> None:
    told = {call.path: walk.knock(call, authorization) for call in walk.closed}

    # So many guesses one after the other are told to wait.
    refused = ((401, "UNAUTHENTICATED"), (429, "REQUEST_LIMIT_EXCEEDED"))
    assert {door: t for door, t in told.items() if (t.status, t.code) not in refused} == {}


def test_a_stranger_finds_and_changes_nothing_of_the_project(walk: Walk) -> None:
    token = bearer(walk, "eve")
    before = walk.live.client.audit.entries(limit=1000).items

    told = {(call.method, call.path): (call, walk.knock(call, token)) for call in walk.closed}

    of_projects = {door: t for door, (call, t) in told.items() if call.about not in ("platform", "open")}
    assert {door: t for door, t in of_projects.items() if t.code not in (*DENIED, "INVALID_PARAMETER_VALUE")} == {}
    lists = {door: t for door, (call, t) in told.items() if call.about == "platform"}
    assert [door for door, t in lists.items() if walk.run in str(t.body) or t.status in (500, 503)] == []
    after = walk.live.client.audit.entries(limit=1000).items
    assert [e.verb for e in after if e not in before and not e.verb.endswith(".refused") and e.actor == "eve"] == []


def test_what_a_stranger_may_not_read_is_told_of_as_what_is_not_there(walk: Walk) -> None:
    token = bearer(walk, "eve")
    absent = walk._replace(run="0" * 32, experiment="999999", name="fraud/none", model="none", logged="m-" + "1" * 32)
    of_projects = [call for call in walk.closed if call.about not in ("platform", "open", *NEW)]

    there = {(call.method, call.path): walk.plain(walk.knock(call, token)) for call in of_projects}
    not_there = {(call.method, call.path): absent.plain(absent.knock(call, token)) for call in of_projects}

    assert {door: (told, not_there[door]) for door, told in there.items() if told != not_there[door]} == {}
    found = {told.code for told in there.values()}
    assert "PERMISSION_DENIED" not in found
    assert [told.code for told in there.values()].count("RESOURCE_DOES_NOT_EXIST") > 30


def test_a_viewer_reads_and_changes_nothing(walk: Walk) -> None:
    token = bearer(walk, "vic")
    known = [call for call in walk.closed if call.about in ("run", "runs", "experiment") and call.path != BY_HEADER]
    writing = [call for call in known if call.needs not in READS]

    told = {(call.method, call.path): walk.knock(call, token) for call in writing}

    assert len(told) > 15
    assert {door: t for door, t in told.items() if (t.status, t.code) != (403, "PERMISSION_DENIED")} == {}
    reading = [call for call in walk.closed if call.path in ("/mlflow/runs/get", "/mlflow/experiments/get")]
    assert [walk.knock(call, token).status for call in reading] == [200, 200]


def test_what_a_stranger_sends_is_not_read_where_it_makes_no_difference(walk: Walk) -> None:
    told = {}
    headers = {"Content-Type": "application/json", "Authorization": bearer(walk, "eve")}
    for call in walk.closed:
        if call.needs == "hooks.write" and call.has_json:
            address = call.paths[0].replace("{webhook_id}", "1")
            answer = Visitor(walk.live.url).ask(call.method, address, body=b"{ no JSON", headers=headers)
            told[call.method, address] = answer.status

    assert ("POST", "/api/2.0/mlflow/webhooks") in told
    assert {door: status for door, status in told.items() if status != 403} == {}


def test_a_refused_experiment_names_the_project_that_it_would_be_in(walk: Walk) -> None:
    create = next(call for call in walk.closed if call.path == "/mlflow/experiments/create")
    walk.live.client.access.grant("vic", "viewer", project="default")

    told = {}
    for name in ("fraud/new", "new", "hers/new"):
        headers = {"Content-Type": "application/json", "Authorization": bearer(walk, "vic")}
        body = msgspec.json.encode({"name": name})
        answer = Visitor(walk.live.url).ask("POST", create.paths[0], body=body, headers=headers)
        told[name] = (answer.status, "the project fraud" in answer.text)

    assert told == {"fraud/new": (403, True), "new": (403, False), "hers/new": (403, False)}


def test_a_token_may_be_the_password_of_a_basic_login(walk: Walk) -> None:
    token = walk.live.client.access.make_token("vic").token
    call = next(call for call in walk.closed if call.path == "/mlflow/runs/get")

    for pair in (f"vic:{token}", f"token:{token}", f":{token}"):
        told = walk.knock(call, "Basic " + base64.b64encode(pair.encode()).decode())
        assert told.status == 200


def test_every_call_says_what_it_needs_and_what_it_is_about(walk: Walk) -> None:
    words = {call.about for call in walk.dialect.calls}

    assert words <= {*walk.dialect.projects_of, "platform", "open"}
    assert {call.path for call in walk.dialect.calls if call.about == "open"} == {*OPEN, BY_SECRET}
