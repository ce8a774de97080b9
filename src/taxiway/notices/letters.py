"""A letter as it goes out: the same bytes each time it is tried, so that who got it already knows it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from taxiway.notices.contract import Notice

MOST_LISTED = 50
LONGEST_SUBJECT = 200


def letter_of(id_: str, *, sender: str, to: str, at: datetime, notices: Sequence[Notice], home: str) -> EmailMessage:
    """The e-mail that tells of notices. id_: of the letter, from which its Message-ID comes. home: the server's URL."""
    name, address = parseaddr(sender)
    user, _, domain = address.rpartition("@")
    message = EmailMessage()
    message["Message-ID"] = f"<{id_}@{domain}>"
    message["Date"] = format_datetime(at)
    message["From"] = Address(name or "Taxiway", user, domain)
    message["To"] = Address("", *halves(to))
    message["Subject"] = subject_of(notices)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text_of(notices, home))
    return message


def subject_of(notices: Sequence[Notice]) -> str:
    """What a single notice says, or how many there are; on one line, whatever people wrote."""
    what = notices[0].what if len(notices) == 1 else f"{len(notices)} notices"
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in what).split())
    return f"{line[:1].upper()}{line[1:LONGEST_SUBJECT]}"


def text_of(notices: Sequence[Notice], home: str) -> str:
    """What the e-mail says, in plain text."""
    parts = [part_of(each, home) for each in notices[:MOST_LISTED]]
    if len(notices) > MOST_LISTED:
        parts.append(f"And {len(notices) - MOST_LISTED} more.")
    end = f"Your inbox: {home}/inbox\nWhether and when you get e-mail: {home}/inbox/preferences"
    return "\n\n".join([*parts, f"-- \n{end}"]) + "\n"


def part_of(notice: Notice, home: str) -> str:
    about = ", ".join(
        text
        for text in (notice.project, f"from {notice.by}" if notice.by else "", f"{notice.made_at:%Y-%m-%d}")
        if text
    )
    said = [f"> {line}" for line in notice.note.splitlines()]
    return "\n".join([f"{notice.what[:1].upper()}{notice.what[1:]}", *said, f"({about})", f"{home}{notice.url}"])


def halves(address: str) -> tuple[str, str]:
    user, _, domain = address.rpartition("@")
    return user, domain
