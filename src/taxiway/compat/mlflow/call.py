"""A call of MLflow's client said once: where it arrives, what it carries, who may make it and about what."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from msgspec import Meta, Struct

from taxiway.kernel.endpoint import NEEDS

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")

Given = Annotated[str, Meta(min_length=1)]  # a text that must be there: absent, null and empty are missing
Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Millis = Annotated[int, Meta(ge=0, le=(2**63 - 1) // 1000)]  # since 1970; kept in microseconds

MOST_BYTES = 16 << 20


class Void(Struct, frozen=True):
    """The answer of what only changes something: an empty object."""


class Nothing(Struct, frozen=True):
    """The request that says everything by its address."""


class Call(Struct, Generic[Ask, Answer], frozen=True):
    """What the client sends and the server answers.

    path: without its prefix, such as ``/mlflow/runs/create``; names in it (``{model_id}``, ``{path:path}``) are
    fields of the request like those of body and query.
    needs: the permission. about: what says in which projects the caller must hold it, one of the words that
    `Dialect.know` was told; `platform` is anywhere (the handler shows only what the caller may see), `open` is
    everybody's. versions: of the prefix ``/api/…``, each with its twin under ``/ajax-api/…``; none where the path
    stands for itself. body: `raw` hands the bytes to the handler as an `Upload`; `none` is never read, as for a GET.
    guarded: it could put a version into a stage or behind an alias that stands for one; so it must end at the gates.
    A field `origin` of the request is this server's own address, whatever is sent; one whose name on the wire
    begins with ``x-`` is a header.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    ask: type[Ask]
    answer: type[Answer]
    needs: str
    about: str
    versions: tuple[str, ...] = ("2.0",)
    body: Literal["json", "raw", "none"] = "json"
    most_bytes: int = MOST_BYTES
    guarded: bool = False

    declared: ClassVar[list[Call[Any, Any]]] = []

    def __post_init__(self) -> None:
        if not NEEDS.fullmatch(self.needs):
            raise ValueError(f"{self.method} {self.path} needs a permission such as 'runs.read', not {self.needs!r}")
        Call.declared.append(self)

    @property
    def has_json(self) -> bool:
        """Whether it is asked in a JSON body, rather than by its address alone."""
        return self.method != "GET" and self.body == "json"

    @property
    def paths(self) -> list[str]:
        """Every address that it is answered at."""
        doors = ("/api", "/ajax-api")
        return [f"{door}/{version}{self.path}" for version in self.versions for door in doors] or [self.path]
