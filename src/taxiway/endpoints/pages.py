"""The pages of endpoints: the list, one endpoint with its try-it form, a new one, and the trace of a prediction."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from starlette.types import ASGIApp

from taxiway.endpoints.canary.pages import CanaryPages
from taxiway.endpoints.commands import parse_answer
from taxiway.endpoints.contract import (
    Answer,
    AskTrace,
    DeclareFallback,
    Deploy,
    EndpointDetail,
    EndpointRecord,
    ListEndpoints,
    PredictionTrace,
    Revision,
    StartEndpoint,
    StopEndpoint,
)
from taxiway.endpoints.inferences.labelling import Labels
from taxiway.endpoints.inferences.logs import pages as log_pages
from taxiway.endpoints.inferences.logs.asking import Asking
from taxiway.endpoints.inferences.logs.service import Logs
from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.endpoints.panels import STATE_VERDICTS, Panels
from taxiway.endpoints.rollout import pages as rollout_pages
from taxiway.endpoints.rollout.commands import parse_share
from taxiway.endpoints.rollout.pages import TrafficPages
from taxiway.endpoints.service import Endpoints
from taxiway.endpoints.showing import trying
from taxiway.endpoints.showing.snippets import snippets
from taxiway.endpoints.showing.told import steps
from taxiway.endpoints.showing.tracing import Tracer
from taxiway.endpoints.showing.traffic import SPANS, draw_errors, draw_latency, draw_requests, gather
from taxiway.endpoints.steering.asking import ask, in_pieces
from taxiway.endpoints.steering.forwarding import Forwarder
from taxiway.endpoints.stopping import Stopping
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField
from taxiway.models.contract import ModelVersion
from taxiway.projects.portfolio import Portfolio
from taxiway.web.site import Found, Html, Redirect, Site, View
from taxiway.web.words import listed, plural

REVISION_VERDICTS = {
    **STATE_VERDICTS,
    "live": "pass",
    "retired": "missing",
    "shadow": "missing",
    "warm": "missing",
    "fallen": "fail",
}


class EndpointPages:
    def __init__(self, site: Site, endpoints: Endpoints, labels: Labels, tracer: Tracer) -> None:
        self.site = site
        self.endpoints = endpoints
        self.labels = labels
        self.tracer = tracer
        self.access = endpoints.below.access
        self.stopping = Stopping(endpoints)
        self.traffic = TrafficPages(endpoints, self.show)
        self.canaries = CanaryPages(site, endpoints)
        self.forwarder = Forwarder(endpoints.home, login=False, token=lambda: endpoints.publisher.token)

    # --- the list ---

    def all(self, view: View) -> Html:
        project = view.one("project")
        found = self.endpoints.list(view.caller, ListEndpoints(project=project)).items
        values = {
            "title": "Endpoints",
            "rows": found,
            "verdicts": STATE_VERDICTS,
            "within": project,
            "answer": answer_for_all(found),
            "url": view.url,
        }
        return Html("endpoints/all.html", "endpoints", values)

    def find(self, caller: Caller, text: str, most: int) -> list[Found]:
        """Endpoints whose name, model or project holds the text."""
        wanted = text.lower()
        found = self.endpoints.list(caller, ListEndpoints()).items
        fitting = [e for e in found if wanted in f"{e.name} {e.model} {e.project}".lower()]
        return [Found(e.name, f"/endpoints/{e.name}", f"{e.state}, {e.model} v{e.version}") for e in fitting[:most]]

    # --- one endpoint ---

    def show(self, view: View) -> Html:
        return self._page(view, None)

    def _page(self, view: View, answer: Answer | None) -> Html:
        name = view.path["endpoint"]
        detail = self.endpoints.show(view.caller, endpoint=name)
        record = detail.endpoint
        span = next((each for each in SPANS if each.name == view.one("span")), SPANS[0])
        now = self.endpoints.publisher.writer.clock()
        minutes = self.endpoints.minutes(name, span.back)
        asked = gather(minutes, span, now)
        has_traffic = asked.total or sum(asked.errors)
        may = {verb: self.access.is_allowed(view.caller, f"endpoints.{verb}", record.project) for verb in VERBS}
        example = detail.example[0] if detail.example else {}
        live = answering(detail)
        values = {
            "title": name,
            "project": record.project,
            "detail": detail,
            "endpoint": record,
            "answer": answer_for_one(record, live),
            "verdicts": REVISION_VERDICTS,
            "live": live,
            "since": since(record, live) if live else None,
            "figures": [draw_requests(asked), draw_latency(asked, detail.revisions), draw_errors(asked)]
            if has_traffic
            else [],
            "spans": [(each.name, f"/endpoints/{name}?span={quote(each.name)}", each == span) for each in SPANS],
            "groups": trying.groups(detail.signature, example, view.sent),
            "answered": answer,
            "labels": self.labels.count(name),
            "versions": own_first(self._versions(record.project, record.serves), record.model),
            "may": may,
            "who_can": [] if may["invoke"] else self.access.who_can(view.caller, "endpoints.invoke", record.project),
            "snippets": snippets(detail, example),
            "canary": self.canaries.panel(view, record),
            "panels": self.site.drawn("endpoints/endpoint", view, record.ref),
            "sent": view.sent,
            **self.traffic.values(view, name, detail.revisions),
        }
        return Html("endpoints/endpoint.html", "endpoints", values)

    def _versions(self, project: str, serves: str) -> list[ModelVersion]:
        """What may be deployed: the project's versions in the stage."""
        return [each for each in self.endpoints.below.models.in_project(project) if each.stage == serves]

    def try_it(self, view: View, fields: dict[str, str]) -> Html:
        """Predicts what the form says, and shows the answer on the page this once."""
        name = view.path["endpoint"]
        return self._page(view, ask(self.endpoints.publisher, name, self._row(name, fields)))

    def try_in_pieces(self, view: View, fields: dict[str, str]) -> ASGIApp:
        """The same in pieces, as they are made, to the page's script."""
        name = view.path["endpoint"]
        return in_pieces(self.forwarder, name, self._row(name, fields))

    def _row(self, name: str, fields: dict[str, str]) -> dict[str, object]:
        record = self.endpoints.find(name)
        version = self.endpoints.below.models.recall(record.model, record.version)
        return trying.row_of(version.signature, fields)

    def stop(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["endpoint"]
        self.stopping.stop(view.caller, StopEndpoint(reason=fields.get("reason", "")), endpoint=name)
        return Redirect(f"/endpoints/{name}")

    def start(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["endpoint"]
        self.stopping.start(view.caller, StartEndpoint(reason=fields.get("reason", "")), endpoint=name)
        return Redirect(f"/endpoints/{name}")

    def declare_fallback(self, view: View, fields: dict[str, str]) -> Redirect:
        """What each row is answered with while it is stopped; an empty field takes it away."""
        name, text = view.path["endpoint"], fields.get("answer", "").strip()
        body = DeclareFallback(parse_answer(text or None))
        self.stopping.declare_fallback(view.caller, body, endpoint=name)
        return Redirect(f"/endpoints/{name}#fallback")

    def deploy(self, view: View, fields: dict[str, str]) -> Redirect:
        """A version, or an earlier revision, takes over this endpoint."""
        name = view.path["endpoint"]
        number = fields.get("revision", "")
        body = Deploy(
            endpoint=name,
            project=self.endpoints.project_of(name),
            version=fields.get("version", ""),
            revision=int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None,
            note=fields.get("note", ""),
            percent=100 * parse_share(fields["part"].strip()) if fields.get("part", "").strip() else None,
        )
        self.endpoints.deploy(view.caller, body)
        return Redirect(f"/endpoints/{name}#revisions")

    # --- a new one ---

    def new(self, view: View) -> Html:
        """The form for a first deployment, within one project; without one, the projects to choose from."""
        project = view.sent.get("project") or view.one("project")
        visible = self.access.visible(view.caller)
        is_seen = project and (visible is None or project in visible)
        versions = self._versions(project, "production") if is_seen else []
        values = {
            "title": "Deploy to a new endpoint",
            "project": project,
            "versions": versions,
            "chosen": view.sent.get("version") or view.one("version"),
            "name": view.sent.get("endpoint", ""),
            "sent": view.sent,
            "policy": LogPolicy(),
        }
        return Html("endpoints/new.html", "endpoints", values)

    def create(self, view: View, fields: dict[str, str]) -> Redirect:
        name = fields.get("endpoint", "").strip()
        version = fields.get("version", "")
        if not version:
            raise BadField(field="version", value="''", expected="a version that stands in production")
        policy = log_pages.policy_of(fields, LogPolicy())
        body = Deploy(
            endpoint=name,
            project=fields.get("project", ""),
            version=version,
            note=fields.get("note", ""),
            log=policy if policy != LogPolicy() else None,
        )
        self.endpoints.deploy(view.caller, body)
        return Redirect(f"/endpoints/{name}")

    # --- a prediction ---

    def trace(self, view: View) -> Html:
        row = view.one("row")
        number = int(row) if row.isascii() and row.isdigit() and len(row) < 10 else None
        trace = self.tracer.trace(view.caller, AskTrace(row=number), prediction=view.path["prediction"])
        values = {
            "title": f"Trace of {trace.prediction_id[:10]}",
            "project": trace.project,
            "trace": trace,
            "row": number,
            "answer": answer_for_trace(trace),
            "steps": steps(trace),
        }
        return Html("endpoints/trace.html", "endpoints", values)


VERBS = ("invoke", "deploy", "stop")


def add(site: Site, endpoints: Endpoints, labels: Labels, tracer: Tracer, portfolio: Portfolio) -> None:
    pages = EndpointPages(site, endpoints, labels, tracer)
    site.page("/endpoints", pages.all, needs="endpoints.read", scope="platform")
    site.page("/endpoints/new", pages.new, needs="endpoints.read", scope="platform")
    site.form("/endpoints/new", pages.create, page=pages.new, needs="endpoints.deploy")
    site.page("/endpoints/predictions/{prediction}", pages.trace, needs="endpoints.read")
    site.page("/endpoints/{endpoint}", pages.show, needs="endpoints.read")
    site.form("/endpoints/{endpoint}/try", pages.try_it, page=pages.show, needs="endpoints.invoke")
    site.flow("/endpoints/{endpoint}/try/pieces", pages.try_in_pieces, needs="endpoints.invoke")
    site.form("/endpoints/{endpoint}/stop", pages.stop, page=pages.show, needs="endpoints.stop")
    site.form("/endpoints/{endpoint}/start", pages.start, page=pages.show, needs="endpoints.deploy")
    site.form("/endpoints/{endpoint}/fallback", pages.declare_fallback, page=pages.show, needs="endpoints.deploy")
    site.form("/endpoints/{endpoint}/deploy", pages.deploy, page=pages.show, needs="endpoints.deploy")
    rollout_pages.add(site, pages.traffic)
    site.form("/endpoints/{endpoint}/canary", pages.canaries.begin, page=pages.show, needs="endpoints.deploy")
    site.form("/endpoints/{endpoint}/canary/end", pages.canaries.end, page=pages.show, needs="endpoints.deploy")
    log_pages.add(site, Asking(Logs(endpoints)))
    site.finds("Endpoints", pages.find)
    panels = Panels(site, endpoints)
    site.panel("projects/project", panels.project)
    site.panel("models/version", panels.version)
    portfolio.tell(panels.tell)


def own_first(versions: list[ModelVersion], model: str) -> list[ModelVersion]:
    """What the form to deploy offers: the newest version of the endpoint's own model, its others, other models."""
    own = sorted((each for each in versions if each.model == model), key=lambda each: -each.version)
    return own + [each for each in versions if each.model != model]


def answering(detail: EndpointDetail) -> Revision | None:
    """The revision that answers now."""
    return next((each for each in detail.revisions if each.number == detail.endpoint.answering), None)


def since(record: EndpointRecord, live: Revision) -> datetime:
    """From when on the revision has answered without a break: its first answer, or the last change back to it."""
    if live.number != record.active:
        return live.live_at or live.created_at
    return max(live.live_at or record.changed_at, record.changed_at)


def answer_for_all(found: list[EndpointRecord]) -> str:
    """How the endpoints are, in a sentence."""
    if not found:
        return "No endpoint yet"
    down = [f"{each.name} is {each.state}" for each in found if each.state not in ("answering", "elsewhere")]
    if not down:
        return "The endpoint answers" if len(found) == 1 else f"All {plural(len(found), 'endpoint')} answer"
    return f"{len(found) - len(down)} of {plural(len(found), 'endpoint')} answer; {listed(down[:3])}"


def answer_for_one(record: EndpointRecord, live: Revision | None) -> str:
    """Whether an endpoint answers, with what, or why not, in a sentence."""
    if record.state == "stopped":
        return f"{record.name} is stopped: {record.reason}"
    if record.is_external:
        return f"{record.name} is served elsewhere, with {record.model} v{record.version}"
    if live is None:
        why = f": {record.reason}" if record.reason else ""
        return f"{record.name} does not answer, revision {record.active} is {record.state}{why}"
    head = f"{record.name} answers with {live.model} v{live.version}"
    answering = [each for each in record.split if each.percent > 0]
    if len(answering) > 1:
        return f"{head}{beside(record, live, len(answering))}"
    if live.number != record.active:
        return f"{head} while revision {record.active} starts"
    return head


def beside(record: EndpointRecord, live: Revision, count: int) -> str:
    """What answers besides, of so many revisions."""
    trial = record.canary
    if trial is not None and count == 2:
        said = trial.said.partition(":")[0].lower()
        return f"; {trial.model} v{trial.version} is on trial with {trial.percent:g} %, {said}"
    return f" ({live.percent:g} % of requests) and {'others' if count > 2 else 'another'}"


def answer_for_trace(trace: PredictionTrace) -> str:
    """What was answered and by what, in a sentence."""
    by = f"{trace.version.model} v{trace.version.version}"
    first = trace.rows[0]
    if len(trace.rows) == 1 and first.outputs is not None:
        score = first.outputs.get("score")
        return f"{by} answered {first.outputs.get('prediction')}" + (f", score {score:.3g}" if is_number(score) else "")
    if first.outputs is None:
        return f"{by} gave no answer"
    return f"{by} answered {plural(trace.row_count, 'row')}"


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
