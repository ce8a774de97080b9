"""Plain-Python services: a class with `predict`, its source in the bundle, loaded where code may run and nowhere else.

A service may have `load(context)`, called once in each process that answers, `before(rows)` and `after(rows, answers)`.
It may use other model versions, by `uses = {"scorer": "mortgage@3"}`: their bundles lie whole within its own, so that
its digest, and each approval of it, is bound to theirs, and `context.models["scorer"]` answers as they do.
"""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec import Struct

from taxiway.adapters.python_modules import CODE, Modules
from taxiway.adapters.sklearn import EXAMPLE_ROWS, CodeInModel, ModelNotSaved, ModelUnreadable
from taxiway.models.bundles.bundle import Manifest, NativeModel, read_verified, verify_bundle
from taxiway.models.bundles.mlmodel import EXAMPLE, example_file, read_example
from taxiway.models.bundles.used import FILES, MODELS
from taxiway.models.predicting.flavours import flavour, settle
from taxiway.models.predicting.infer import example_columns, infer_signature
from taxiway.models.predicting.predictor import ColumnsIn, Prediction, Predictor, Rows
from taxiway.models.predicting.signature import Column, ColumnType, Signature, check_columns, check_rows

FLAVOUR = "python"
SERVICE = "service.json"
LARGEST_SOURCE_BYTES = 5 << 20
TYPES: tuple[tuple[type, ColumnType], ...] = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"))


class Said(Struct, frozen=True):
    """What `service.json` says: where the class is."""

    module: str
    name: str


class Context(Struct, frozen=True):
    """What a service is loaded with. folder: where its own `files` lie; models: those that it uses, by its names."""

    folder: Path
    models: Mapping[str, Predictor]


def save(
    model: Any,
    folder: Path,
    example: Any,
    *,
    name: str,
    threshold: float | None = None,
    nullable: Collection[str] = (),
) -> Manifest:
    """Writes a service's source into a folder and returns the draft of its manifest.

    The versions that it uses lie in the folder already. The source is the class's file, or its whole package. The
    signature's outputs are read from its answers to the first rows of the example, given by a new object of the class:
    what `load` does not make is not there in a worker either. Raises ModelNotSaved.
    """
    kind = type(model).__qualname__
    if threshold is not None:
        raise ModelNotSaved(model=kind, reason="a service decides in its own code; it takes no threshold")
    said = copy_source(type(model), folder / CODE)
    (folder / SERVICE).write_bytes(msgspec.json.encode(said))
    data = example_file(example_columns(example, rows=EXAMPLE_ROWS))
    (folder / EXAMPLE).write_bytes(data)
    inside = sorted((folder / MODELS).iterdir()) if (folder / MODELS).exists() else []
    models = {each.name: predictor_in(each, None) for each in inside}
    probe = infer_signature(example, [], nullable=nullable)
    rows = read_example(data)
    answers = Service(type(model)(), Context(folder / FILES, models), probe).predict(rows)
    outputs = [Column(name=key, type=type_of(value, kind)) for key, value in [*answers[0].items()]] if answers else []
    if not outputs:
        raise ModelNotSaved(model=kind, reason="it answered nothing to its example")
    return Manifest(
        name=name,
        flavour=FLAVOUR,
        signature=Signature(inputs=probe.inputs, outputs=tuple(outputs)),
        native=NativeModel(file=SERVICE, serialization=FLAVOUR),
        example=EXAMPLE,
    )


def copy_source(kind: type, to: Path) -> Said:
    """The source of a class's module, or of the whole package around it. Raises ModelNotSaved."""
    try:
        source = Path(inspect.getfile(kind))
    except (OSError, TypeError) as e:
        reason = "its source lies in no file; write it into one and import it"
        raise ModelNotSaved(model=kind.__qualname__, reason=reason) from e
    module = source.stem if kind.__module__ == "__main__" else kind.__module__
    top, is_package = module.partition(".")[0], "." in module
    if "." in kind.__qualname__:
        raise ModelNotSaved(
            model=kind.__qualname__, reason="it is defined inside of something; define it in its module"
        )
    to.mkdir(parents=True)
    if is_package:
        package = source.parents[module.count(".") - 1]
        files = sorted(package.rglob("*.py"))
        if sum(file.stat().st_size for file in files) > LARGEST_SOURCE_BYTES:
            raise ModelNotSaved(model=kind.__qualname__, reason=f"the package {top} has more than 5 MiB of source")
        for file in files:
            target = to / top / file.relative_to(package)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
    else:
        shutil.copyfile(source, to / f"{top}.py")
    return Said(module, kind.__qualname__)


def load(folder: Path, digest: str | None = None, *, may_run_code: bool = False) -> Predictor:
    """The service of a bundle, after a check of every byte, that of the versions it uses included.

    Raises BundleTampered, NotABundle, CodeInModel, ModelUnreadable, and what the flavours of those versions raise.
    """
    bundle = verify_bundle(folder, digest)
    if not (may_run_code and digest is not None):
        raise CodeInModel(file=SERVICE, reason="a service is code of its author's")
    said = msgspec.json.decode(read_verified(bundle, SERVICE), type=Said)
    models = {each.name: predictor_in(folder / MODELS / each.name, each.bundle) for each in bundle.manifest.uses}
    modules = Modules(bundle)
    try:
        with modules:
            service = getattr(import_module(said.module), said.name)()
        return Service(service, Context(folder / FILES, models), bundle.manifest.signature, modules)
    except Exception as e:  # a plug-in call: the service's own module and its `load`
        raise ModelUnreadable(file=f"{CODE}/{said.module}", cause=f"{type(e).__name__}: {e}") from e


def predictor_in(folder: Path, digest: str | None) -> Predictor:
    """The predictor of a version that a service uses, its bundle checked against the digest that it is used by.

    Without a digest it was just fetched and checked, on the machine of who logs the service.
    """
    found = verify_bundle(folder, digest)
    return flavour(found.manifest.flavour).load(folder, found.digest, may_run_code=True)


class Service:
    """A plain-Python service behind the port `Predictor`."""

    def __init__(self, service: Any, context: Context, signature: Signature, modules: Modules | None = None) -> None:
        """modules: those of its bundle, which it imports from; without them those of the program serve."""
        self.service, self.context, self.signature = service, context, signature
        self.modules: AbstractContextManager[object] = modules or nullcontext()
        if hasattr(service, "load"):
            with self.modules:
                service.load(context)
        pieces = pieces_of(service)
        if pieces is not None:
            self.pieces, self.stream = pieces, self.in_pieces  # only then it is one that streams

    def settle(self) -> None:
        """Leaves its modules in place for good, in a process that is there to answer."""
        settle(*self.context.models.values())
        self.modules.__enter__()

    def predict(self, data: Rows | ColumnsIn) -> list[Prediction]:
        """One answer per row, in order. Raises InputMismatch for the first row and field that do not fit."""
        inputs = self.signature.inputs
        columns = check_columns(inputs, data) if isinstance(data, Mapping) else check_rows(inputs, data)
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        if not rows:
            return []
        with self.modules:
            asked = self.service.before(rows) if hasattr(self.service, "before") else rows
            answers = answers_of(self.service, asked)
            if hasattr(self.service, "after"):
                answers = self.service.after(rows, answers)
            found = [as_answer(answer) for answer in answers]
        if len(found) != len(rows):
            raise ValueError(f"the service gave {len(found)} answers for {len(rows)} rows")
        return found

    def in_pieces(self, row: dict[str, Any]) -> Iterator[Prediction]:
        """The pieces of one row's answer, as the service makes them; `after` sees none of them. Raises as `predict`."""
        columns = check_rows(self.signature.inputs, [row])
        asked = [{name: values[0] for name, values in columns.items()}]
        with self.modules:
            if hasattr(self.service, "before"):
                asked = self.service.before(asked)
            for piece in self.pieces(asked[0]):
                yield as_answer(piece)


def pieces_of(service: Any) -> Callable[[dict[str, Any]], Iterator[Any]] | None:
    """How a service makes its answer to a row in pieces: by `stream`, or by a `predict` that is a generator."""
    if hasattr(service, "stream"):
        found: Callable[[dict[str, Any]], Iterator[Any]] = service.stream
        return found
    return (lambda row: service.predict([row])) if inspect.isgeneratorfunction(service.predict) else None


def answers_of(service: Any, rows: list[Any]) -> Any:
    """An answer for each row. Of a service that only makes pieces texts are joined, else the last one counts."""
    if hasattr(service, "predict") and not inspect.isgeneratorfunction(service.predict):
        return service.predict(rows)
    pieces = pieces_of(service)
    assert pieces is not None, "it has `predict` or `stream`"
    return [joined([as_answer(piece) for piece in pieces(row)]) for row in rows]


def joined(pieces: list[Prediction]) -> Any:
    """Pieces as one answer."""
    if not pieces:
        raise ValueError("the service gave no piece")
    values = [piece["prediction"] for piece in pieces]
    is_text = all(isinstance(value, str) for value in values)
    return {**pieces[-1], "prediction": "".join(map(str, values)) if is_text else values[-1]}


def as_answer(answer: Any) -> Prediction:
    """An answer as an object: a plain value is its prediction; what array libraries made becomes Python's."""
    fields = answer if isinstance(answer, Mapping) else {"prediction": answer}
    if "prediction" not in fields:
        raise ValueError(f"the service's answer has no field 'prediction', only {', '.join(map(str, fields))}")
    plain = {name: value.item() if hasattr(value, "item") else value for name, value in fields.items()}
    return cast("Prediction", plain)


def type_of(value: Any, kind: str) -> ColumnType:
    for python, name in TYPES:
        if isinstance(value, python):
            return name
    raise ModelNotSaved(
        model=kind, reason=f"it answers {type(value).__name__}, and an answer is a number, text or truth"
    )
