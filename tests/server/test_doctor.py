"""`taxiway doctor` names what is wrong and what to do."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from taxiway.doctor import Finding, examine_home
from taxiway.house import House
from tests.server.test_process import taxiway


def by_name(home: Path) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine_home(home)}


def test_a_home_in_order_has_no_problem(tmp_path: Path) -> None:
    House(tmp_path / "home").close()

    found = by_name(tmp_path / "home")

    assert {f.state for f in found.values()} == {"ok"}
    assert "0001" in found["database"].found


def test_a_damaged_database_is_a_problem_with_advice(tmp_path: Path) -> None:
    House(tmp_path / "home").close()
    (tmp_path / "home" / "taxiway.db").write_bytes(b"not a database" * 1000)

    finding = by_name(tmp_path / "home")["database"]

    assert finding.state == "problem"
    assert "backup" in finding.advice


def test_a_key_that_others_can_read_is_a_problem(tmp_path: Path) -> None:
    House(tmp_path / "home").close()
    (tmp_path / "home" / "keys" / "signing.pem").chmod(0o644)

    assert by_name(tmp_path / "home")["signing key"].state == "problem"


def test_a_lost_signing_key_is_asked_for_and_never_replaced(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert taxiway(home, "projects", "create", "fraud").returncode == 0
    (public,) = (home / "keys").glob("*.pub.pem")
    shutil.move(home / "keys", tmp_path / "elsewhere")

    refused = taxiway(home, "projects", "create", "second")
    finding = by_name(home)["signing key"]

    wanted = public.name.removesuffix(".pub.pem")
    assert refused.returncode == 1
    assert wanted in refused.stderr
    assert "Restore keys/ from the backup" in refused.stderr
    assert not (home / "keys" / "signing.pem").exists()
    assert (finding.state, wanted in finding.found) == ("problem", True)
    assert "Restore keys/ from the backup" in finding.advice
    shutil.rmtree(home / "keys", ignore_errors=True)
    shutil.move(tmp_path / "elsewhere", home / "keys")
    assert taxiway(home, "audit", "verify").returncode == 0


def test_a_server_that_was_killed_is_noted_without_alarm(tmp_path: Path) -> None:
    House(tmp_path / "home").close()
    (tmp_path / "home" / "server.json").write_text('{"pid": 1, "socket": "/nowhere.sock", "url": "home"}')

    finding = by_name(tmp_path / "home")["server"]

    assert finding.state == "note"
    assert "Nothing is lost" in finding.advice


def test_completion_scripts_are_valid_shell(tmp_path: Path) -> None:
    script = taxiway(tmp_path, "completion", "bash").stdout

    checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)

    assert checked.returncode == 0, checked.stderr
    assert "endpoints" in script
