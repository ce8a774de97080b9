"""Who may not read a thing is told what they are told of one that is not there, at every endpoint and page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.support.live import Live, running
from tests.web import test_doors
from tests.web.test_doors import Door, doors, knock

ABSENT = {"project": "elsewhere", "run": "0" * 32, "model": "elsewhere"}


class City(NamedTuple):
    """A server with ana's project, a run and a model in it, and the token of somebody without any role."""

    live: Live
    there: dict[str, str]
    token: str

    @property
    def of_projects(self) -> list[Door]:
        """The doors whose path names something of ana's."""
        return [door for door in doors(self.live) if any(f"{{{kind}}}" in door.path for kind in ABSENT)]

    def told(self, door: Door, names: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
        """Status and text, without the names that were asked with."""
        with monkeypatch.context() as patch:
            patch.setattr(test_doors, "VALUES", {**test_doors.VALUES, **names})
            answer = knock(self.live, door, self.token)
        text = re.sub(r"[0-9a-f]{32}", "ID", answer.text)  # of the request; and runs are named by such
        for name in names.values():
            text = text.replace(name, "NAME")
        return answer.status, text


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with running(tmp_path_factory.mktemp("unseen") / "home") as live:
        ana = live.as_person("ana")
        ana.projects.create("fraud")
        with ana.runs.start(project="fraud") as run:
            run.log(auc=0.5)
        ana.models.create("scores", project="fraud")
        live.as_person("eve")
        token = live.client.access.make_token("eve").token
        yield City(live, {"project": "fraud", "run": run.id, "model": "scores"}, token)


def test_a_stranger_cannot_tell_what_is_there(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {door: city.told(door, city.there, monkeypatch) for door in city.of_projects}
    absent = {door: city.told(door, ABSENT, monkeypatch) for door in city.of_projects}

    assert {door: (told, absent[door]) for door, told in found.items() if told != absent[door]} == {}
    under_api = [status for door, (status, _) in found.items() if door.path.startswith("/api/")]
    assert len(under_api) > 40
    assert set(under_api) <= {400, 404}


def test_the_list_of_people_shows_a_stranger_themselves(city: City) -> None:
    eve = city.live.as_person("eve")

    assert [user.name for user in eve.access.users()] == ["eve"]
    assert {"ana", "eve"} <= {user.name for user in city.live.as_person("ana").access.users()}
