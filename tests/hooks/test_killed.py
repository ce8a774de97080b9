"""A server that is killed forgets nothing that it had to tell, and the commands that show it."""

from __future__ import annotations

import json
from pathlib import Path

from taxiway.client import connect
from tests.hooks.receiver import eventually, receiving
from tests.server.test_process import free_port, server, taxiway


def test_what_a_killed_server_had_to_tell_is_told_by_the_next_one(tmp_path: Path) -> None:
    home, port = tmp_path / "home", free_port()
    secret = tmp_path / "secret"
    secret.write_text("word\n")
    options = ("--hook-host", f"127.0.0.1:{port}")
    url = f"http://127.0.0.1:{port}/told"
    events = ("--event", "model_version.created", "registered_model.created")

    with server(home, *options) as (process, _):
        nothing = taxiway(home, "hooks", "add", "ci", url)
        made = taxiway(home, "hooks", "add", "ci", url, *events, "--secret-file", str(secret))
        with connect(home=home) as client:
            client.models.create("mortgage", project="default")  # its receiver is down
            eventually(lambda: client.hooks.deliveries("ci")[0].error == "connection refused")
            client.models.register_source("mortgage", "a/label")
            process.kill()
    with receiving(port) as receiver, server(home, *options), connect(home=home) as client:
        got = receiver.wait(2)
        eventually(lambda: client.hooks.show("ci").waiting == 0)
        shown = taxiway(home, "hooks", "show", "ci")
        listed = json.loads(taxiway(home, "hooks", "list", "--json").stdout)
        tried = taxiway(home, "hooks", "test", "ci")

    assert (nothing.returncode, nothing.stderr.startswith("taxiway: events")) == (1, True)
    assert made.returncode == 0, made.stderr
    assert {each.event for each in got} == {"registered_model.created", "model_version.created"}
    assert all(each.is_signed_with("word") for each in got)
    assert "delivered" in shown.stdout
    assert "model_version.created" in shown.stdout
    assert (listed[0]["delivered"], listed[0]["waiting"], listed[0]["has_secret"]) == (2, 0, True)
    assert (tried.returncode, "word" in made.stdout + shown.stdout + str(listed)) == (0, False)
