"""Secrets taken out of captured text: by the names they go by and by what they look like. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import PurePosixPath

REDACTED = "[redacted]"

# A name that holds one of these anywhere goes with a secret: DB_PASS, PASSWORD_PROD, api_key1, AccountKey. Its end is
# bounded, so that a line of a million letters costs no more than its length.
STEMS = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret|credential|token(?!i[sz]|s)|(?:api|access|private|account|auth)[_-]?key"
    r"|(?<![a-z])pass(?![a-z]))"
)
NAMES = rf"{STEMS}[\w-]{{0,60}}"
# A name and all that stands between it and its quoted value: its own quote, an annotation, a literal's prefix.
SAID = rf"""{NAMES}\\?["']?\]?\s*(?::\s*[\w.|\[\] ]{{1,60}})?(?::=|=>|=|:)\s*[fbru]{{0,2}}"""
SECRET_NAME = re.compile(STEMS, re.IGNORECASE)
TYPES = r"(?:str|string|int|bool|float|bytes|none|null|true|false|any|optional|secretstr)\b"
LEAST_SCRUBBED = 6  # characters; shorter values would stand in too much that is no secret

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
    re.compile(r"(?P<before>https?://)(?P<quote>)[^\s:/@\"'{$<]+(?P<after>@)", re.IGNORECASE),
    re.compile(
        r"""(?P<before>\bAuthorization\\?["']?\s*[:=,]\s*f?\\?["']?(?:Basic|Bearer|Token)\s+)(?P<quote>)[^\s"'\\{$]+(?P<after>)""",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<before>\bBearer\s+)(?P<quote>)[A-Za-z0-9._~+/-]{16,}=*(?P<after>)"),
    re.compile(  # password = "x", "password": "x", password: str | None = f"x"
        rf"""(?P<before>{SAID})(?P<quote>["'])(?![^\w\s\\](?P=quote))(?:\\.|(?!(?P=quote))[^\n\\])+(?P=quote)(?P<after>)""",
        re.IGNORECASE,
    ),
    re.compile(  # the same inside a JSON text, such as a notebook
        rf"""(?P<before>{SAID})(?P<quote>\\")(?:(?!\\")[^\n])+(?P=quote)(?P<after>)""",
        re.IGNORECASE,
    ),
    re.compile(  # os.getenv("DB_PASSWORD", "x")
        rf"""(?P<before>(?:getenv|get|setdefault|pop)\(\s*\\?["'][\w.-]{{0,60}}{NAMES}\\?["']\s*,\s*(?:default\s*=\s*)?[fbru]{{0,2}})(?P<quote>\\?["'])(?:(?!(?P=quote))[^\n])+(?P=quote)(?P<after>)""",
        re.IGNORECASE,
    ),
    re.compile(  # a line of YAML, INI, a shell or a Dockerfile
        rf"""(?P<before>^\s*(?:-\s+)?(?:(?:export|env|arg|set)\s+)?(?!self\.|cls\.|this\.)[\w.-]{{0,60}}{NAMES}\s*(?:=|:)\s*)(?P<quote>)(?!["'\[{{(=|>]|[\w.]+[(\[]|\$\{{?\w+\}}?\s*$|{TYPES})\S.*?(?P<after>\s*)$""",
        re.IGNORECASE,
    ),
    re.compile(rf"(?P<before>^\s*ENV\s+\w{{0,60}}{NAMES}\s+)(?P<quote>)(?![=$\"'])\S.*?(?P<after>\s*)$", re.IGNORECASE),
    re.compile(  # PGPASSWORD=x psql
        r"(?P<before>\b(?=[A-Z0-9_]{0,60}(?:PASS|PWD|SECRET|TOKEN(?!S)|CREDENTIAL|(?:API|ACCESS|PRIVATE|ACCOUNT)_?KEY))"
        r"[A-Z][A-Z0-9_]{2,80}=)(?P<quote>)(?![\"'$=\[])[^\s\"'\\(),;|&]+(?P<after>)"
    ),
    re.compile(  # --password x
        rf"""(?P<before>(?<!\w)--?[\w-]{{0,60}}{NAMES}(?:[ \t]+|=))"""
        r"""(?P<quote>["']?)(?![-$\[])[^\s"'\\)\],`]+(?P=quote)(?P<after>)""",
        re.IGNORECASE,
    ),
    re.compile(  # AccountKey=x; but not token=held["mine"], which looks it up
        rf"(?P<before>{STEMS}=)(?P<quote>)(?!\[|[\w.]+\[[\"'])[^;\"'\s,()&]+(?P<after>[;&\"'])", re.IGNORECASE
    ),
)
TRIPLE = re.compile(
    rf"""(?P<before>{SAID})(?P<quote>\"{{3}}|'{{3}}).+?(?P=quote)(?P<after>)""",
    re.IGNORECASE | re.DOTALL,
)
# A line without any of these holds nothing that the patterns above would find: most lines are passed over at once.
HINTS = (
    "pass|pwd|secret|credential|token|key|://|bearer|authorization|akia|asia|gh._|_pat_|pat-|xox|hf_|sk-|aiza|eyj|tw_"
)
HINT = re.compile(HINTS, re.IGNORECASE)
WORDS = [hint.partition(".")[0] for hint in HINTS.split("|")]

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
    "*secret*.yaml",
    "*secret*.yml",
    ".git-credentials",
    ".envrc",
    ".pgpass",
    ".my.cnf",
    ".docker/config.json",
    "kubeconfig",
    "kubeconfig.*",
    "*.kubeconfig",
    "service-account*.json",
    "service_account*.json",
    "token.txt",
    "tokens.txt",
    "password.*",
    "passwords.*",
    "terraform.tfvars",
    "*.tfvars",
    "*.tfstate",
)


def redact(text: str) -> tuple[str, int]:
    """The text without its secrets, and how many were taken out.

    >>> redact('API_KEY = "abc123"')
    ('API_KEY = "[redacted]"', 1)
    """
    count = 0
    if "PRIVATE KEY" in text:
        text, count = PRIVATE_KEY.subn(REDACTED, text)
    if '"""' in text or "'''" in text:
        text, found = TRIPLE.subn(rf"\g<before>\g<quote>{REDACTED}\g<quote>", text)
        count += found
    lines = text.splitlines(keepends=True)
    for i in likely(text, lines):
        if HINT.search(lines[i]):
            lines[i], found = redact_line(lines[i])
            count += found
    return "".join(lines), count


def likely(text: str, lines: Sequence[str]) -> Iterable[int]:
    """The numbers of the lines of the text in which a hint may be found, in order: of those of code, few."""
    if not text.isascii():  # letters of other alphabets are the same in another case as ours
        return range(len(lines))
    plain = text.lower()
    starts = list(accumulate(map(len, lines), initial=0))
    found: set[int] = set()
    for word in WORDS:
        at = plain.find(word)
        while at >= 0:
            number = bisect_right(starts, at) - 1
            found.add(number)
            at = plain.find(word, starts[number + 1])
    return sorted(found)


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


def values_of_secrets(environment: Mapping[str, str]) -> list[str]:
    """The values of the variables whose names say secret, the longest first; short ones are left be.

    >>> values_of_secrets({"DB_PASSWORD": "hunter22", "CITY": "Boston"})
    ['hunter22']
    """
    found = {value for name, value in environment.items() if is_secret_name(name) and len(value) >= LEAST_SCRUBBED}
    return sorted(found, key=len, reverse=True)


def scrub(text: str, secrets: Sequence[str]) -> str:
    """The text without these values, wherever they stand.

    >>> scrub("signed in with hunter22", ["hunter22"])
    'signed in with [redacted]'
    """
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    return text


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
    return any(name.match(pattern) for pattern in SECRET_FILES)
