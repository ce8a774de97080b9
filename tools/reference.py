"""The pages of docs/reference/, drawn from what the code declares: endpoints, errors, commands, settings."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import re
import types
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

import taxiway
from taxiway.kernel.endpoint import Endpoint, Nothing
from taxiway.kernel.errors import TaxiwayError, fact_names
from taxiway.kernel.settings import ProjectFile, Settings

NOTE = "<!-- Written by `make docs` from the code. Edit the code, not this page. -->"
CONVERTER = re.compile(r":\w+(?=})")  # what a path parameter must look like is the server's business
NOT_IMPORTED = re.compile(r"\.(__main__|migrations)(\.|$)")  # these run something when they are imported


def pages() -> dict[str, str]:
    """Every generated page: its path under docs/, and its text."""
    import_house()
    return {
        "reference/endpoints.md": endpoints_page(),
        "reference/errors.md": errors_page(),
        "reference/command-line.md": command_line_page(),
        "reference/settings.md": settings_page(),
    }


def import_house() -> None:
    """Load every module, so that everything declared is known."""
    for module in pkgutil.walk_packages(taxiway.__path__, "taxiway."):
        if not NOT_IMPORTED.search(module.name):
            importlib.import_module(module.name)


def endpoints_page() -> str:
    declared = sorted(Endpoint.declared.values(), key=lambda e: (noun_of(e), e.path, e.method))
    lines = [
        NOTE,
        "# Endpoints",
        "",
        "What the server answers. The body of a GET or DELETE travels in the query.",
    ]
    structs: dict[str, Any] = {}
    for noun, group in groupby(declared, key=noun_of):
        lines += [
            "",
            f"## {noun}",
            "",
            "| request | what it does | needs | body | answer |",
            "|---|---|---|---|---|",
        ]
        for endpoint in group:
            for struct in (*structs_in(endpoint.body), *structs_in(endpoint.answer)):
                structs[struct.__name__] = struct
            needs = "nothing" if endpoint.scope == "open" else f"`{endpoint.needs}`"
            body = "" if endpoint.body is Nothing else kind(endpoint.body)
            answer = kind(endpoint.answer)
            request = f"`{endpoint.method} {CONVERTER.sub('', endpoint.path)}`"
            lines.append(f"| {request} | {endpoint.summary} | {needs} | {body} | {answer} |")
    lines += ["", "## What is sent and answered"]
    for _, struct in sorted(structs.items()):
        lines += ["", *struct_lines(struct)]
    return "\n".join(lines) + "\n"


def noun_of(endpoint: Endpoint[Any, Any]) -> str:
    steps = [step for step in endpoint.path.split("/") if step and step != "api"]
    return steps[0] if steps else "/"


def struct_lines(struct: Any) -> Iterator[str]:
    yield f"### {struct.__name__}"
    yield ""
    yield from [first_line(struct), ""] if first_line(struct) else []
    fields = msgspec.structs.fields(struct)
    if fields:
        yield "| field | type | when left out |"
        yield "|---|---|---|"
    for field in fields:
        yield f"| `{field.encode_name}` | {kind(field.type)} | {when_left_out(field)} |"


def when_left_out(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "refused"
    if field.default is not msgspec.NODEFAULT:
        return f"`{field.default!r}`"
    return "empty" if field.default_factory in (list, dict, set, tuple) else "made by the server"


def structs_in(annotation: Any) -> Iterator[Any]:
    """The structs that a type speaks of, wherever they stand in it, fields included."""
    seen: set[Any] = set()
    waiting = [annotation]
    while waiting:
        one = waiting.pop()
        if get_origin(one) is not None:
            waiting += [get_origin(one), *get_args(one)]
        elif isinstance(one, type) and issubclass(one, msgspec.Struct) and one not in seen:
            seen.add(one)
            waiting += [field.type for field in msgspec.structs.fields(one)]
            yield one


PLAIN = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "yes or no",
    bytes: "bytes",
    type(None): "nothing",
    None: "nothing",
    Any: "anything",
}


def kind(annotation: Any) -> str:
    """A type as a reader would say it: `list of Run`, `text or nothing`."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is None:
        return PLAIN.get(annotation) or str(getattr(annotation, "__name__", annotation))
    if origin in (Union, types.UnionType):
        return " or ".join(map(kind, args))
    if origin is Annotated:
        return kind(args[0])
    if origin is Literal:
        return " or ".join(f"`{arg}`" for arg in args)
    if origin is dict:
        return f"{kind(args[1])} by name"
    return f"{kind(origin)} of {', '.join(kind(arg) for arg in args if arg is not ...)}"


def errors_page() -> str:
    known = [e for e in TaxiwayError.known.values() if e.__module__.startswith("taxiway.")]
    lines = [
        NOTE,
        "# Errors",
        "",
        "The same class in the service, over HTTP (as problem+json), in the SDK and on the page.",
    ]
    for room, group in groupby(sorted(known, key=lambda e: (room_of(e), e.__name__)), key=room_of):
        lines += ["", f"## {room}", "", "| error | status | facts | when |", "|---|---|---|---|"]
        for error in group:
            facts = ", ".join(f"`{name}`" for name in fact_names(error))
            lines.append(f"| `{error.__name__}` | {error.status} | {facts} | {first_line(error)} |")
    return "\n".join(lines) + "\n"


def room_of(error: type[TaxiwayError]) -> str:
    return error.__module__.split(".")[1]


def first_line(documented: Any) -> str:
    doc = documented.__dict__.get("__doc__") or ""
    return " ".join(doc.strip().split("\n\n")[0].split()).replace("|", "\\|")


def command_line_page() -> str:
    from taxiway.cli import build_parser

    lines = [NOTE, "# Command line", "", "`taxiway NOUN VERB`. Every command also takes `--help`."]
    for command, parser in commands(build_parser([], is_complete=True)):
        lines += ["", f"## {command}", "", "```text", *help_of(parser), "```"]
    return "\n".join(lines) + "\n"


def commands(parser: argparse.ArgumentParser) -> Iterable[tuple[str, argparse.ArgumentParser]]:
    """A parser and all below it, each with the words that lead to it."""
    yield parser.prog, parser
    for action in parser._actions:  # argparse has no public way to list what it knows
        if isinstance(action, argparse._SubParsersAction):
            for below in dict.fromkeys(action.choices.values()):
                yield from commands(below)


def settings_page() -> str:
    """What the surroundings may say, and which of it a project's file may say too."""
    in_file = ProjectFile.__struct_fields__
    lines = [
        NOTE,
        "# Settings",
        "",
        "A variable wins over `taxiway.toml`, which is looked for from the working directory upwards.",
        "What a server is told stands on its [command line](command-line.md).",
        "",
        "| variable | in `taxiway.toml` | says | otherwise |",
        "|---|---|---|---|",
    ]
    for field in msgspec.structs.fields(Settings):
        variable = f"`TAXIWAY_{field.name.upper()}`"
        key = f"`{field.name}`" if field.name in in_file else ""
        otherwise = f"`{field.default}`" if isinstance(field.default, str) else ""
        (described,) = get_args(field.type)[1:]
        lines.append(f"| {variable} | {key} | {described.description} | {otherwise} |")
    return "\n".join(lines) + "\n"


def help_of(parser: argparse.ArgumentParser) -> list[str]:
    return [line.rstrip() for line in parser.format_help().strip().splitlines()]
