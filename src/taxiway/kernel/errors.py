"""Refusals with a name: the same class in the service, over HTTP, in the SDK, the CLI and on the page."""

from __future__ import annotations

import inspect
import types
from typing import Any, ClassVar, Union, dataclass_transform, get_args, get_origin, get_type_hints

import msgspec

Facts = dict[str, Any]


@dataclass_transform(kw_only_default=True)
class TaxiwayError(Exception):
    """A refusal with a name. Its annotated fields are the facts; `str()` says what happened and what to do next.

    A subclass annotates its facts and writes `__str__`; facts are given by keyword and travel as JSON.
    `status` is the HTTP status. `is_audited` marks refusals that leave an entry in the audit log.
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1  # of the command line
    is_audited: ClassVar[bool] = False
    retry_after_s: ClassVar[float | None] = None
    known: ClassVar[dict[str, type[TaxiwayError]]] = {}

    def __init_subclass__(cls) -> None:
        TaxiwayError.known[cls.__name__] = cls

    def __init__(self, **facts: Any) -> None:
        names = fact_names(type(self))
        if missing := [n for n in names if n not in facts and not hasattr(type(self), n)]:
            raise TypeError(f"{type(self).__name__} lacks {', '.join(missing)}")
        if unknown := [n for n in facts if n not in names]:
            raise TypeError(f"{type(self).__name__} has no {', '.join(unknown)}")
        for name, value in facts.items():
            setattr(self, name, value)
        super().__init__(facts)

    def __reduce__(self) -> tuple[Any, ...]:
        return (revive, (type(self).__name__, self.facts()))

    def facts(self) -> Facts:
        """The facts by name, as given."""
        return {name: getattr(self, name) for name in fact_names(type(self))}


def fact_names(cls: type[TaxiwayError]) -> tuple[str, ...]:
    """The names of the facts of an error class, base classes first."""
    found: dict[str, None] = {}
    for base in reversed(cls.__mro__):
        for name, kind in inspect.get_annotations(base).items():
            if "ClassVar" not in str(kind) and issubclass(base, TaxiwayError):
                found[name] = None
    return tuple(found)


class Unexpected(TaxiwayError):
    """The server answered with something this client does not know, or failed in a way nobody foresaw."""

    status = 500
    exit_code = 1  # of the command line
    detail: str
    request_id: str = ""

    def __str__(self) -> str:
        hint = f" The server's log has the cause under request {self.request_id}." if self.request_id else ""
        return f"{self.detail}{hint}"


class BadField(TaxiwayError):
    """A value that cannot be accepted: which field, what it was, what would be."""

    status = 400
    field: str
    value: str
    expected: str

    def __str__(self) -> str:
        return f"{self.field}: {self.value} is not accepted; give {self.expected}."


class FileUnusable(TaxiwayError):
    """A file or folder of the caller's own that cannot be read or written."""

    status = 400
    file: str
    cause: str

    def __str__(self) -> str:
        return f"{self.file} cannot be used: {self.cause}. Check the path, and that you may read and write there."


class NotFound(TaxiwayError):
    """Something that was asked for by name does not exist, or may not be seen by the one who asks."""

    status = 404
    kind: str
    name: str
    hint: str = ""

    def __str__(self) -> str:
        return f"There is no {self.kind} {self.name!r}.{' ' + self.hint if self.hint else ''}"


class AlreadyExists(TaxiwayError):
    """A name that is taken."""

    status = 409
    kind: str
    name: str
    hint: str = ""

    def __str__(self) -> str:
        article = "an" if self.kind[:1] in "aeiou" else "a"
        return f"There is already {article} {self.kind} {self.name!r}. {self.hint or 'Choose another name.'}"


class SignInNeeded(TaxiwayError):
    """The request carries no credential, or one that is not valid (any more)."""

    status = 401
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.reason} Sign in (`taxiway access sign-in` in a terminal), or give a token in TAXIWAY_TOKEN "
            "(`taxiway access token NAME` makes one)."
        )


class NotAllowed(TaxiwayError):
    """The person is known, and the person's roles do not include what was asked."""

    status = 403
    is_audited = True
    actor: str
    needs: str
    where: str
    who_can: list[str]

    def __str__(self) -> str:
        helpers = f" Ask {', '.join(self.who_can)}." if self.who_can else " Ask an admin for the role."
        return f"{self.actor} may not do this in {self.where}: it needs the permission {self.needs}.{helpers}"


class TooLarge(TaxiwayError):
    """A body, batch or page past its limit."""

    status = 413
    what: str
    limit: int
    found: int

    def __str__(self) -> str:
        return f"{self.what} is {self.found:,}, the limit is {self.limit:,}. Send it in smaller parts."


class KeyReused(TaxiwayError):
    """An idempotency key that was used for another request."""

    status = 409
    key: str

    def __str__(self) -> str:
        return f"The idempotency key {self.key!r} was used for another request. Make a new key for each request."


class Unavailable(TaxiwayError):
    """Something that the request needs is away for a moment; nothing was changed."""

    status = 503
    retry_after_s = 1.0
    what: str
    cause: str

    def __str__(self) -> str:
        return f"{self.what} is not available: {self.cause}. Nothing was changed; try again shortly."


class DiskFull(TaxiwayError):
    """The disk under the home has no room left; nothing was changed."""

    status = 507
    retry_after_s = 5.0
    home: str

    def __str__(self) -> str:
        return f"No space is left on the disk of {self.home}. Nothing was stored; free some space and try again."


class ServerAway(TaxiwayError):
    """The client could not reach its server."""

    status = 503
    url: str
    cause: str

    def __str__(self) -> str:
        return (
            f"No Taxiway server answers at {self.url} ({self.cause}). "
            f"Start one with `taxiway server`, or unset TAXIWAY_URL to work in the folder's own home."
        )


def revive(name: str, facts: Facts) -> TaxiwayError:
    """The error that the other side raised: the same class, its facts back in their own types.

    Raises KeyError where no class of that name is known.
    """
    cls = TaxiwayError.known[name]
    hints = get_type_hints(cls)
    typed = {}
    for key, value in facts.items():
        if key in hints:
            typed[key] = msgspec.convert(value, hints[key], strict=False) if _is_struct(hints[key]) else value
    return cls(**typed)


def _is_struct(kind: Any) -> bool:
    """Whether a fact's type holds a struct or a datetime that JSON turned into plain values."""
    if get_origin(kind) in (list, tuple, dict, Union, types.UnionType):
        return any(_is_struct(k) for k in get_args(kind))
    return isinstance(kind, type) and kind not in (str, int, float, bool, type(None), dict, list)
