"""The CLI of bundles in registries, which stands among that of models."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.compat.oci.pushing import Pulled, Pushed, pull, push
from taxiway.kernel.commands import Argument, Command

if TYPE_CHECKING:
    from taxiway.client import Client

PLAIN = Argument("--plain-http", "speak http, to a registry on this machine or a network of one's own", is_flag=True)


def tell(what: str) -> None:
    """Says on a terminal what is on its way."""
    if sys.stderr.isatty():
        print(f"  {what}", file=sys.stderr)


def push_(client: Client, given: Namespace) -> Pushed:
    return push(client, given.version, given.registry, is_plain=given.plain_http, tell=tell)


def pull_(client: Client | None, given: Namespace) -> Pulled:
    return pull(given.registry, Path(given.folder), is_plain=given.plain_http, tell=tell)


def tell_pushed(found: Pushed) -> str:
    sent = f"{found.new_bytes:,} bytes were new" if found.new_bytes else "every byte was there already"
    count = "1 signed statement refers" if found.statements == 1 else f"{found.statements} signed statements refer"
    return f"{found.reference}\n{sent}; {count} to it. Its stage is {found.stage}."


def tell_pulled(found: Pulled) -> str:
    said = "a statement beside it, which `taxiway evidence verify` holds against the platform's keys, says"
    stage = f" Its stage when it was pushed last: {found.stage}, {said}." if found.stage else ""
    beside = f", {len(found.statements)} signed statements beside it" if found.statements else ""
    return f"{found.folder} holds {found.bundle}: {found.files} files, every byte checked{beside}.{stage}"


COMMANDS = (
    Command(
        "push",
        "push a version with its evidence to an OCI registry",
        push_,
        (
            Argument("version", "MODEL@VERSION, MODEL@ALIAS, or MODEL for the newest version"),
            Argument("registry", "HOST/REPOSITORY:TAG; without a tag, the version's number"),
            PLAIN,
        ),
        show=tell_pushed,
    ),
    Command(
        "pull",
        "bring a bundle from an OCI registry, every byte checked",
        pull_,
        (
            Argument("registry", "HOST/REPOSITORY:TAG or HOST/REPOSITORY@DIGEST"),
            Argument("folder", "the folder to make", is_file=True),
            PLAIN,
        ),
        show=tell_pulled,
        is_offline=lambda given: True,
    ),
)
