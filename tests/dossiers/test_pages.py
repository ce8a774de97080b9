"""What a version's page offers to others, and the pages of signed statements."""

from collections.abc import Iterator

import pytest

from taxiway.evidence.statement import PROVENANCE
from tests.gates.browse import VERSION, said, visit
from tests.gates.story import FAIR, Story
from tests.support.kept import Kept


@pytest.fixture(scope="module")
def story(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch, kept.again(Story, folder) as story:
        patch.chdir(folder)
        story.version(FAIR)
        yield story


def test_a_versions_page_leads_to_its_dossier_and_its_statements(story: Story) -> None:
    ana = visit(story, "ana")

    page = ana.get(VERSION).text

    assert 'href="/api/dossiers/models/mortgage/versions/1/file"' in page
    assert 'href="/evidence?thing=model%3Amortgage%401"' in page
    assert "1 signed statement" in said(page)
    assert ana.get("/api/dossiers/models/mortgage/versions/1").status == 200


def test_statements_are_listed_and_one_shows_what_it_says(story: Story) -> None:
    ana = visit(story, "ana")
    [statement] = story.ana.evidence.list(predicate_type=PROVENANCE).items

    listed = ana.get("/evidence?thing=model:mortgage@1").text
    shown = said(ana.get(f"/evidence/{statement.id}").text)

    assert f'href="/evidence/{statement.id}"' in listed
    assert "Provenance of" in shown
    assert "resolvedDependencies" in shown


def test_the_page_of_statements_says_where_nothing_fits(story: Story) -> None:
    assert "No statement fits" in said(visit(story, "ana").get("/evidence?thing=model:none@1").text)


def test_who_does_not_see_the_project_sees_none_of_it(story: Story) -> None:
    story.live.as_person("otto")

    assert "Nothing has been signed yet" in said(visit(story, "otto").get("/evidence").text)
