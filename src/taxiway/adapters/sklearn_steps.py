"""What scikit-learn's transformers do to a row, as steps of a twin: scalers, imputers, encoders, and columns apart."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from taxiway.models.predicting.signature import Column
from taxiway.models.twins.record import NoTwin
from taxiway.models.twins.steps import Beside, Each, Fill, Matches, Pick, Step, Times

TEXT = frozenset({"string", "category"})
NUMERIC = frozenset({"boolean", "integer", "number"})


class Preparing:
    """The steps so far, and what each column is after them: the name of a column of text, or None for numbers.

    is_sparse: whether the rows leave out their zeros.
    """

    def __init__(self, inputs: Sequence[Column]) -> None:
        """Raises NoTwin for a column that holds neither numbers nor words."""
        for each in inputs:
            if each.type not in TEXT | NUMERIC:
                raise NoTwin(f"its column {each.name} holds no numbers")
        self.names = [each.name for each in inputs]
        self.columns: list[str | None] = [each.name if each.type in TEXT else None for each in inputs]
        self.words = {each.name: list(each.categories or ()) for each in inputs if each.type in TEXT}
        self.closed = {each.name for each in inputs if each.type == "category"}
        self.refused: set[str] = set()
        self.steps: list[Step] = []
        self.is_sparse = False

    def take(self, transformer: Any) -> None:
        """Adds what a transformer does. Raises NoTwin for one that is not known."""
        steps, self.columns = self.read(transformer, self.columns)
        self.steps += steps
        is_sparse = getattr(transformer, "sparse_output_", getattr(transformer, "sparse_output", False))
        self.is_sparse = bool(self.is_sparse or is_sparse)

    def check_numbers(self) -> None:
        """Raises NoTwin where words reach the model."""
        if (name := next((each for each in self.columns if each is not None), None)) is not None:
            raise NoTwin(f"its column {name} holds no numbers")

    def read(self, transformer: Any, columns: list[str | None]) -> tuple[list[Step], list[str | None]]:
        """The steps of a transformer over columns, and what these are afterwards."""
        if transformer is None or (isinstance(transformer, str) and transformer == "passthrough"):
            return [], columns
        kind = type(transformer).__name__
        cls = type(transformer)
        is_own = cls.__module__.startswith("sklearn.") and getattr(sys.modules[cls.__module__], kind, None) is cls
        is_own = is_own and not any(callable(getattr(cls, name, None)) for name in vars(transformer))
        if not is_own or kind not in KINDS:
            raise NoTwin(f"{kind} prepares its rows, and no twin does that")
        return KINDS[kind](self, transformer, columns)

    def numbers(self, columns: list[str | None], kind: str) -> None:
        if (name := next((each for each in columns if each is not None), None)) is not None:
            raise NoTwin(f"its column {name} holds no numbers, and {kind} takes none else")

    def place(self, column: str, word: object) -> float:
        """The place of a word, which is given one where it is new."""
        if not isinstance(word, str):
            raise NoTwin(f"an encoder of its column {column} knows {word!r}, which is no word")
        known = self.words[column]
        if word not in known:
            known.append(word)
        return float(known.index(word))

    def places(self, column: str | None, values: Any) -> list[float]:
        """What an encoder knows, as numbers."""
        if column is not None:
            return [self.place(column, value) for value in values]
        try:
            found = [float(value) for value in values]
        except (TypeError, ValueError) as e:
            raise NoTwin(f"an encoder of numbers knows {values!r}") from e
        if any(np.isnan(value) for value in found):
            raise NoTwin("an encoder counts gaps as a value, which no twin does")
        return found

    def refuse(self, column: str | None, values: Any, kind: str) -> None:
        """An encoder takes nothing but what it knows. Raises NoTwin where a twin could not refuse the rest."""
        if column is None:
            raise NoTwin(f"{kind} refuses numbers that it does not know, and no twin can; let it ignore them")
        if column in self.closed and not set(self.words[column]) <= set(values):
            raise NoTwin(f"{kind} does not know all that its column {column} may hold")
        self.refused.add(column)


Read = tuple[list[Step], list[str | None]]


def scaled(*facts: tuple[str, str]) -> Callable[[Preparing, Any, list[str | None]], Read]:
    """A transformer that does one operation after the other with an attribute of a number for each column."""

    def read(preparing: Preparing, model: Any, columns: list[str | None]) -> Read:
        preparing.numbers(columns, type(model).__name__)
        if getattr(model, "clip", False):
            raise NoTwin(f"{type(model).__name__} cuts its numbers off, and no twin does that")
        steps: list[Step] = []
        for kind, name in facts:
            value = getattr(model, name, None)
            if value is None or (name == "mean_" and not model.with_mean):
                continue
            by = np.asarray(value, dtype=np.float64)
            steps.append(Each(kind, by))  # type: ignore[arg-type]  # one of the four, from the table below
        return steps, columns

    return read


def imputed(preparing: Preparing, model: Any, columns: list[str | None]) -> Read:
    is_plain = isinstance(model.missing_values, float) and np.isnan(model.missing_values)
    if any(columns) and model.missing_values is None:
        is_plain = all(columns)
    if not is_plain or model.add_indicator:
        raise NoTwin("SimpleImputer fills something else than plain gaps, or marks them, and no twin does that")
    filled = []
    for column, value in zip(columns, model.statistics_, strict=True):
        if value is None or (isinstance(value, float) and np.isnan(value)):
            raise NoTwin("SimpleImputer leaves out a column that held nothing, and no twin does that")
        filled.append(preparing.place(column, value) if column is not None else float(value))
    return [Fill(np.array(filled))], columns


def one_hot(preparing: Preparing, model: Any, columns: list[str | None]) -> Read:
    """A column of zeros and ones for each value."""
    if model.drop is not None or model.min_frequency is not None or model.max_categories is not None:
        raise NoTwin("OneHotEncoder leaves out or joins values, and no twin does that")
    picked: list[int] = []
    values: list[float] = []
    for at, (column, known) in enumerate(zip(columns, model.categories_, strict=True)):
        own = preparing.places(column, known.tolist())
        if model.handle_unknown == "error":
            preparing.refuse(column, known.tolist(), "OneHotEncoder")
        picked += [at] * len(own)
        values += own
    return [Pick(np.array(picked)), Matches(np.array(values))], [None] * len(picked)


def ordinal(preparing: Preparing, model: Any, columns: list[str | None]) -> Read:
    """The place of each value among those known."""
    if model.min_frequency is not None or model.max_categories is not None:
        raise NoTwin("OrdinalEncoder joins values, and no twin does that")
    is_open = model.handle_unknown != "error"
    unknown = float(model.unknown_value) if is_open else -1.0
    if np.isnan(unknown):
        raise NoTwin("OrdinalEncoder makes gaps of what it does not know, and no twin does that")
    picked: list[int] = []
    values: list[float] = []
    weights: list[float] = []
    for at, (column, known) in enumerate(zip(columns, model.categories_, strict=True)):
        own = preparing.places(column, known.tolist())
        if not is_open:
            preparing.refuse(column, known.tolist(), "OrdinalEncoder")
        picked += [at] * len(own)
        values += own
        weights += [place - unknown for place in range(len(own))]
    matrix = np.zeros((len(picked), len(columns)))
    matrix[np.arange(len(picked)), picked] = weights
    steps: list[Step] = [Pick(np.array(picked)), Matches(np.array(values)), Times(matrix)]
    return [*steps, Each("Add", np.full(len(columns), unknown))], [None] * len(columns)


def unchanged(preparing: Preparing, model: Any, columns: list[str | None]) -> Read:
    """What a ColumnTransformer makes of `passthrough`: a function that was not given."""
    if model.func is not None:
        raise NoTwin("FunctionTransformer calls a function of its own, and no twin does that")
    return [], columns


def in_turn(preparing: Preparing, model: Any, columns: list[str | None]) -> Read:
    steps: list[Step] = []
    for _, step in model.steps:
        more, columns = preparing.read(step, columns)
        steps += more
    return steps, columns


def apart(preparing: Preparing, model: Any, columns: list[str | None]) -> Read:
    """Each transformer over columns of its own, side by side."""
    if model.transformer_weights:
        raise NoTwin("ColumnTransformer weighs its columns, and no twin does that")
    ways: list[tuple[Step, ...]] = []
    after: list[str | None] = []
    for _, transformer, chosen in model.transformers_:
        picked = positions(model, chosen, len(columns))
        if not picked or (isinstance(transformer, str) and transformer == "drop"):
            continue
        steps, own = preparing.read(transformer, [columns[at] for at in picked])
        ways.append((Pick(np.array(picked)), *steps))
        after += own
    if not ways:
        raise NoTwin("ColumnTransformer leaves nothing over")
    return ([Beside(tuple(ways))] if len(ways) > 1 else list(ways[0])), after


def positions(model: Any, chosen: Any, width: int) -> list[int]:
    """The columns that a transformer of a ColumnTransformer is given. Raises NoTwin for a column alone."""
    if isinstance(chosen, slice) and not isinstance(chosen.start, str) and not isinstance(chosen.stop, str):
        return list(range(width))[chosen]
    if isinstance(chosen, str | int | slice):
        raise NoTwin("ColumnTransformer gives a transformer one column alone, or a range of names; give it a list")
    names = list(getattr(model, "feature_names_in_", ()))
    found = []
    values = list(chosen)
    if values and all(isinstance(value, bool | np.bool_) for value in values):
        return [at for at, is_in in enumerate(values) if is_in]
    for value in values:
        if isinstance(value, str) and value not in names:
            raise NoTwin(f"ColumnTransformer knows its column {value} by a name that its rows do not have")
        found.append(names.index(value) if isinstance(value, str) else int(value) % width)
    return found


KINDS: dict[str, Callable[[Preparing, Any, list[str | None]], Read]] = {
    "StandardScaler": scaled(("Sub", "mean_"), ("Div", "scale_")),
    "MinMaxScaler": scaled(("Mul", "scale_"), ("Add", "min_")),
    "MaxAbsScaler": scaled(("Div", "scale_")),
    "RobustScaler": scaled(("Sub", "center_"), ("Div", "scale_")),
    "SimpleImputer": imputed,
    "OneHotEncoder": one_hot,
    "OrdinalEncoder": ordinal,
    "ColumnTransformer": apart,
    "FunctionTransformer": unchanged,
    "Pipeline": in_turn,
}
