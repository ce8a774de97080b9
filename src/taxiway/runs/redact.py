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

# name = "value", "name": "value", name: value, name=value; what is looked up elsewhere (a call, a variable) stays.
ASSIGNED = re.compile(
    rf"""(?P<name>\b[\w.-]*{NAMES}\b["']?\s*(?::\s*str\s*)?(?:=|:)\s*)(?P<value>"[^"\n]+"|'[^'\n]+')""", re.IGNORECASE
)
BARE = re.compile(
    rf"""(?P<name>^\s*(?:export\s+)?[A-Z0-9_]*{NAMES}\s*=\s*)(?P<value>[^\s"'#()\[\]{{}}]+)\s*$""",
    re.IGNORECASE | re.MULTILINE,
)
PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),  # AWS
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}\b|\bgithub_pat_[A-Za-z0-9_]{20,}\b"),
    re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
    re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),  # Slack
    re.compile(r"\bhf_[A-Za-z0-9]{20,}\b"),
    re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"),
    re.compile(r"\bAIza[A-Za-z0-9_-]{30,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),  # JSON web tokens
    re.compile(r"\btw_[a-z]*_?[A-Za-z0-9_-]{30,}"),  # our own
)
IN_URL = re.compile(r"(?P<before>[a-z][a-z0-9+.-]*://[^\s:/@\"']*:)(?P<secret>[^\s/@\"']+)(?P<after>@)", re.IGNORECASE)
BEARER = re.compile(r"(?P<before>\bBearer\s+)(?P<secret>[A-Za-z0-9._~+/-]{16,}=*)")

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

    def quoted(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        quote = match["value"][0]
        return f"{match['name']}{quote}{REDACTED}{quote}"

    def bare(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"{match['name']}{REDACTED}"

    def between(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"{match['before']}{REDACTED}{match.groupdict().get('after', '')}"

    for pattern in PATTERNS:
        text, found = pattern.subn(REDACTED, text)
        count += found
    text = BEARER.sub(between, IN_URL.sub(between, text))
    text = ASSIGNED.sub(quoted, text)
    return BARE.sub(bare, text), count


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
