"""One page with every part and figure on it, served to a test's browser without a server."""

import math
from datetime import UTC, datetime
from importlib.resources import files

from jinja2 import ChoiceLoader, DictLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined
from playwright.sync_api import Page, Route

from taxiway.web import sides
from taxiway.web.edge import HEADERS
from taxiway.web.figures import areas, bars, forest, heat, histograms, lineage, lines, path, roc, sparkline
from taxiway.web.figures.svg import Figure
from taxiway.web.words import FILTERS

ADDRESS = "http://127.0.0.1:9"
DIGEST = "sha256:" + "8f3a91c2" * 8
AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
KINDS = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
TEMPLATE = """{% extends "web/base.html" %}
{% import "web/parts.html" as parts %}{% import "web/forms.html" as forms with context %}
{% block crumbs %}{{ parts.crumbs([("Models", "/models"), ("mortgage", "")]) }}{% endblock %}
{% block answer %}{{ parts.mark("inconclusive") }}Fairness is inconclusive{% endblock %}
{% block detail %}<p>At 1989 rows it is neither proven fair nor unfair.</p>{% endblock %}
{% block action %}{{ parts.button("Ask for approval", "/ask", primary=true) }}{% endblock %}
{% block path %}{{ parts.figure(figures[0], caption=false, numbers=false) }}{% endblock %}
{% block main %}
{{ parts.tabs([("Evidence", "#", true), ("Card", "#card", false)]) }}
{{ parts.tiles([("Runs", 3 | number, "this week")]) }}
{% call parts.table("Runs", [("name", "run"), ("loss", "loss", "num"), ("", "course")], order="-loss", url="/runs",
    compare="/runs/compare") %}
{% for name in ["calm-heron", "fair-tern", "late-swift"] %}
<tr>{{ parts.pick("run", name, name) }}<td><a href="/runs/{{ name }}">{{ name }}</a></td>
<td class="num">{{ 0.31 | fixed }}</td><td>{{ parts.drawing(spark) }}</td></tr>
{% endfor %}{% endcall %}
{{ parts.pages("1 to 3 of 90", older="/runs?after=3") }}
{{ parts.compare("Compared", ["a", "b"], compared) }}
{{ parts.compare("Read", ["a", "b", "c"], read, numbers=false) }}
{% for figure in figures %}{{ parts.figure(figure) }}{% endfor %}
{% call parts.note("inconclusive") %}Gather more rows.{% endcall %}
{{ parts.refusal("Production is closed.", [("Asked", "at least 0.8")], helper="Vera", ask_url="/ask") }}
{{ parts.empty("No runs yet", "A run keeps what a script did.", "taxiway run -- python train.py") }}
{{ parts.progress("Uploading", 3, 5) }}
{% call parts.panel("Approve") %}
{{ forms.approval("/x", [("model", "model", digest)], "Exactly this:", problem="Say why.") }}
{% endcall %}
{% endblock %}
{% block side %}
{% call parts.panel("Facts") %}{{ parts.facts([("Digest", parts.digest(digest, "/d")), ("Made", parts.time(at)),
    ("Tier", parts.chip("high")), ("Alias", parts.chip("champion", here=true))]) }}{% endcall %}
{% for v in ["pass", "inconclusive", "fail", "missing", "waived"] %}{{ parts.verdict(v) }}{% endfor %}
{{ parts.story([(at, "Registered", true)]) }}{{ parts.remarks([("Vera", at, "Why?")]) }}
{% call forms.form("/x", "Stop traffic", stop=true) %}{{ forms.field("reason", "Reason", hint="Goes into the log") }}
{{ forms.choice("to", "To", [("a", "A")]) }}{{ forms.tick("sure", "I am sure") }}{% endcall %}
{% endblock %}"""


def figures() -> tuple[Figure, ...]:
    gates = (
        path.Gate(name="fairness", verdict="inconclusive", asks="ratio at least 0.8", giver="the check", url="/g"),
    )
    course = tuple((float(step), math.nan if step == 30 else 1 / (step + 1)) for step in range(60))
    checks = (
        forest.Check(name="ratio", verdict="inconclusive", estimate=0.77, low=0.7, high=0.83, threshold=0.8, url="/e"),
        forest.Check(name="latency", verdict="fail", estimate=61, low=58, high=64, threshold=50, asks="at most"),
        forest.Check(name="card", verdict="missing"),
    )
    return (
        path.PathDrawing(title="Path", stages=(path.Stage(name="idea"), path.Stage(name="staging", gates=gates))),
        lines.LineChart(
            title="Loss",
            lines=(lines.Line(name="calm-heron", points=course), lines.Line(name="fair-tern", points=course[5:])),
            thresholds=(lines.Threshold(0.5, "at most"),),
            events=(lines.Event(x=20.0, name="alert", kind="alert", url="/alert"),),
        ),
        forest.ForestPlot(title="Evidence", checks=checks),
        bars.GroupedBars(
            title="Rate", groups=("a", "b"), series=("x",), bars=((bars.Bar(0.9, 0.8, 1), bars.Bar(0.7)),)
        ),
        bars.LatencyBars(title="Latency", rows=(bars.Latency(name="r1", p50_s=0.1, p95_s=0.2, p99_s=0.3),)),
        roc.RocCurves(title="ROC", curves=(roc.Roc(name="x", points=((0, 0), (0.2, 0.8), (1, 1)), area=0.8),)),
        heat.HeatMap(
            title="Drift",
            rows=("wind", "hour"),
            columns=tuple(f"week {week}" for week in range(12)),
            values=tuple(tuple(0.04 * week for week in range(12)) for _ in "ab"),
            urls=tuple(tuple(f"/d/{row}{week}" for week in range(12)) for row in "ab"),
        ),
        histograms.Histograms(
            title="Wind",
            expected=histograms.Histogram("then", (2, 5)),
            observed=histograms.Histogram("now", (5, 2)),
            names=("calm", "strong"),
        ),
        areas.StackedAreas(
            title="Traffic", moments=(0.0, 600.0), areas=(areas.Area("r1", (1, 2)), areas.Area("r2", (2, 1)))
        ),
        lineage.LineageGraph(
            title="Lineage",
            nodes=tuple(
                lineage.Node(ref=f"run:{n}", kind="run", name=str(n), layer=n, order=0, url="/r") for n in range(6)
            ),
            edges=tuple(lineage.Edge(source=f"run:{n}", target=f"run:{n + 1}") for n in range(5)),
            here="run:3",
        ),
    )


def render() -> str:
    loader = ChoiceLoader([DictLoader({"page": TEMPLATE}), PrefixLoader({"web": PackageLoader("taxiway.web")})])
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(FILTERS)
    return environment.get_template("page").render(
        title="Gallery",
        section="models",
        who="Vera Holm",
        inbox_count=3,
        projects=["mortgage", "flights"],
        project="mortgage",
        form_token="t0ken",
        figures=figures(),
        digest=DIGEST,
        at=AT,
        compared=(
            sides.of_numbers("accuracy", (0.85, 0.8512345), is_different=True),
            sides.of_numbers("rows", (1989.0, 2000.0), is_different=True),
            sides.Line("auc", [sides.Cell("0.8", "0.8", "[0.7, 0.9]")], True, sides.Change("chance", "+0.1", "[0, 1]")),
            sides.of_numbers("loss", (1.0, 1.0), is_different=False),
        ),
        read=(sides.of_texts("solver", ("lbfgs", "saga", "lbfgs"), is_different=True),),
        spark=sparkline.Sparkline(title="loss", values=(3.0, 2.0, 1.0)),
    )


def serve_gallery(page: Page) -> None:
    """Answers every request of the page: the gallery at /, the real assets, and a plain page for any other path."""
    static = files("taxiway.web") / "static"

    def answer(route: Route) -> None:
        where = route.request.url.removeprefix(ADDRESS)
        if where.startswith("/static/"):
            asset = static / where.removeprefix("/static/")
            kind = KINDS[where.rpartition(".")[2]]
            route.fulfill(body=asset.read_text("utf-8"), content_type=kind, headers={**HEADERS, "Content-Type": kind})
            return
        body = render() if where == "/" else "<!doctype html><title>elsewhere</title>"
        route.fulfill(body=body, headers={**HEADERS, "Content-Type": "text/html; charset=utf-8"})

    page.route(f"{ADDRESS}/**", answer)
    page.goto(f"{ADDRESS}/")
