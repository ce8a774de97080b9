"""Reads a YAML text into a struct, strictly: whatever is wrong is named with its line and key.

Values are read by YAML 1.2's core schema: only ``true`` and ``false`` are booleans (``no`` stays a word), dates stay
text. Anchors, tags, merged and repeated keys and second documents are refused: a policy says plainly what it says.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec
import yaml
from msgspec import Struct, inspect
from yaml import events

from taxiway.kernel.problems import AT, STEP, bad_field, one_of, types_at
from taxiway.storage.contract import YamlBroken

T = TypeVar("T")

MOST_CHARACTERS = 1 << 20
DEEPEST = 40
MOST_VALUES = 50_000  # reading a megabyte of values of a character each would take a quarter of a minute

INTEGER = re.compile(r"[-+]?[0-9]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
OF_KEY = re.compile(r"(\w+): (.+)", re.DOTALL)  # what a struct says of one of its values, such as "metric: one of …"
WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}


class Node(Struct):
    """A value and where it stands. `line` is where its key is, or itself in a list; counted from 1."""

    line: int
    value: Any
    inside: dict[str, Node] = {}  # by key, or by index written as text


def read_yaml(text: str, kind: type[T], *, name: str) -> T:
    """The struct that a YAML text describes. Raises YamlBroken.

    name: what the text is called in a refusal, such as a file's name.

    >>> class Rule(Struct, forbid_unknown_fields=True):
    ...     at_least: float
    >>> read_yaml("at_least: 0.85", Rule, name="rule.yaml")
    Rule(at_least=0.85)
    """
    node = read_tree(text, name)
    if node.value is None:
        raise YamlBroken(file=name, line=1, key="", problem="there is nothing in it", expected=whole(kind))
    try:
        return msgspec.convert(node.value, kind)
    except msgspec.ValidationError as e:
        raise explain(e, node, kind, name) from e


def read_tree(text: str, name: str) -> Node:
    """The values of a YAML text with their lines. Raises YamlBroken."""
    if len(text) > MOST_CHARACTERS:
        problem = f"the text has {len(text):,} characters"
        raise YamlBroken(file=name, line=1, key="", problem=problem, expected=f"at most {MOST_CHARACTERS:,}")
    try:
        return Reader(text, name).document()
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        words = " ".join(part for part in (e.context, e.problem) if part)
        line = mark.line + 1 if mark else 1
        raise YamlBroken(file=name, line=line, key="", problem=words, expected="valid YAML there") from e
    except yaml.YAMLError as e:
        words = " ".join(str(e).split())
        raise YamlBroken(file=name, line=1, key="", problem=words, expected="YAML in plain text") from e


class Reader:
    """Makes a tree of the parser's events, and never an object of anything but plain values."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.count = 0
        self.events: Iterator[events.Event] = yaml.parse(text, Loader=yaml.SafeLoader)

    def document(self) -> Node:
        next(self.events)  # the stream's start
        first = next(self.events)
        if isinstance(first, events.StreamEndEvent):
            return Node(1, None)
        node = self.node(next(self.events), (), 0)
        next(self.events)  # the document's end
        after = next(self.events)
        if not isinstance(after, events.StreamEndEvent):
            raise self.broken(after, (), "a second document begins here", "one document")
        return node

    def node(self, event: events.Event, keys: tuple[str, ...], depth: int) -> Node:
        self.refuse_magic(event, keys)
        self.count += 1
        if self.count > MOST_VALUES:
            raise self.broken(event, keys, f"the text holds more than {MOST_VALUES:,} values", "a shorter text")
        if depth > DEEPEST:
            raise self.broken(event, keys, f"this is nested more than {DEEPEST} deep", "a flatter text")
        match event:
            case events.MappingStartEvent():
                return self.mapping(event, keys, depth)
            case events.SequenceStartEvent():
                return self.sequence(event, keys, depth)
            case events.ScalarEvent():
                return Node(line_of(event), self.scalar(event, keys))
            case _:
                raise self.broken(event, keys, "this is no value", "a value")

    def mapping(self, start: events.Event, keys: tuple[str, ...], depth: int) -> Node:
        inside: dict[str, Node] = {}
        while not isinstance(event := next(self.events), events.MappingEndEvent):
            self.refuse_magic(event, keys)
            if not isinstance(event, events.ScalarEvent):
                raise self.broken(event, keys, "a key is a list or a mapping", "a word")
            key = event.value
            if key == "<<" and not event.style:
                raise self.broken(event, (*keys, key), "keys are merged in", "the keys themselves, written out")
            if key in inside:
                problem = f"the key stands twice, first on line {inside[key].line}"
                raise self.broken(event, (*keys, key), problem, "each key once")
            inside[key] = self.node(next(self.events), (*keys, key), depth + 1)
            inside[key].line = line_of(event)
        return Node(line_of(start), {key: node.value for key, node in inside.items()}, inside)

    def sequence(self, start: events.Event, keys: tuple[str, ...], depth: int) -> Node:
        inside: dict[str, Node] = {}
        while not isinstance(event := next(self.events), events.SequenceEndEvent):
            index = str(len(inside))
            inside[index] = self.node(event, (*keys, index), depth + 1)
        return Node(line_of(start), [node.value for node in inside.values()], inside)

    def scalar(self, event: events.ScalarEvent, keys: tuple[str, ...]) -> Any:
        text = event.value
        if event.style:  # quoted, or a block of text
            return text
        if text in WORDS:
            return WORDS[text]
        if INTEGER.fullmatch(text):
            if len(text) > 30:
                raise self.broken(event, keys, f"the number has {len(text)} digits", "at most 30, or quotes around it")
            return int(text)
        return float(text) if FLOAT.fullmatch(text) else text

    def refuse_magic(self, event: events.Event, keys: tuple[str, ...]) -> None:
        if isinstance(event, events.AliasEvent) or getattr(event, "anchor", None):
            raise self.broken(event, keys, "anchors (&) and aliases (*) are not read", "the value itself, or quotes")
        if tag := getattr(event, "tag", None):
            raise self.broken(event, keys, f"the tag {tag} is not read", "a plain value")

    def broken(self, event: events.Event, keys: tuple[str, ...], problem: str, expected: str) -> YamlBroken:
        key = ".".join(keys)
        return YamlBroken(file=self.name, line=line_of(event), key=key, problem=problem, expected=expected)


def line_of(event: events.Event) -> int:
    assert event.start_mark is not None
    return event.start_mark.line + 1


def explain(error: msgspec.ValidationError, root: Node, kind: Any, name: str) -> YamlBroken:
    """The refusal for values that do not make the struct."""
    found = AT.match(str(error))
    problem, where = (found["problem"], found["where"] or "$") if found else (str(error), "$")
    steps = [field or index for field, index in STEP.findall(where)]
    steps = [*named(steps, root, kind, str(error))]
    node = walk(root, steps)
    if unknown := re.match(r"Object contains unknown field `(.*)`", problem):
        steps, node = [*steps, unknown[1]], node.inside.get(unknown[1], node)
        keys = keys_at(inspect.type_info(kind), steps[:-1])
        problem = f"there is no such key{perhaps(unknown[1], keys)}"
        expected = f"one of {', '.join(keys)}" if keys else "the keys that the documentation names"
    elif missing := re.match(r"Object missing required field `(.*)`", problem):
        problem, expected = f"the key {missing[1]} is missing", f"a value for {missing[1]}"
    else:
        if (said := OF_KEY.match(problem)) and said[1] in node.inside:
            steps, node, problem = [*steps, said[1]], node.inside[said[1]], said[2]
        field = bad_field(msgspec.ValidationError(problem), node.value, Any)
        expected = one_of(problem, kind, steps) or field.expected
        known = expected.removeprefix("one of ").split(", ") if expected.startswith("one of ") else []
        problem = f"{field.value} is not accepted{perhaps(str(node.value), known)}"
    return YamlBroken(file=name, line=node.line, key=".".join(steps), problem=problem, expected=expected)


def perhaps(given: str, known: Sequence[str]) -> str:
    """What was probably meant, to be said after what is wrong; empty where nothing is near."""
    near = difflib.get_close_matches(given.lower(), known, n=1)
    return f", perhaps {near[0]} was meant" if near else ""


def whole(kind: Any) -> str:
    """What a whole text is to hold, in words."""
    keys = keys_at(inspect.type_info(kind), [])
    return f"the keys {', '.join(keys)}" if keys else "a value"


def walk(node: Node, steps: list[str]) -> Node:
    for step in steps:
        node = node.inside.get(step, node)
    return node


def named(steps: list[str], root: Node, kind: Any, error: str) -> list[str]:
    """The steps with their keys: for an entry of a mapping msgspec says ``...``, so each is tried by itself."""
    done: list[str] = []
    for step in steps:
        entries = walk(root, done).inside
        guilty = [key for key in entries if step == "..." and fails_alone(root, [*done, key], kind, error)]
        done.append(guilty[0] if guilty else step)
    return done


def fails_alone(root: Node, steps: list[str], kind: Any, error: str) -> bool:
    """Whether the same error comes when, of the mapping at the last step, only that entry is there."""
    try:
        msgspec.convert(only(root, steps), kind)
    except msgspec.ValidationError as e:
        return str(e) == error
    return False


def only(node: Node, steps: list[str]) -> Any:
    """The plain values of a node, the mapping at the last step cut down to that one key."""
    step, rest = steps[0], steps[1:]
    if not rest:
        return {step: node.inside[step].value}
    if isinstance(node.value, list):
        return [only(n, rest) if i == step else n.value for i, n in node.inside.items()]
    return {k: only(n, rest) if k == step else n.value for k, n in node.inside.items()}


def keys_at(kind: inspect.Type, steps: list[str]) -> list[str]:
    """The keys that a struct takes after some steps into the type; empty where that is not clear."""
    found = (one for one in types_at(kind, steps) if isinstance(one, inspect.StructType))
    return [field.encode_name for struct in found for field in struct.fields]
