"""A project with people in it, and a model that they speak of."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from taxiway.client import Client
from tests.support.live import Live

PROJECT = "mortgages"
THING = "model:mortgage@1"


class People(NamedTuple):
    """`olga` owns the project, `ana` made the version, `vera` and `vito` validate, `nils` has no part in it."""

    live: Live
    olga: Client
    ana: Client
    vera: Client
    vito: Client
    nils: Client


@pytest.fixture(scope="module")
def people(live_for_all: Live) -> People:
    olga = live_for_all.as_person("olga")
    olga.projects.create(PROJECT, purpose="decide on mortgages", risk="high")
    ana = live_for_all.as_person("ana", "contributor", project=PROJECT)
    vera, vito = (live_for_all.as_person(name, "validator", project=PROJECT) for name in ("vera", "vito"))
    ana.models.create("mortgage", project=PROJECT)
    ana.models.register_source("mortgage", "a/label")
    return People(live_for_all, olga, ana, vera, vito, live_for_all.as_person("nils"))
