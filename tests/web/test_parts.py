"""The macros, rendered as pages render them: with strict undefined names and autoescaping."""

from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined

from taxiway.web.figures.sparkline import Sparkline
from taxiway.web.sides import of_numbers
from taxiway.web.words import FILTERS

DIGEST = "sha256:" + "8f3a91c2" * 8


def render(body: str, **values: object) -> str:
    environment = Environment(
        loader=PrefixLoader({"web": PackageLoader("taxiway.web")}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    imports = '{% import "web/parts.html" as parts %}{% import "web/forms.html" as forms with context %}'
    return environment.from_string(imports + body).render(form_token="t0ken", **values)


def test_a_verdict_is_shape_word_and_colour() -> None:
    badge = render('{{ parts.verdict("fail") }}')

    assert "<svg" in badge
    assert "verdict-fail" in badge
    assert badge.strip().endswith("fail</span>")


def test_a_digest_is_short_to_read_and_whole_to_copy() -> None:
    shown = render("{{ parts.digest(digest, '/models/m') }}", digest=DIGEST)

    assert f'data-copy="{DIGEST}"' in shown
    assert ">8f3a91c28f</code>" in shown
    assert 'href="/models/m"' in shown


def test_a_moment_carries_its_exact_time() -> None:
    shown = render("{{ parts.time(at) }}", at=datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC))

    assert 'title="2020-01-02 03:04:05 UTC"' in shown
    assert 'datetime="2020-01-02T03:04:05+00:00"' in shown


def test_a_sorted_column_says_so_and_its_link_turns_the_order() -> None:
    columns = [("name", "run"), ("loss", "loss", "num"), ("", "course")]
    body = '{% call parts.table("Runs", columns, order="loss", url="/runs?where=x") %}<tr></tr>{% endcall %}'
    shown = render(body, columns=columns)

    assert 'class="num" aria-sort="ascending"><a href="/runs?where=x&amp;order=-loss">loss</a>' in shown
    assert '<th scope="col">course</th>' in shown


def test_rows_to_compare_are_a_plain_form() -> None:
    body = (
        '{% call parts.table("Runs", [], compare="/runs/compare") %}{{ parts.pick("run", "a1", "calm") }}{% endcall %}'
    )
    shown = render(body)

    assert '<form action="/runs/compare" data-compare>' in shown
    assert 'name="run" value="a1" aria-label="Select calm"' in shown


def test_equal_rows_are_folded_away() -> None:
    lines = [
        of_numbers("C", [1.0, 1.0], is_different=False),
        of_numbers("accuracy", [0.9, 0.8], is_different=True),
    ]
    shown = render('{{ parts.compare("Runs", ["a", "b"], lines) }}', lines=lines)

    assert shown.index("accuracy") < shown.index("<details") < shown.index(">C<")
    assert "1 equal row<" in shown


def test_a_difference_is_told_by_shape_and_word_with_every_digit_at_hand() -> None:
    lines = [of_numbers("log_loss", [0.2345678, 0.25], is_different=True)]
    shown = render('{{ parts.compare("Runs", ["a", "b"], lines) }}', lines=lines)

    assert 'title="0.2345678">0.2346</span>' in shown
    assert "</svg>worse</span>" in shown


def test_a_posted_form_carries_its_token_and_a_searching_one_does_not() -> None:
    posted = render('{% call forms.form("/x", "Go") %}{% endcall %}')
    sought = render('{% call forms.form("/x", "Go", method="get") %}{% endcall %}')

    assert 'name="form_token" value="t0ken"' in posted
    assert "t0ken" not in sought


def test_an_approval_shows_and_sends_the_same_digest() -> None:
    shown = render('{{ forms.approval("/x", [("model", "model", digest)], "Exactly this:") }}', digest=DIGEST)

    assert f"<code>{DIGEST}</code>" in shown
    assert f'type="hidden" name="model" value="{DIGEST}"' in shown


def test_a_problem_is_tied_to_its_field() -> None:
    shown = render('{{ forms.field("share", "Share", value="2", hint="0 to 1", problem="2 is more than 1") }}')

    assert 'aria-invalid="true" aria-describedby="hint-share problem-share"' in shown
    assert 'id="problem-share"' in shown


def test_a_figure_is_drawn_for_both_widths_with_its_numbers() -> None:
    shown = render("{{ parts.figure(figure) }}", figure=Sparkline(title="loss", values=(1.0, 2.0)))

    assert shown.count("<svg") == 2
    assert "&lt;svg" not in shown
    assert "The numbers" in shown


@pytest.mark.parametrize(
    "part", ["facts([('n', value)])", "empty(value, value, value)", "refusal(value)", "chip(value)"]
)
def test_what_people_typed_stays_text(part: str) -> None:
    assert "<script>" not in render("{{ parts." + part + " }}", value="<script>alert(1)</script>")


def test_the_base_page_is_whole_without_a_project_or_a_side_column() -> None:
    page = render('{% include "web/base.html" %}', title="Runs", section="runs", who=None, inbox_count=0, projects=[])

    assert "<h1>Runs</h1>" in page
    assert 'href="/runs" data-go="r" aria-current="page"' in page
    assert "<aside" not in page
    assert " style=" not in page
    ElementTree.fromstring("<nav" + page.split("<nav", 1)[1].split("</nav>")[0] + "</nav>")
