"""Full text: the words by which a run is found. An index of our own, so that both databases find the same runs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import ColumnElement, Connection, and_, delete, select

from taxiway.runs.search.filter import NOTE
from taxiway.runs.tables import LONGEST_HEAD, keys, runs, tags, words
from taxiway.storage.rows import inserting

WORD = re.compile(r"[^\W_]+")
MOST_WORDS = 1_000  # of a text; a note of many pages is found by its beginning
LAST = chr(0x10FFFF)
HIDDEN = "mlflow."  # tags in which MLflow's client keeps house; the note, the user and the source are for people
SHOWN = (NOTE, "mlflow.user", "mlflow.source.name")


def words_of(text: str) -> list[str]:
    """The words of a text, in their order, case folded: letters and digits between all that is neither.

    >>> words_of("Calm-Heron 12")
    ['calm', 'heron', '12']
    """
    found = WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return [word[:LONGEST_HEAD] for word in found[:MOST_WORDS]]


def is_shown(tag: str) -> bool:
    """Whether a run is found by what this tag says."""
    return tag in SHOWN or not tag.startswith(HIDDEN)


def words_of_run(name: str, given: Mapping[str, str]) -> set[str]:
    """What a run of this name and these tags is found by."""
    texts = [name, *(text for tag, text in given.items() if is_shown(tag))]
    return {word for text in texts for word in words_of(text)}


def has_words(text: str) -> ColumnElement[bool]:
    """That every word of the text begins one of the run's."""
    return and_(
        *(
            runs.c.number.in_(select(words.c.run).where(words.c.word >= word, words.c.word < word + LAST))
            for word in dict.fromkeys(words_of(text))
        )
    )


def known_words(connection: Connection, numbers: Sequence[int]) -> dict[int, set[str]]:
    """The words of runs by number, from their names and tags as they are stored."""
    names = connection.execute(select(runs.c.number, runs.c.name).where(runs.c.number.in_(numbers)))
    found = {row.number: (row.name, dict[str, str]()) for row in names}
    query = select(tags.c.run, keys.c.name, tags.c.text).join(keys, keys.c.number == tags.c.key)
    for row in connection.execute(query.where(tags.c.run.in_(numbers))):
        if row.run in found:
            found[row.run][1][row.name] = row.text
    return {number: words_of_run(name, given) for number, (name, given) in found.items()}


def add(connection: Connection, run: int, new: Iterable[str]) -> None:
    """Adds words to a run's; those that are there already stay."""
    if rows := [{"word": word, "run": run} for word in sorted(set(new))]:
        connection.execute(inserting(connection, words).on_conflict_do_nothing(), rows)


def forget(connection: Connection, run: int, old: Iterable[str]) -> None:
    if gone := sorted(set(old)):
        connection.execute(delete(words).where(words.c.run == run, words.c.word.in_(gone)))


@contextmanager
def kept(connection: Connection, run: int) -> Iterator[None]:
    """Has the index follow whatever the block does to the run's name and tags."""
    before = known_words(connection, [run]).get(run, set())
    yield
    after = known_words(connection, [run]).get(run, set())
    forget(connection, run, before - after)
    add(connection, run, after - before)
