"""A server that is killed forgets no letter, and one that it had handed over is known by its Message-ID."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from taxiway.client import connect
from tests.notices.receiver import MailReceiver, receiving
from tests.server.test_process import free_port
from tests.support.tables import furnish

PATH = "path: {name}\napplies_to: {{risk: [low]}}\nstages:\n  production:\n    - card: {{complete: true}}\n"


@contextmanager
def serving(home: Path, port: int, receiver: MailReceiver) -> Iterator[subprocess.Popen[str]]:
    """A server that sends e-mail, and is killed at the end of the block."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAXIWAY_")}
    mail = {"TAXIWAY_SMTP": receiver.url, "TAXIWAY_MAIL_FROM": "taxiway@bank.example"}
    command = [sys.executable, "-m", "taxiway", "server", "--home", str(home), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=kept | mail)
    assert process.stdout is not None
    try:
        assert re.search("ready at", process.stdout.readline())
        yield process
    finally:
        process.kill()
        process.wait(20)
        process.stdout.close()


def propose(home: Path, name: str) -> None:
    with connect(home=home) as client:
        client.gates.proposals.open(PATH.format(name=name), reason="try")


def test_no_letter_is_lost_and_none_counts_twice(tmp_path: Path) -> None:
    home = tmp_path / "home"
    furnish(home)
    port = free_port()
    with receiving() as receiver:
        with serving(home, port, receiver):
            with connect(home=home) as client:
                client.notices.prefer(address="ida@bank.example", delivery="at_once")
            propose(home, "first")
            receiver.wait(1)
            receiver.held.set()  # it has the next letter, and does not say so
            propose(home, "second")
            receiver.wait(2)
            propose(home, "third")
        receiver.held.clear()
        with serving(home, port, receiver):
            letters = receiver.wait(4)

    by_id = {letter["Message-ID"]: letter.as_bytes() for letter in letters}
    subjects = [letter["Subject"].rpartition(" ")[2] for letter in letters]
    assert sorted(subjects) == ["first", "second", "second", "third"]
    assert len(by_id) == 3
    again = [letter.as_bytes() for letter in letters if letter["Subject"].endswith("second")]
    assert again[0] == again[1]
