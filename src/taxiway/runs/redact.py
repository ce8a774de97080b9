"""Secrets taken out of captured text: by the names they go by and by what they look like. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

REDACTED = "[redacted]"

NAMES = (
    r"(?:password|passwd|passphrase|pwd|secret|credentials?|token|(?:api|access|private|secret)[_-]?key"
    r"|(?:auth|access|refresh|session|bearer)[_-]?token)"
)
SECRET_NAME = re.compile(rf"(?:^|[_.-]){NAMES}$", re.IGNORECASE)

PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
PATTERNS = (
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),  # AWS
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}\b|\bgithub_pat_[A-Za-z0-9_]{20,}\b"),
    re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
    re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),  # Slack
    re.compile(r"\bhf_[A-Za-z0-9]{20,}\b"),
    re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"),
    re.compile(r"\bAIza[A-Za-z0-9_-]{30,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),  # JSON web tokens
    re.compile(r"\btw_[a-z]+_[A-Za-z0-9_-]{16,}"),  # our own
)
# What stands before a secret, the quote around it if any, and what follows. What is looked up elsewhere, such as
# os.environ["API_KEY"], is no secret and stays.
AROUND = (
    re.compile(r"(?P<before>://[^\s:/@\"']*:)(?P<quote>)[^\s/@\"']+(?P<after>@)"),
    re.compile(r"(?P<before>\bBearer\s+)(?P<quote>)[A-Za-z0-9._~+/-]{16,}=*(?P<after>)"),
    re.compile(
        rf"""(?P<before>{NAMES}["']?\]?\s*(?::\s*str\s*)?(?:=|:)\s*)(?P<quote>["'])(?:(?!(?P=quote))[^\n])+(?P=quote)(?P<after>)""",
        re.IGNORECASE,
    ),
    re.compile(
        rf"""(?P<before>^\s*(?:export\s+)?\w*{NAMES}\s*=\s*)(?P<quote>)[^\s"'#()\[\]{{}}]+(?P<after>\s*)$""",
        re.IGNORECASE,
    ),
)
# A line without any of these holds nothing that the patterns above would find: most lines are passed over at once.
HINT = re.compile(
    r"passw|passph|pwd|secret|credential|token|key|://|bearer|akia|asia|gh._|_pat_|pat-|xox|hf_|sk-|aiza|eyj|tw_",
    re.IGNORECASE,
)

SECRET_FILES = (
    ".env",
    ".env.*",
    "*.env",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "id_rsa*",
    "id_ed25519*",
    "id_ecdsa*",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".htpasswd",
    "credentials",
    "credentials.*",
    "secrets.*",
    "*.secrets",
)


def redact(text: str) -> tuple[str, int]:
    """The text without its secrets, and how many were taken out.

    >>> redact('API_KEY = "abc123"')
    ('API_KEY = "[redacted]"', 1)
    """
    count = 0
    if "PRIVATE KEY" in text:
        text, count = PRIVATE_KEY.subn(REDACTED, text)
    lines = text.splitlines(keepends=True)
    for i, line in enumerate(lines):
        if HINT.search(line):
            lines[i], found = redact_line(line)
            count += found
    return "".join(lines), count


def redact_line(line: str) -> tuple[str, int]:
    count = 0

    def hide(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        quote = match["quote"] or ""
        return f"{match['before']}{quote}{REDACTED}{quote}{match['after']}"

    for pattern in PATTERNS:
        line, found = pattern.subn(REDACTED, line)
        count += found
    for pattern in AROUND:
        line = pattern.sub(hide, line)
    return line, count


def redact_command(command: Sequence[str]) -> list[str]:
    """A command line without the values of options that name a secret.

    >>> redact_command(["train.py", "--api-key", "abc", "--password=xyz", "--alpha", "0.5"])
    ['train.py', '--api-key', '[redacted]', '--password=[redacted]', '--alpha', '0.5']
    """
    kept: list[str] = []
    is_next_secret = False
    for word in command:
        name, equals, _ = word.partition("=")
        is_secret = is_secret_name(name.lstrip("-"))
        if is_next_secret and not word.startswith("-"):
            kept.append(REDACTED)
        elif equals and is_secret:
            kept.append(f"{name}={REDACTED}")
        else:
            kept.append(redact(word)[0])
        is_next_secret = is_secret and not equals and word.startswith("-")
    return kept


def is_secret_name(name: str) -> bool:
    """Whether what goes by this name is a secret.

    >>> is_secret_name("db_password"), is_secret_name("max_tokens")
    (True, False)
    """
    return SECRET_NAME.search(name) is not None


def is_secret_file(path: str) -> bool:
    """Whether a file is left out whole because of its name."""
    name = PurePosixPath(path.lower())
    return any(PurePosixPath(name.name).match(pattern) for pattern in SECRET_FILES)
