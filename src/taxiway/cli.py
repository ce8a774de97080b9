"""The command line: `taxiway NOUN VERB`, tables by default, JSON on request. Nouns are imported when they are used."""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from taxiway.kernel.commands import Argument, Command
    from taxiway.kernel.errors import TaxiwayError

NOUNS = {
    "projects": "use cases: owner, purpose, risk, and where they stand",
    "datasets": "versioned tables: schema, profile, contract",
    "runs": "experiments and runs: parameters, metrics, artifacts",
    "traces": "what programs told of requests, step by step",
    "models": "registered models, their versions, aliases and cards",
    "gates": "paths, checks, evidence and approvals",
    "endpoints": "served models: deploy, invoke, trace",
    "monitors": "drift and performance over time, and alerts",
    "discussions": "what people say of things, and whom they ask to look",
    "notices": "your inbox: what waits for you, and what you should know",
    "lineage": "what came from what",
    "audit": "every change, and the proof that none was hidden",
    "evidence": "signed statements of what was found, allowed and done, and the keys that sign",
    "access": "people, tokens and roles",
    "stores": "places outside the home whose files may stay there",
    "hooks": "addresses that are told what happened here",
}
ALONE = {
    "demo": "the whole path once, on real data",
    "init": "write a working project into this folder",
    "server": "serve everything: API, pages and endpoints",
    "run": "run a script and keep what it did",
    "gc": "free what is in the trash, and bytes that nothing needs",
    "import": "bring over everything from an MLflow",
    "export": "write everything as an MLflow keeps it",
    "doctor": "check this machine and home",
    "completion": "print a shell's completion script",
}
# Commands of a noun that stand on higher floors than the noun itself.
FURTHER: dict[str, tuple[str, ...]] = {
    "models": (
        "taxiway.compat.exports.commands",
        "taxiway.compat.oci.commands",
        "taxiway.dossiers.commands",
        "taxiway.dossiers.documents.commands",
    ),
    "endpoints": ("taxiway.compat.exports.endpoint_commands", "taxiway.endpoints.gateway.commands"),
    "gates": ("taxiway.dossiers.judging.commands", "taxiway.dossiers.packs.commands"),
}
EPILOG = """TAXIWAY_URL and TAXIWAY_TOKEN choose a server; without them the nearest .taxiway folder is used.
Every command takes --json. Exit codes: 0 done, 1 refused or not so, 2 wrong usage, 130 interrupted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and gives the exit code for the shell."""
    atexit.register(end_soon)
    given = list(sys.argv[1:] if arguments is None else arguments)
    if refusal := refuse_unknown(given):
        print(f"taxiway: {refusal}", file=sys.stderr)
        return 2
    parser = build_parser(given)
    own, rest = split_rest(given)
    parsed = parser.parse_args(own)
    for argument in parsed.command.arguments if rest and hasattr(parsed, "command") else ():
        if argument.is_rest:
            setattr(parsed, argument.name, rest)
    if not hasattr(parsed, "command"):
        (getattr(parsed, "parser", None) or parser).print_help()
        return 0 if not given else 2
    return execute(parsed)


def end_soon() -> None:
    """What ends need not look through all that it imported, for what is in nobody's hands.

    But where DuckDB is: it tells of every object of its own that was not collected.
    """
    if "duckdb" not in sys.modules:
        gc.freeze()


class Parser(argparse.ArgumentParser):
    """A parser whose complaints end in what to do."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"taxiway: {message}. `{self.prog} --help` says what it takes.\n")


def refuse_unknown(given: Sequence[str]) -> str:
    """What is wrong with the name of a noun, verb or command, and what was perhaps meant; empty where nothing is."""
    words = [word for word in given if not word.startswith("-")]
    asked, names = "taxiway", [*NOUNS, *ALONE]
    if words and words[0] in NOUNS:
        asked = f"taxiway {words.pop(0)}"
        names = [command.name for command in commands_of(asked.rpartition(" ")[2])]
    elif words and words[0] in ALONE:
        return ""
    if not words or words[0] in names:
        return ""
    import difflib

    close = [f"`{asked} {name}`" for name in difflib.get_close_matches(words[0], names, n=2)]
    meant = f" Did you mean {' or '.join(close)}?" if close else ""
    return f"There is no command `{asked} {words[0]}`.{meant} `{asked} --help` lists those there are."


def commands_of(noun: str) -> Sequence[Command]:
    modules = (f"taxiway.{noun}.commands", *FURTHER.get(noun, ()))
    return [command for module in modules for command in importlib.import_module(module).COMMANDS]


def split_rest(given: list[str]) -> tuple[list[str], list[str]]:
    """Our own words, and those after ``--`` for a command that runs another one: they are not ours to read."""
    word = next((w for w in given if not w.startswith("-")), None)
    if word not in ALONE or "--" not in given:
        return given, []
    command = importlib.import_module("taxiway.alone").COMMANDS[word]
    if not any(argument.is_rest for argument in command.arguments):
        return given, []
    at = given.index("--")
    return given[:at], given[at + 1 :]


def build_parser(given: Sequence[str], *, is_complete: bool = False) -> argparse.ArgumentParser:
    """The parser, with the commands of the noun that is asked for, or of all for completion scripts."""
    from taxiway.kernel.version import VERSION

    parser = Parser(
        prog="taxiway",
        description="From experiment to production on one marked, approved path.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"taxiway {VERSION}")
    groups = parser.add_subparsers(metavar="COMMAND", title="commands")
    word = next((w for w in given if not w.startswith("-")), None)
    for noun, about in NOUNS.items():
        group = groups.add_parser(noun, help=about, description=about[:1].upper() + about[1:] + ".")
        group.set_defaults(parser=group)
        if word == noun or is_complete:
            verbs = group.add_subparsers(metavar="VERB", title="verbs")
            for command in commands_of(noun):
                add_command(verbs, command)
    for name, about in ALONE.items():
        if word == name or is_complete:
            add_command(groups, importlib.import_module("taxiway.alone").COMMANDS[name])
        else:
            groups.add_parser(name, help=about)
    return parser


def add_command(group: Any, command: Command) -> None:
    """A command's own parser."""
    parser = group.add_parser(
        command.name, help=command.help, description=command.help[:1].upper() + command.help[1:] + "."
    )
    for argument in command.arguments:
        add_argument(parser, argument)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=command)


def add_argument(parser: argparse.ArgumentParser, argument: Argument) -> None:
    options: dict[str, Any] = {"help": argument.help}
    if argument.is_flag:
        options["action"] = "store_true"
    elif argument.is_rest:
        options["nargs"] = argparse.REMAINDER
    else:
        options |= {"type": argument.kind, "default": argument.default, "choices": argument.choices}
        if argument.is_many:
            options["nargs"] = "*" if argument.is_option or argument.is_optional else "+"
            if argument.is_option:
                options["action"] = "extend"  # said again, it adds
                options["default"] = None if argument.default is None else [*argument.default]
        elif argument.is_optional:
            options["nargs"] = "?"
    added = parser.add_argument(argument.name, **options)
    if argument.is_file:
        added.complete = {"bash": "_shtab_compgen_files", "zsh": "_files"}  # type: ignore[attr-defined]


def execute(parsed: argparse.Namespace) -> int:
    """Runs a parsed command, prints its answer or its refusal."""
    from taxiway.kernel.errors import FileUnusable, TaxiwayError
    from taxiway.kernel.show import as_json, as_text

    command: Command = parsed.command
    try:
        answer = run_command(command, parsed)
        if parsed.json:
            print(as_json(answer))
        elif answer is not None and (
            text := command.show(answer) if command.show else as_text(answer, command.columns)
        ):
            print(text)
    except TaxiwayError as refusal:
        return tell_refusal(refusal, is_json=parsed.json)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as e:  # a file that the command was given, or was to write
        if e.filename is None:
            raise
        return tell_refusal(FileUnusable(file=str(e.filename), cause=e.strerror or str(e)), is_json=parsed.json)
    if command.exit_code is not None:
        return command.exit_code(answer)
    return 0


def tell_refusal(refusal: TaxiwayError, *, is_json: bool) -> int:
    """Prints a refusal where errors go, and gives its exit code."""
    from taxiway.kernel.show import as_json

    print(as_json(refusal) if is_json else f"taxiway: {refusal}", file=sys.stderr)
    return refusal.exit_code


def run_command(command: Command, parsed: argparse.Namespace) -> Any:
    """What the command gives. Commands of a noun get a client; the others manage for themselves."""
    if command.name in ALONE and parsed.command.run.__module__.startswith("taxiway.alone"):
        return command.run(None, parsed)
    if command.is_offline is not None and command.is_offline(parsed):
        return command.run(None, parsed)
    from taxiway.client import connect

    with connect(door="cli") as client:
        answer = command.run(client, parsed)
        if answer in ([], ()) and (project := getattr(parsed, "project", None)):
            client.projects.show(project)  # nothing of a project that is not there: its name is misspelt
        return answer
