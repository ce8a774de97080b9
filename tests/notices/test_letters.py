"""Letters: the same each time they are tried, whatever people wrote; and the way to the mail server."""

from __future__ import annotations

from datetime import UTC, datetime
from email import policy

import pytest

from taxiway.kernel.errors import BadField
from taxiway.notices.contract import Notice
from taxiway.notices.letters import letter_of
from taxiway.notices.mailing import read_mail_server
from taxiway.notices.rules import matters, next_at

AT = datetime(2027, 3, 1, 6, 30, tzinfo=UTC)


def notice(what: str, note: str = "") -> Notice:
    return Notice(
        id="1",
        kind="mention",
        is_todo=False,
        project="p",
        thing="",
        what=what,
        note=note,
        url="/x",
        by="ana",
        made_at=AT,
    )


def test_a_letter_is_the_same_bytes_each_time_it_is_tried() -> None:
    told = [notice("ana mentioned you: model:m@1", "Why?\nBecause.")]
    once, again = (
        letter_of("0193", sender="Taxiway <t@bank.example>", to="v@bank.example", at=AT, notices=told, home="https://t")
        for _ in range(2)
    )

    assert once.as_bytes() == again.as_bytes()
    assert once["Message-ID"] == "<0193@bank.example>"
    assert once["Subject"] == "Ana mentioned you: model:m@1"
    assert "> Why?\n> Because.\n(p, from ana, 2027-03-01)\nhttps://t/x" in once.get_content()


def test_what_people_write_makes_no_headers() -> None:
    what = "look\r\nBcc: everybody@bank.example\r\n\r\nHello \N{RIGHT-TO-LEFT OVERRIDE}x"

    made = letter_of("1", sender="t@b.example", to="v@b.example", at=AT, notices=[notice(what)], home="https://t")

    assert made["Bcc"] is None
    assert made["Subject"] == "Look Bcc: everybody@bank.example Hello x"
    assert b"\nBcc:" not in made.as_bytes(policy=policy.SMTP).partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize(
    ("url", "tls", "port"),
    [
        ("smtps://u:p%40ss@mail.example", "at_once", 465),
        ("smtp://mail.example", "starttls", 587),
        ("smtp://127.0.0.1:25?tls=none", "none", 25),
    ],
)
def test_a_mail_server_is_spoken_to_over_tls_unless_it_is_this_machine(url: str, tls: str, port: int) -> None:
    server = read_mail_server(url, "t@b.example")

    assert server is not None
    assert (server.tls, server.port) == (tls, port)
    assert "p@ss" not in repr(server)


@pytest.mark.parametrize(
    "url", ["http://x", "smtp://", "smtp://mail.example?tls=none", "smtp://x:y:z", "smtp://h/p", "smtp://h?tls=1"]
)
def test_another_address_is_refused_and_its_password_not_said(url: str) -> None:
    with pytest.raises(BadField, match="TAXIWAY_SMTP"):
        read_mail_server(url, "t@b.example")


def test_without_an_address_to_come_from_nothing_is_sent() -> None:
    with pytest.raises(BadField, match="TAXIWAY_MAIL_FROM"):
        read_mail_server("smtp://mail.example", "")
    assert read_mail_server("", "") is None


def test_the_daily_hour_is_the_next_one() -> None:
    assert next_at(7, AT) == AT.replace(hour=7, minute=0)
    assert next_at(6, AT) == AT.replace(day=2, hour=6, minute=0)


def test_what_runs_log_all_day_marks_nothing() -> None:
    assert [
        verb for verb in ("runs.log", "datasets.register", "gates.approve", "access.grant_role") if matters(verb)
    ] == [
        "gates.approve",
        "access.grant_role",
    ]
