"""`/metrics` of the server's own port: whom it answers, and that it counts what was asked."""

from __future__ import annotations

import re

from tests.support.live import Live
from tests.web.browse import Visitor


def counted(text: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_it_counts_requests_and_their_time_for_whoever_signed_in(sqlite_live: Live) -> None:
    anybody = Visitor(sqlite_live.url)
    assert anybody.ask("GET", "/metrics", headers={"Accept": "*/*"}).status == 401
    person = sqlite_live.as_person("scraper")
    headers = {"Accept": "*/*", "Authorization": f"Bearer {sqlite_live.tokens['scraper']}"}
    before = anybody.ask("GET", "/metrics", headers=headers)
    anybody.ask("GET", "/nowhere")
    person.endpoints.list()
    after = anybody.ask("GET", "/metrics", headers=headers)

    assert before.headers["content-type"].startswith("text/plain; version=0.0.4")
    one, other = before.text, after.text
    for status in ("2xx", "4xx"):
        name = f'taxiway_server_requests_total{{method="GET",status="{status}"}}'
        assert counted(other, name) > counted(one, name)
    assert counted(other, "taxiway_server_request_duration_seconds_count") >= 3
    assert counted(other, "taxiway_server_memory_bytes") > 0
