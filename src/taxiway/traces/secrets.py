"""Secrets taken out of what programs tell: keys and passwords that were passed along with a request. Pure.

Less is taken out than of captured code, since a trace is full of words such as *token* that go with no secret.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from taxiway.runs.capturing.redact import PATTERNS, PRIVATE_KEY, REDACTED
from taxiway.traces.contract import Event, Span
from taxiway.traces.told import Told

NAME = re.compile(
    r"(?:^|[._ -])(?:(?:proxy-)?authorization|(?:set-)?cookie|passw(?:or)?d|passphrase|credentials?|"
    r"(?:\w+[_-])?secret(?:[_-]key)?|(?:\w+[_-])?api[_-]?key|(?:private|account|access)[_-]?key|"
    r"(?:access|refresh|auth|bearer|session)[_-]?token)$",
    re.IGNORECASE,
)
# One look tells most texts apart from those that the patterns, one after the other, must be held against.
LIKELY = re.compile(r"AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|hf_|sk-|AIza|eyJ|tw_|-----BEGIN|Bearer ")
BEARER = re.compile(r"\bBearer\s+[A-Za-z0-9._~+/=-]{16,}")


def without_secrets(span: Span) -> Span:
    """The span as it is to be kept."""
    return msgspec.structs.replace(
        span,
        message=hidden(span.message),
        attributes=cleared(span.attributes),
        events=[Event(event.name, event.at_ns, cleared(event.attributes)) for event in span.events],
    )


def told_without_secrets(told: Told) -> Told:
    return msgspec.structs.replace(
        told,
        request=told.request and hidden(told.request),
        response=told.response and hidden(told.response),
        tags=cleared(told.tags),
        facts=cleared(told.facts),
    )


def cleared(given: Any, name: str = "") -> Any:
    """A value without its secrets, at any depth; a text under a name that secrets go by is one."""
    match given:
        case str():
            return REDACTED if given and NAME.search(name) else hidden(given)
        case dict():
            return {key: cleared(value, key) for key, value in given.items()}
        case list():
            return [cleared(value, name) for value in given]
        case _:
            return given


def hidden(text: str) -> str:
    """A text without what looks like a secret."""
    if LIKELY.search(text) is None:
        return text
    text = BEARER.sub(f"Bearer {REDACTED}", PRIVATE_KEY.sub(REDACTED, text))
    for pattern in PATTERNS:
        text = pattern.sub(REDACTED, text)
    return text
