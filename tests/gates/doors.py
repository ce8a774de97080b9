"""Every door that could move a version, how to try it with one whose gates are closed, and what is no door, and why."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from urllib.parse import urlencode, urlsplit

from taxiway.client import Client
from taxiway.endpoints import contract as endpoints
from taxiway.endpoints.canary import contract as canaries
from taxiway.endpoints.canary.contract import BeginCanary
from taxiway.endpoints.contract import Deploy, StartEndpoint
from taxiway.endpoints.external import contract as external
from taxiway.endpoints.external.contract import RegisterExternal
from taxiway.endpoints.rollout import contract as rollout
from taxiway.endpoints.rollout.contract import ChangeTraffic, UndoTraffic
from taxiway.endpoints.rollout.split import Share
from taxiway.endpoints.scoring import contract as scoring
from taxiway.endpoints.scoring.contract import AskScoring
from taxiway.kernel.errors import TaxiwayError
from taxiway.models import contract as models
from taxiway.models.contract import PointAlias, Promote
from tests.gates.story import PROJECT, Story

Door = Callable[[Story], str]
Key = tuple[str, str]

VERSION = "/api/models/{model}/versions/{version}"
GATES = "/api/gates/models/{model}/versions/{version}"
MLFLOW = "/mlflow"


def said(act: Callable[[], object]) -> str:
    """The refusal that an act meets: its class and its words."""
    try:
        act()
    except TaxiwayError as refusal:
        return f"{type(refusal).__name__}: {refusal}"
    return "nothing was refused"


def send(story: Story, who: str, method: str, path: str, body: object) -> tuple[int, dict[str, str]]:
    """A request as any program would make it, without the SDK."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {story.live.tokens[who]}"}
    with closing(http.client.HTTPConnection(urlsplit(story.live.url).netloc, timeout=30)) as connection:
        connection.request(method, path, json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


class Visitor:
    """Somebody at the pages, without a browser: a session, and forms with its token."""

    def __init__(self, story: Story, who: str) -> None:
        self.netloc = urlsplit(story.live.url).netloc
        self.cookie = ""
        link = urlsplit(story.live.sign_in_link(who))
        page = self.request("GET", f"{link.path}?{link.query}" if link.query else link.path)
        self.request(
            "POST", link.path, {"form_token": token_in(page), **dict([link.query.split("=")] if link.query else [])}
        )

    def request(self, method: str, path: str, fields: Mapping[str, str] | None = None) -> str:
        headers = {"Cookie": self.cookie} if self.cookie else {}
        headers |= {"Content-Type": "application/x-www-form-urlencoded"} if fields is not None else {}
        with closing(http.client.HTTPConnection(self.netloc, timeout=30)) as connection:
            connection.request(method, path, urlencode(fields) if fields is not None else None, headers)
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    self.cookie = value.partition(";")[0]
            return answer.read().decode()

    def send(self, page: str, form: str, fields: Mapping[str, str]) -> str:
        """What the page says after the form was sent, its tags left out."""
        found = self.request("POST", form, {**fields, "form_token": token_in(self.request("GET", page))})
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", found))


def token_in(page: str) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    return found[1] if found else ""


# --- the doors of the API, by SDK; every other way to them is tried in test_doors ---


def promote(story: Story) -> str:
    return said(lambda: story.ana.transport.call(models.promote, Promote("production"), model="mortgage", version="1"))


def point_alias(story: Story) -> str:
    return said(lambda: story.ana.transport.call(models.point_alias, PointAlias(1), model="mortgage", alias="champion"))


def deploy(story: Story) -> str:
    return said(lambda: otto(story).transport.call(endpoints.deploy, Deploy("mortgage", PROJECT, version="mortgage@1")))


def register_external(story: Story) -> str:
    """What is served elsewhere."""
    body = RegisterExternal("mortgage", PROJECT, version="mortgage@1")
    return said(lambda: otto(story).transport.call(external.register_external, body))


def start(story: Story) -> str:
    """What answered once, was stopped, and lost its place meanwhile."""
    archived(story)
    body = StartEndpoint("it was looked at")
    return said(lambda: otto(story).transport.call(endpoints.start_endpoint, body, endpoint="second"))


def change_traffic(story: Story) -> str:
    """As `start`, by its share."""
    archived(story)
    body = ChangeTraffic([Share(1, 100)])
    return said(lambda: otto(story).transport.call(rollout.change_traffic, body, endpoint="second"))


def undo_traffic(story: Story) -> str:
    """As `start`, by a split that was."""
    archived(story)
    return said(lambda: otto(story).transport.call(rollout.undo_traffic, UndoTraffic(to=1), endpoint="second"))


def with_an_heir(story: Story) -> None:
    """The endpoint `second` is answered by the second version, whose gates are open."""
    story.ready()
    story.vera.gates.approve("mortgage@2", comment="seen")
    story.ana.models.promote("mortgage@2", "production")
    otto(story).endpoints.deploy("second", "mortgage@2", wait=False)


def begin_canary(story: Story) -> str:
    """A share of an endpoint that another version answers at."""
    with_an_heir(story)
    body = BeginCanary("mortgage@1", share=0.1, metric="log_loss", non_inferiority=0.01, cluster="day", min_clusters=14)
    told = said(lambda: otto(story).transport.call(canaries.begin_canary, body, endpoint="second"))
    assert [each.number for each in otto(story).endpoints.show("second").revisions] == [1]
    otto(story).endpoints.stop("second", reason="it was tried")
    return told


def score(story: Story) -> str:
    where = {"model": "mortgage", "version": "1"}
    return said(lambda: otto(story).transport.call(scoring.ask_scoring, AskScoring(), **where))


def break_glass(story: Story) -> str:
    return said(lambda: otto(story).gates.waivers.break_glass("mortgage@1", reason="hurry"))


def otto(story: Story) -> Client:
    return story.live.as_person("otto", "operator", project=PROJECT)


def archived(story: Story) -> None:
    """Version 2 answered at the endpoint `second`, which was stopped, and is archived."""
    story.ready()
    story.vera.gates.approve("mortgage@2", comment="seen")
    story.ana.models.promote("mortgage@2", "production")
    otto(story).endpoints.deploy("second", "mortgage@2", wait=False)
    otto(story).endpoints.traffic("second").split({1: 100}, sticky="customer")
    otto(story).endpoints.stop("second", reason="odd answers")
    otto(story).models.promote("mortgage@2", "archived")


DOORS: dict[Key, Door] = {
    ("POST", f"{VERSION}/stage"): promote,
    ("PUT", "/api/models/{model}/aliases/{alias}"): point_alias,
    ("POST", "/api/endpoints"): deploy,
    ("POST", "/api/endpoints/external"): register_external,
    ("POST", "/api/endpoints/{endpoint}/start"): start,
    ("PUT", "/api/endpoints/{endpoint}/traffic"): change_traffic,
    ("POST", "/api/endpoints/{endpoint}/traffic/undo"): undo_traffic,
    ("POST", "/api/gates/models/{model}/versions/{version}/break-glass"): break_glass,
    ("POST", "/api/endpoints/{endpoint}/canary"): begin_canary,
    ("POST", f"{VERSION}/scorings"): score,
}
NO_DOORS: dict[Key, str] = {
    ("POST", "/api/models"): "a version is registered in no stage",
    ("POST", "/api/models/names"): "a name without a version",
    ("PATCH", "/api/models/{model}"): "what answers cannot be renamed, and a name moves nothing",
    ("DELETE", "/api/models/{model}"): "takes away",
    ("POST", "/api/models/{model}/versions"): "a version is registered in no stage",
    ("PATCH", VERSION): "words and tags",
    ("DELETE", VERSION): "takes away",
    ("PUT", f"{VERSION}/evaluation"): "what a version is judged by; it voids what was judged before",
    ("POST", f"{VERSION}/bundle"): "files of a version that has none; it stands in no stage it needs them for",
    ("POST", f"{VERSION}/scorings/told"): "what was scored, which was asked before",
    ("POST", f"{VERSION}/image"): "a signed statement on an image that was made elsewhere; the gates do not ask it",
    ("PUT", f"{VERSION}/card"): "words on the card; approvals of the card before are void",
    ("DELETE", "/api/models/{model}/aliases/{alias}"): "takes away",
    ("POST", "/api/endpoints/{endpoint}/stop"): "takes traffic away",
    ("PUT", "/api/endpoints/{endpoint}/fallback"): "a static answer, of no version",
    ("POST", "/api/endpoints/{endpoint}/shadows"): "no caller hears of a shadow; it asks the gates of the stage before",
    ("DELETE", "/api/endpoints/{endpoint}/shadows/{number:int}"): "takes away",
    ("DELETE", "/api/endpoints/{endpoint}/canary"): "the version before answers all again",
    ("PUT", "/api/endpoints/{endpoint}/guard"): "when what answers goes back to what did before",
    ("POST", "/api/endpoints/{endpoint}/labels"): "the truth about predictions",
    ("POST", "/api/endpoints/{endpoint}/feed"): "what was answered elsewhere already",
    ("PUT", "/api/endpoints/{endpoint}/log/policy"): "what is kept of requests, and how long",
    ("POST", "/api/endpoints/{endpoint}/log/erase"): "takes away what is kept of a person",
    ("POST", "/api/endpoints/{endpoint}/monitors"): "watches what answers",
    ("POST", "/endpoints/{endpoint}/invocations"): "asks what answers already",
    ("POST", f"{GATES}/evaluations"): "what checks say; a gate is what they open",
    ("POST", f"{GATES}/requests"): "asks people",
    ("POST", f"{GATES}/approvals"): "opens a gate by its own rules, and moves nothing",
    ("POST", f"{GATES}/approvals/{{approval}}/withdrawal"): "closes a gate",
    ("POST", f"{GATES}/waivers"): "asks a second person",
    ("POST", f"{GATES}/waivers/{{waiver}}/grant"): "stands in for a gate by its own rules, and moves nothing",
    ("POST", f"{GATES}/waivers/{{waiver}}/revocation"): "closes a gate",
    ("POST", f"{GATES}/conditional-approvals"): "stands in for a gate by its own rules, and moves nothing",
    ("POST", f"{GATES}/answers/{{questionnaire}}"): "what a gate asks for; it voids what was judged before",
    ("POST", f"{GATES}/reviews"): "a review of what is in use; it closes or leaves open",
    ("POST", "/api/gates/findings"): "closes a gate",
    ("PATCH", "/api/gates/findings/{finding}"): "of a finding that a second person closes",
    ("POST", "/api/gates/findings/{finding}/state"): "opens a gate by a second person, and moves nothing",
    ("POST", "/api/gates/plan"): "writes nothing",
    ("POST", "/api/gates/verifications"): "writes nothing",
    ("POST", "/api/gates/proposals"): "asks a second person",
    ("POST", "/api/gates/proposals/{proposal}/acceptance"): "the rules themselves, by two people",
    ("POST", "/api/gates/proposals/{proposal}/rejection"): "changes nothing",
    ("POST", "/api/gates/proposals/{proposal}/withdrawal"): "changes nothing",
    ("POST", "/api/gates/questionnaires"): "what people are asked from now on",
    ("POST", "/api/gates/paths"): "the rules themselves, where nobody follows them yet",
    ("POST", "/api/projects"): "a project without versions",
    ("PATCH", "/api/projects/{project}"): "which rules hold, lighter ones by two people",
    ("PUT", "/api/imports/{source}"): "begins, and takes nothing",
    ("POST", "/api/imports/{source}/stamps"): "what was taken whole",
    ("POST", "/api/imports/{source}/experiments"): "no versions",
    ("POST", "/api/imports/{source}/runs"): "no versions",
    ("POST", "/api/imports/{source}/files"): "files, of versions in no stage",
    ("POST", "/api/imports/{source}/traces"): "no versions",
    ("POST", "/api/imports/{source}/logged"): "logged models, which are in no stage",
    (
        "POST",
        "/api/imports/{source}/models",
    ): "versions in no stage; aliases go through the gates, the rest is told as left",
}

# Nouns none of whose services holds models or endpoints, so that nothing of theirs could move a version.
FAR = {
    "access": "people, roles and tokens",
    "audit": "reads",
    "blobs": "bytes",
    "datasets": "tables",
    "discussions": "words",
    "evidence": "signatures and their keys",
    "hooks": "tells others",
    "monitors": "watches",
    "notices": "what people have read",
    "runs": "runs, their points and files",
    "stores": "places of files",
}

# The functions that move a version, an alias or what an endpoint answers with, and the one file that may call each.
MOVING = {
    r"\bstore\.move\(": "models/moving/movements.py",
    r"\bstore\.put_alias\(": "models/moving/movements.py",
    r"\bstore\.add_revision\(|\bself\._activate\(": "endpoints/service.py",
    r"\bself\._divide_anew\(": "endpoints/rollout/service.py",
}


# --- the doors of MLflow's dialect ---


def mlflow(path: str, **body: object) -> Door:
    def act(story: Story) -> str:
        _, found = send(story, "ana", "POST", f"/api/2.0{MLFLOW}{path}", {"name": "mortgage", "version": "1", **body})
        return f"{found.get('error_code')}: {found.get('message')}"

    return act


MLFLOW_DOORS: dict[Key, tuple[Door, ...]] = {
    ("POST", f"{MLFLOW}/model-versions/transition-stage"): (
        mlflow("/model-versions/transition-stage", stage="Production"),
        mlflow("/model-versions/transition-stage", stage="production", archive_existing_versions=False),
    ),
    ("POST", f"{MLFLOW}/registered-models/alias"): (
        mlflow("/registered-models/alias", alias="champion"),
        mlflow("/registered-models/alias", alias="production"),
    ),
}
MLFLOW_NO_DOORS: dict[Key, str] = {
    ("POST", f"{MLFLOW}/registered-models/create"): "a name without a version",
    ("POST", f"{MLFLOW}/registered-models/rename"): "what answers cannot be renamed",
    ("PATCH", f"{MLFLOW}/registered-models/update"): "words",
    ("DELETE", f"{MLFLOW}/registered-models/delete"): "takes away",
    ("POST", f"{MLFLOW}/registered-models/get-latest-versions"): "reads",
    ("POST", f"{MLFLOW}/registered-models/set-tag"): "a tag",
    ("DELETE", f"{MLFLOW}/registered-models/delete-tag"): "a tag",
    ("DELETE", f"{MLFLOW}/registered-models/alias"): "takes away",
    ("POST", f"{MLFLOW}/model-versions/create"): "a version is registered in no stage",
    ("PATCH", f"{MLFLOW}/model-versions/update"): "words",
    ("DELETE", f"{MLFLOW}/model-versions/delete"): "takes away",
    ("POST", f"{MLFLOW}/model-versions/set-tag"): "a tag",
    ("DELETE", f"{MLFLOW}/model-versions/delete-tag"): "a tag",
}


# --- the buttons of pages ---


def stage_form(story: Story) -> str:
    page = "/models/mortgage/versions/1"
    return Visitor(story, "ana").send(page, f"{page}/stage", {"stage": "production", "reason": "now"})


def alias_form(story: Story) -> str:
    fields = {"alias": "champion", "version": "1"}
    return Visitor(story, "ana").send("/models/mortgage", "/models/mortgage/aliases", fields)


def new_endpoint_form(story: Story) -> str:
    otto(story)
    fields = {"endpoint": "mortgage", "project": PROJECT, "version": "mortgage@1"}
    return Visitor(story, "otto").send("/endpoints/new", "/endpoints/new", fields)


def deploy_form(story: Story) -> str:
    archived(story)
    fields = {"version": "mortgage@1"}
    return Visitor(story, "otto").send("/endpoints/second", "/endpoints/second/deploy", fields)


def start_form(story: Story) -> str:
    archived(story)
    fields = {"reason": "it was looked at"}
    return Visitor(story, "otto").send("/endpoints/second", "/endpoints/second/start", fields)


def traffic_form(story: Story) -> str:
    archived(story)
    return Visitor(story, "otto").send("/endpoints/second", "/endpoints/second/traffic", {"share-1": "100"})


def undo_form(story: Story) -> str:
    archived(story)
    return Visitor(story, "otto").send("/endpoints/second", "/endpoints/second/traffic/undo", {"to": "1"})


def canary_form(story: Story) -> str:
    with_an_heir(story)
    fields = {"version": "mortgage@1", "share": "10%", "metric": "log_loss", "margin": "0.01"}
    fields |= {"cluster": "day", "clusters": "14", "reason": "it is tried"}
    told = Visitor(story, "otto").send("/endpoints/second", "/endpoints/second/canary", fields)
    otto(story).endpoints.stop("second", reason="it was tried")
    return told


FORMS: dict[str, Door] = {
    "/models/{model}/versions/{version}/stage": stage_form,
    "/models/{model}/aliases": alias_form,
    "/endpoints/new": new_endpoint_form,
    "/endpoints/{endpoint}/deploy": deploy_form,
    "/endpoints/{endpoint}/start": start_form,
    "/endpoints/{endpoint}/traffic": traffic_form,
    "/endpoints/{endpoint}/traffic/undo": undo_form,
    "/endpoints/{endpoint}/canary": canary_form,
}
NO_FORMS: dict[str, str] = {
    "/models/{model}/aliases/drop": "takes away",
    "/models/{model}/about": "words",
    "/models/{model}/name": "what answers cannot be renamed, and a name moves nothing",
    "/models/{model}/deletion": "takes away",
    "/models/{model}/versions/{version}/about": "words",
    "/models/{model}/versions/{version}/bundle": "files of a version that has none",
    "/models/{model}/versions/{version}/deletion": "takes away",
    "/models/{model}/versions/{version}/verification": "reads every byte",
    "/models/{model}/versions/{version}/card": "words on the card",
    "/endpoints/{endpoint}/try": "asks what answers already",
    "/endpoints/{endpoint}/try/pieces": "asks what answers already",
    "/endpoints/{endpoint}/stop": "takes traffic away",
    "/endpoints/{endpoint}/fallback": "a static answer, of no version",
    "/endpoints/{endpoint}/shadows": "no caller hears of a shadow; it asks the gates of the stage before",
    "/endpoints/{endpoint}/shadows/remove": "takes away",
    "/endpoints/{endpoint}/log/policy": "what is kept of requests, and how long",
    "/endpoints/{endpoint}/canary/end": "the version before answers all again",
    "/endpoints/{endpoint}/guard": "when what answers goes back to what did before",
    "/endpoints/{endpoint}/invocations": "asks what answers already",
    "/endpoints/{name}/async-invocations": "asks what answers already",
    "/endpoints/{name}/invocations-response-stream": "asks what answers already",
}
