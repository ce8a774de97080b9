"""MLflow's search of logged models, whose metrics may be asked of chosen data only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from msgspec import Struct

from taxiway.access.service import Access
from taxiway.compat.mlflow import names
from taxiway.compat.mlflow.call import Call, Given, Int64
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.experiments import visible_numbers
from taxiway.compat.mlflow.grammar import Clause, Key, Order, Vocabulary, arrange, holds, parse, parse_order
from taxiway.compat.mlflow.logged_models import SHOWN, Logged, logged_of
from taxiway.compat.mlflow.paging import page, page_size
from taxiway.compat.mlflow.refusals import invalid
from taxiway.kernel.caller import Caller
from taxiway.kernel.numbers import from_wire
from taxiway.models.logged.contract import LoggedModel
from taxiway.models.logged.service import LoggedModels
from taxiway.runs.experiments import Experiments

MOST_LISTED = 1000
MOST_ORDERS = 20
TEXTS = ("name", "model_id", "model_type", "status", "source_run_id", "experiment_id")
ATTRIBUTES: dict[str, Any] = dict.fromkeys(TEXTS, "text") | dict.fromkeys(
    ("creation_timestamp", "last_updated_timestamp"), "number"
)
VOCABULARY = Vocabulary(
    attributes=ATTRIBUTES,
    aliases={
        "creation_time": "creation_timestamp",
        "creation_timestamp_ms": "creation_timestamp",
        "timestamp": "last_updated_timestamp",
        "last_updated_timestamp_ms": "last_updated_timestamp",
    },
    entities={"metrics": "number", "params": "text", "tags": "text"},
    spellings={"metric": "metrics", "param": "params", "tag": "tags", "attribute": "attributes"},
    listed=TEXTS,
)


class OnData(Struct, frozen=True):
    dataset_name: Given
    dataset_digest: str = ""


class OrderBy(Struct, frozen=True):
    field_name: Given
    ascending: bool = True
    dataset_name: str = ""
    dataset_digest: str = ""


class SearchLogged(Struct, frozen=True):
    experiment_ids: list[str] = []
    filter: str = ""
    datasets: list[OnData] = []
    max_results: Int64 | None = None
    order_by: list[OrderBy] = []
    page_token: str = ""


class Listed(Struct, frozen=True, omit_defaults=True):
    models: list[Logged] = []
    next_page_token: str = ""


search = Call("POST", "/mlflow/logged-models/search", SearchLogged, Listed, "models.read", "platform")


class LoggedSearchCalls:
    """The handler."""

    def __init__(self, access: Access, experiments: Experiments, logged: LoggedModels) -> None:
        self.access = access
        self.experiments = experiments
        self.logged = logged

    def bind(self, dialect: Dialect) -> None:
        dialect.serve(search, self.search)

    def search(self, caller: Caller, ask: SearchLogged) -> Listed:
        """The newest first, where no other order is asked for."""
        size = page_size(ask.max_results or None, usual=100, most=MOST_LISTED)
        clauses = parse(ask.filter, VOCABULARY)
        if len(ask.order_by) > MOST_ORDERS:
            raise invalid("order_by", len(ask.order_by), f"at most {MOST_ORDERS} fields")
        orders = [(order_of(each), [OnData(each.dataset_name, each.dataset_digest)]) for each in ask.order_by]
        numbers = visible_numbers(self.experiments, ask.experiment_ids, self.access.visible(caller))
        found = [each for each in self.logged.within(numbers) if fits(each, clauses, ask.datasets)]
        found.sort(key=lambda each: (-names.in_ms(each.created_at), each.id))
        for order, data in reversed(orders):
            found = arrange(found, [order], partial(newest_on, data if data[0].dataset_name else []))
        rows, token = page(found, size=size, token=ask.page_token)
        return Listed([logged_of(each) for each in rows], token)


def order_of(given: OrderBy) -> Order:
    """Raises BadField."""
    [order] = parse_order([f"{given.field_name} {'ASC' if given.ascending else 'DESC'}"], VOCABULARY)
    return order


def fits(model: LoggedModel, clauses: Sequence[Clause], data: Sequence[OnData]) -> bool:
    """Whether every clause holds; of a metric, for one of its values on the data.

    Where no clause is about a metric, something must have been measured on the data.
    """
    is_measured = any(is_on(metric.dataset, metric.dataset_digest, data) for metric in model.metrics)
    if data and not is_measured and not any(clause.key.entity == "metrics" for clause in clauses):
        return False
    return all(any(holds(clause, value) for value in look(model, clause.key, data)) for clause in clauses)


def look(model: LoggedModel, key: Key, data: Sequence[OnData]) -> list[Any]:
    """The values that a model has for a key: of a metric several, of one it lacks None."""
    match key.entity:
        case "metrics":
            found = [
                from_wire(each.value)
                for each in sorted(model.metrics, key=lambda each: each.at)
                if each.key == key.name and (not data or is_on(each.dataset, each.dataset_digest, data))
            ]
            return found or [None]
        case "params":
            return [model.params.get(key.name)]
        case "tags":
            return [model.tags.get(key.name)]
        case _:
            return [attribute(model, key.name)]


def attribute(model: LoggedModel, name: str) -> Any:
    plain = {
        "name": model.name,
        "model_id": model.id,
        "model_type": model.kind or None,
        "status": SHOWN[model.status].removeprefix("LOGGED_MODEL_"),
        "source_run_id": model.run or None,
        "experiment_id": str(model.experiment),
        "creation_timestamp": names.in_ms(model.created_at),
        "last_updated_timestamp": names.in_ms(model.changed_at),
    }
    return plain[name]


def newest_on(data: Sequence[OnData], model: LoggedModel, key: Key) -> Any:
    """What a model is ordered by; of a metric its newest value, of one that is no number nothing."""
    value = look(model, key, data)[-1]
    return None if isinstance(value, float) and math.isnan(value) else value


def is_on(dataset: str, digest: str, data: Sequence[OnData]) -> bool:
    return any(each.dataset_name == dataset and each.dataset_digest in ("", digest) for each in data)
