"""Commands that vouch for a version before others: a signature over its files."""

from __future__ import annotations

import os
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from taxiway.kernel.commands import Argument, Command
from taxiway.models.contract import Verified

if TYPE_CHECKING:
    from taxiway.client import Client


class SignatureWritten(Struct, frozen=True):
    """A signature that was written. public: the file with the key that verifies it."""

    file: str
    digest: str
    files: int
    public: str


def sign(client: Client, given: Namespace) -> SignatureWritten:
    from taxiway.models.signing import openssf as signing

    private = Path(given.key) if given.key else signing.own_key(config_folder())
    key = signing.read_private(private)
    with folder_of(client, given.what) as folder:
        signature = Path(given.out or f"{folder.resolve().name}.sig")
        signed = signing.sign_folder(folder, key, signature)
    public = private.with_suffix(".pub.pem")
    if not public.exists():
        public.write_bytes(signing.pem_of(key.public_key()))
    return SignatureWritten(str(signature), signed.digest, signed.files, str(public))


def tell_signed(written: SignatureWritten) -> str:
    return f"{written.file}: {written.files} files, {written.digest}\nverify it with the key {written.public}"


def verify_signed(client: Client, what: str, signature: str, key: str) -> Verified:
    """A folder, or a version as it is fetched, held against a signature in the form of OpenSSF Model Signing."""
    from taxiway.models.signing import openssf as signing

    public = signing.read_public(Path(key) if key else signing.own_key(config_folder()).with_suffix(".pub.pem"))
    with folder_of(client, what) as folder:
        signed = signing.verify_folder(folder, public, Path(signature))
    return Verified(signed.name, 0, signed.digest, signed.files, signed.size_bytes)


@contextmanager
def folder_of(client: Client, what: str) -> Iterator[Path]:
    """A folder that was named, or one that holds a version's bundle for as long as it is needed."""
    if Path(what).is_dir():
        yield Path(what)
        return
    found = client.models.find(what)
    with tempfile.TemporaryDirectory(prefix="taxiway-") as beside:
        name = f"{found.model}@{found.version}"
        yield client.models.download(name, Path(beside) / f"{found.model}-{found.version}").folder


def config_folder() -> Path:
    """Where keys of one's own are kept: `taxiway` in the user's configuration folder."""
    config = os.environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "taxiway"


COMMANDS = (
    Command(
        "sign",
        "sign every file of a version or folder, in the form of OpenSSF Model Signing",
        sign,
        (
            Argument("what", "MODEL@VERSION_OR_ALIAS, or a folder", is_file=True),
            Argument(
                "--key", "a private key on P-256 in PEM; by default one of your own, made at first use", is_file=True
            ),
            Argument("--out", "the file to write; by default MODEL-VERSION.sig", default="", is_file=True),
        ),
        show=tell_signed,
    ),
)
