"""Filters of every shape, for properties that hold for all of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from taxiway.runs.search.filter import And, Field, Node, Not, Or, Term, Value, When, Words

letters = st.characters(exclude_categories=["Cs", "Cc"])
names = st.text(letters, min_size=1, max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(letters, max_size=30)
ordered = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
worded = st.sampled_from(["=", "!=", "contains", "like", "ilike"])
listed = st.sampled_from(["in", "not in"])
empty = st.sampled_from(["is null", "is not null"])
moments = st.integers(0, 4_000_000_000_000).map(lambda ms: When(ms * 1000, 1000, str(ms)))


def terms(
    metrics: st.SearchStrategy[str],
    pairs: st.SearchStrategy[str],
    words: st.SearchStrategy[str],
    values: st.SearchStrategy[float],
    facts: st.SearchStrategy[str],
) -> st.SearchStrategy[Term]:
    """Conditions over these names, texts and numbers."""
    metric = st.builds(Field, st.just("metrics"), metrics)
    param = st.builds(Field, st.just("params"), pairs)
    pair = st.one_of(param, st.builds(Field, st.just("tags"), pairs), st.builds(Field, st.just("run"), facts))
    number = st.builds(Field, st.just("run"), st.sampled_from(["duration_s", "cpu_s"]))
    time = st.builds(Field, st.just("run"), st.sampled_from(["started_at", "ended_at"]))
    many: st.SearchStrategy[Value] = st.lists(words, min_size=1, max_size=3).map(tuple)
    several: st.SearchStrategy[Value] = st.lists(values, min_size=1, max_size=3).map(tuple)
    choices: list[st.SearchStrategy[Any]] = [
        st.builds(Term, st.one_of(metric, param), ordered, values),
        st.builds(Term, st.one_of(metric, param), listed, several),
        st.builds(Term, st.one_of(metric, param, pair, number, time), empty),
        st.builds(Term, pair, worded, words),
        st.builds(Term, pair, listed, many),
        st.builds(Term, pair, st.just("~"), st.sampled_from(["a", "^b", "[0-9]+$", "(x|y)", "."])),
        st.builds(Term, param, st.sampled_from(["=", "!="]), st.booleans()),
        st.builds(Term, number, ordered, values.filter(lambda value: value >= 0)),
        st.builds(Term, time, ordered, moments),
    ]
    return st.one_of(choices)


def trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Node]:
    """Conditions put together, as `joined` would: no ``and`` stands directly in another."""

    def further(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        def parts(kind: type) -> st.SearchStrategy[tuple[Node, ...]]:
            return st.lists(inner.filter(lambda part: not isinstance(part, kind)), min_size=2, max_size=3).map(tuple)

        turned = inner.filter(lambda part: not isinstance(part, Not))
        return st.one_of(st.builds(And, parts(And)), st.builds(Or, parts(Or)), st.builds(Not, turned))

    return st.recursive(leaves, further, max_leaves=6)


facts = st.sampled_from(["id", "name", "status", "experiment", "project", "created_by", "user"])
searched = texts.filter(lambda text: any(c.isalnum() for c in text)).map(Words)
nodes = trees(st.one_of(terms(names, names, texts, numbers, facts), searched))
