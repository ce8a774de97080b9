"""Where blobs are kept, as a URL says it: a folder, or a bucket of an S3-compatible store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

from taxiway.kernel.errors import BadField, TaxiwayError

EXPECTED = "s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION, or file:///FOLDER"
OPTIONS = ("endpoint", "region", "credentials")


class StoreUnusable(TaxiwayError):
    """A blob store that cannot be opened: not there, not ours to write, or its package is missing."""

    status = 503
    store: str
    cause: str
    next_step: str

    def __str__(self) -> str:
        return f"The store {self.store} cannot be used: {self.cause}. {self.next_step}"


class Folder(Struct, frozen=True):
    """A folder of this machine."""

    folder: Path

    def __str__(self) -> str:
        return self.folder.as_uri()


class Bucket(Struct, frozen=True):
    """A part of a bucket. endpoint: empty is Amazon's own. is_instance: the machine's own role signs."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    is_instance: bool = False

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}" + (f"?endpoint={self.endpoint}" if self.endpoint else "")


def parse_place(url: str, field: str = "--blobs") -> Folder | Bucket:
    """The place that a URL names. Raises BadField; a password in it is never repeated."""
    parts = urlsplit(url)
    if "@" in url:
        expected = "a URL without credentials; they come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        raise BadField(field=field, value="a URL with credentials", expected=expected)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and not parts.query and parts.path != "/":
        return Folder(Path(unquote(parts.path)).absolute())
    if parts.scheme != "s3" or not parts.hostname or parts.fragment:
        raise BadField(field=field, value=repr(url), expected=EXPECTED)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    prefix = unquote(parts.path).removeprefix("/").removesuffix("/")
    if given.keys() - set(OPTIONS) or any(step in ("", ".", "..") for step in prefix.split("/") if prefix):
        raise BadField(field=field, value=repr(url), expected=EXPECTED)
    endpoint = given.get("endpoint", "").rstrip("/")
    inner = urlsplit(endpoint)
    if endpoint and (inner.scheme not in ("http", "https") or not inner.hostname or "@" in inner.netloc):
        raise BadField(field=field, value=repr(url), expected=EXPECTED)
    if given.get("credentials", "environment") not in ("environment", "instance"):
        raise BadField(field=field, value=repr(url), expected=f"{EXPECTED}; credentials=environment or instance")
    is_instance = given.get("credentials") == "instance"
    return Bucket(parts.netloc, prefix, endpoint, given.get("region") or "us-east-1", is_instance)
