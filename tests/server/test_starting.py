"""What a server does not load before somebody asks for what needs it: each command on a home starts one."""

from __future__ import annotations

import subprocess
import sys

STARTED = """
import sys
import taxiway.server
print(" ".join(sorted({"duckdb", "markdown_it", "pyarrow"} & sys.modules.keys())))
"""


def test_a_server_starts_without_what_only_some_questions_need() -> None:
    said = subprocess.run([sys.executable, "-c", STARTED], check=True, capture_output=True, text=True).stdout

    assert said.split() == []


def test_a_command_that_asked_a_log_ends_without_complaints() -> None:
    asked = "import duckdb; from taxiway.cli import main; main(['--version'])"
    ended = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)

    assert ended.stdout.startswith("taxiway ")
    assert ended.stderr == ""
