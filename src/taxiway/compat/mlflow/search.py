"""MLflow's search of runs, in the one language of searches, of which MLflow's is a part.

What both have is read as MLflow's server reads it, mistakes refused; what only ours has (``or``, parentheses, ``not``,
lists, regular expressions, dates, words) goes through here as everywhere.
"""

from __future__ import annotations

from msgspec import Struct

from taxiway.access.service import Access
from taxiway.compat.mlflow.call import Call, Int64
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.experiments import ViewType, visible_numbers
from taxiway.compat.mlflow.paging import page_size, read_token, write_token
from taxiway.compat.mlflow.refusals import invalid, refused
from taxiway.compat.mlflow.runs import NAME_TAG
from taxiway.compat.mlflow.shown import Run, Showing
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField
from taxiway.runs.experiments import Experiments
from taxiway.runs.search.filter import And, Field, Node, Not, Or, Order, Term
from taxiway.runs.search.language import NAMES, OURS, Language
from taxiway.runs.search.matching import STATUS_WORDS, text_holds
from taxiway.runs.search.parsing import parse_filter, parse_order
from taxiway.runs.search.query import View
from taxiway.runs.search.searching import Ask, Searching

USUAL = 1000
MOST = 50_000
VIEWS: dict[ViewType, View] = {"ACTIVE_ONLY": "active", "DELETED_ONLY": "deleted", "ALL": "all"}

STARTED, ENDED, NAME, STATUS = OURS["started_at"], OURS["ended_at"], OURS["name"], OURS["status"]
ATTRIBUTES = {
    "run_id": OURS["id"],
    "run_name": NAME,
    "run name": NAME,
    "Run name": NAME,
    "Run Name": NAME,
    "status": STATUS,
    "artifact_uri": OURS["artifact_uri"],
    "user_id": OURS["user"],
    "start_time": STARTED,
    "created": STARTED,
    "Created": STARTED,
    "end_time": ENDED,
}
RENAMED = ("id", "name", "user", "run_uuid")  # MLflow has words of its own for these, and refuses ours
LANGUAGE = Language(
    facts={name: field for name, field in NAMES.items() if name not in RENAMED} | ATTRIBUTES,
    attributes=ATTRIBUTES,
    is_strict=True,
)


class SearchRuns(Struct, frozen=True):
    experiment_ids: list[str] = []
    filter: str = ""
    run_view_type: ViewType = "ACTIVE_ONLY"
    max_results: Int64 | None = None
    order_by: list[str] = []
    page_token: str = ""


class Runs(Struct, frozen=True, omit_defaults=True):
    runs: list[Run] = []
    next_page_token: str = ""


search = Call("POST", "/mlflow/runs/search", SearchRuns, Runs, "runs.read", "platform")


class SearchCalls:
    """The handler."""

    def __init__(self, access: Access, experiments: Experiments, searching: Searching, showing: Showing) -> None:
        self.access = access
        self.experiments = experiments
        self.searching = searching
        self.showing = showing

    def bind(self, dialect: Dialect) -> None:
        dialect.serve(search, self.search)

    def search(self, caller: Caller, ask: SearchRuns) -> Runs:
        size = page_size(ask.max_results, usual=USUAL, most=MOST)
        wanted = read(ask, size)
        visible = self.access.visible(caller)
        numbers = visible_numbers(self.experiments, ask.experiment_ids, visible)
        if not numbers:
            return Runs()
        wanted = Ask(
            where=wanted.where,
            order=wanted.order,
            experiments=tuple(numbers),
            view=wanted.view,
            limit=size,
            after=wanted.after,
        )
        try:
            found, following = self.searching.numbers(caller, wanted)
        except BadField as e:
            if e.field != "after":
                raise
            raise invalid("page_token", ask.page_token, "the next_page_token of the page before") from e
        return Runs(self.showing.of(found), write_token(following) if following else "")


def read(ask: SearchRuns, size: int) -> Ask:
    """What is asked for, but in which experiments. Raises CallRefused, ParameterInvalid."""
    try:
        where = parse_filter(ask.filter, LANGUAGE)
        order = parse_order(ask.order_by, LANGUAGE)
    except BadField as e:
        field = "order_by" if e.field == "order" else e.field
        raise refused(f"Invalid {field}: {e.value} is not accepted; give {e.expected}.") from e
    return Ask(
        where=translated(where) if where is not None else None,
        order=tuple(Order(named(one.field), one.is_falling, one.is_text) for one in order),
        view=VIEWS[ask.run_view_type],
        limit=size,
        after=read_token(ask.page_token) if ask.page_token else "",
    )


def translated(node: Node) -> Node:
    """Conditions on the tag that is a run's name as conditions on the name, and on MLflow's statuses as on ours."""
    match node:
        case Term(field) if field == STATUS:
            held = [ours for ours, (_, theirs) in STATUS_WORDS.items() if text_holds(node, theirs)]
            return Term(STATUS, "in", tuple(held))
        case Term(field, sign, value):
            return Term(named(field), sign, value)
        case Not(part):
            return Not(translated(part))
        case And(parts):
            return And(tuple(translated(part) for part in parts))
        case Or(parts):
            return Or(tuple(translated(part) for part in parts))
        case _:
            return node


def named(field: Field) -> Field:
    return NAME if field == Field("tags", NAME_TAG) else field
