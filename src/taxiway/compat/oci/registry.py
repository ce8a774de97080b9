"""A registry over HTTP, as OCI's distribution spec 1.1 has it: blobs, manifests, referrers."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import os
import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode, urljoin, urlsplit

from taxiway.compat.oci import layout
from taxiway.compat.oci.layout import Descriptor
from taxiway.compat.oci.refusals import RegistryRefused, RegistrySays
from taxiway.kernel.version import VERSION

TIMEOUT_S = 60.0
MOST_MANIFEST = 4 << 20
MOST_REDIRECTS = 3
CHUNK = 1 << 20
ACCEPTED = f"{layout.IMAGE}, {layout.INDEX}"
CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


class Reply:
    """An answer that was read whole, or whose body is read by who asked."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


class Registry:
    """A repository of a registry."""

    def __init__(self, host: str, repository: str, *, is_plain: bool = False) -> None:
        """is_plain: over http, for a registry on this machine or within a network of one's own."""
        self.host = host
        self.repository = repository
        self.base = f"{'http' if is_plain else 'https'}://{host}"
        self.authorization = ""

    @contextlib.contextmanager
    def understood(self) -> Iterator[None]:
        """While answers are read: one that is not as the specification has it is a refusal. Raises RegistryRefused."""
        try:
            yield
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, http.client.HTTPException) as e:
            raise self._refused("answer as registries do", f"{type(e).__name__}: {str(e)[:200]}") from e

    # --- blobs ---

    def has_blob(self, digest: str) -> bool:
        return self._ask("HEAD", f"/blobs/{digest}", expected=(200, 404)).status == 200

    def put_blob(self, source: IO[bytes], size: int, digest: str) -> bool:
        """Stores a blob; False where it was there. Raises RegistryRefused."""
        if self.has_blob(digest):
            return False
        begun = self._ask("POST", "/blobs/uploads/", expected=(202,), body=b"")
        where = urljoin(f"{self.base}/v2/{self.repository}/blobs/uploads/", begun.headers.get("location", ""))
        where += f"{'&' if '?' in where else '?'}{urlencode({'digest': digest})}"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        self._ask("PUT", where, expected=(201,), body=source, headers=headers)
        return True

    def get_blob(self, digest: str, into: IO[bytes], most: int) -> None:
        """Writes a blob, every byte held against its digest. Raises RegistryRefused."""
        hasher, size = hashlib.sha256(), 0
        with self._open("GET", f"/blobs/{digest}", expected=(200,)) as answer:
            while chunk := answer.read(CHUNK):
                size += len(chunk)
                if size > most:
                    raise self._refused("give a blob", f"{digest} is longer than the {most} bytes that were told")
                hasher.update(chunk)
                into.write(chunk)
        if f"sha256:{hasher.hexdigest()}" != digest or size != most:
            raise self._refused("give a blob", f"what came for {digest} has another digest")

    # --- manifests ---

    def put_manifest(self, data: bytes, at: str = "", kind: str = layout.IMAGE) -> Descriptor:
        """Stores a manifest under a tag, or under its digest alone."""
        digest = layout.digest_of(data)
        done = self._ask(
            "PUT", f"/manifests/{at or digest}", expected=(201,), body=data, headers={"Content-Type": kind}
        )
        said = done.headers.get("docker-content-digest", digest)
        if said != digest:
            raise self._refused("keep a manifest", f"it has {digest}, and the registry calls it {said}")
        return Descriptor(kind, digest, len(data))

    def get_manifest(self, at: str) -> tuple[Descriptor, dict[str, Any]]:
        """A manifest by tag or digest. Raises RegistryRefused."""
        reply = self._ask("GET", f"/manifests/{at}", expected=(200,), headers={"Accept": ACCEPTED})
        digest = layout.digest_of(reply.body)
        if layout.DIGEST.fullmatch(at) and digest != at:
            raise self._refused("give a manifest", f"what came for {at} has another digest")
        try:
            found = json.loads(reply.body)
        except ValueError as e:
            raise self._refused("give a manifest", "what came is no JSON") from e
        kind = found.get("mediaType", "") if isinstance(found, dict) else ""
        if not isinstance(found, dict):
            raise self._refused("give a manifest", "what came is no manifest")
        return Descriptor(kind, digest, len(reply.body)), found

    # --- referrers ---

    def refer(self, subject: Descriptor, kind: str, said: Sequence[tuple[bytes, dict[str, str]]]) -> None:
        """Has things of a kind, each with annotations, refer to an image; what refers to it already is left as it is.

        A registry without the referrers API keeps an index of them under a tag, which is written once.
        """
        known = self.referrers(subject.digest)
        there = {each.get("digest") for each in known}
        unlisted: list[dict[str, Any]] = []
        self.put_blob(BytesIO(layout.NOTHING), len(layout.NOTHING), layout.digest_of(layout.NOTHING))
        for data, about in said:
            named = {layout.TITLE: about.get(layout.TITLE, "file")}
            blob = Descriptor(kind, layout.digest_of(data), len(data), named)
            manifest = layout.referrer_of(subject, kind, blob, about)
            digest = layout.digest_of(manifest)
            if digest in there:
                continue
            self.put_blob(BytesIO(data), len(data), blob.digest)
            headers = {"Content-Type": layout.IMAGE}
            done = self._ask("PUT", f"/manifests/{digest}", expected=(201,), body=manifest, headers=headers)
            if "oci-subject" not in done.headers:
                unlisted.append(layout.listed(Descriptor(layout.IMAGE, digest, len(manifest), about), kind))
        if unlisted:
            self.put_manifest(layout.index_of([*known, *unlisted]), layout.tag_of(subject.digest), layout.INDEX)

    def referrers(self, digest: str) -> list[dict[str, Any]]:
        """What refers to an image."""
        reply = self._ask("GET", f"/referrers/{digest}", expected=(200, 404), headers={"Accept": layout.INDEX})
        if reply.status == 404:
            return self._listed(digest)
        found = json.loads(reply.body)
        return list(found.get("manifests") or [])

    def _listed(self, digest: str) -> list[dict[str, Any]]:
        at = f"/manifests/{layout.tag_of(digest)}"
        reply = self._ask("GET", at, expected=(200, 404), headers={"Accept": ACCEPTED})
        return list(json.loads(reply.body).get("manifests") or []) if reply.status == 200 else []

    # --- asking ---

    def _ask(
        self,
        method: str,
        path: str,
        *,
        expected: tuple[int, ...],
        body: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        with self._open(method, path, expected=expected, body=body, headers=headers) as answer:
            data = answer.read(MOST_MANIFEST + 1)
            if len(data) > MOST_MANIFEST:
                raise self._refused("answer", f"more than {MOST_MANIFEST} bytes came")
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, data)

    @contextlib.contextmanager
    def _open(
        self,
        method: str,
        path: str,
        *,
        expected: tuple[int, ...],
        body: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """An answer, after the registry knows who asks. Raises RegistrySays, RegistryRefused."""
        url = path if "://" in path else f"{self.base}/v2/{self.repository}{path}"
        for attempt in range(MOST_REDIRECTS + 2):
            with contextlib.closing(self._connect(url)) as connection:
                answer = self._send(connection, method, url, body, headers or {})
                if answer.status == 401 and attempt == 0:
                    self.authorization = self._known(answer.getheader("www-authenticate") or "")
                    rewind(body)
                    continue
                if answer.status in (301, 302, 303, 307, 308) and method in ("GET", "HEAD"):
                    url = urljoin(url, answer.getheader("location") or "")
                    continue
                if answer.status in (401, 403):
                    raise RegistrySays(registry=self.host)
                if answer.status not in expected:
                    raise self._refused(f"take {method} {urlsplit(url).path}", told(answer))
                yield answer
                return
        raise self._refused("answer", "it leads from one address to the next")

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        url: str,
        body: bytes | IO[bytes] | None,
        headers: Mapping[str, str],
    ) -> http.client.HTTPResponse:
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        own = {"User-Agent": f"taxiway/{VERSION}", **headers}
        if self.authorization and f"{parts.scheme}://{parts.netloc}" == self.base:  # never to where it redirects
            own["Authorization"] = self.authorization
        try:
            connection.request(method, target, body=body, headers=own)
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as e:
            raise self._refused("answer", str(getattr(e, "strerror", None) or e) or type(e).__name__) from e

    def _connect(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(parts.netloc, timeout=TIMEOUT_S, context=context)
        if parts.scheme != "http" or not self.base.startswith("http:"):
            raise self._refused("answer safely", f"it leads to {parts.scheme or 'no'} address")
        return http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_S)

    def _known(self, challenge: str) -> str:
        """The header that says who asks, as the registry wants it. Raises RegistrySays."""
        secret = credentials(self.host)
        basic = f"Basic {secret}" if secret else ""
        kind, _, rest = challenge.partition(" ")
        if kind.lower() == "basic" and basic:
            return basic
        given = dict(CHALLENGE.findall(rest))
        realm = given.pop("realm", "")
        if kind.lower() != "bearer" or urlsplit(realm).scheme not in ("https", urlsplit(self.base).scheme):
            raise RegistrySays(registry=self.host)
        wanted = {"service": given.get("service", ""), "scope": f"repository:{self.repository}:pull,push"}
        url = f"{realm}{'&' if '?' in realm else '?'}{urlencode(wanted)}"
        with contextlib.closing(self._connect(url)) as connection:
            headers = {"Authorization": basic} if basic else {}
            answer = self._send(connection, "GET", url, None, headers)
            body = answer.read(MOST_MANIFEST)
        if answer.status != 200:
            raise RegistrySays(registry=self.host)
        found = json.loads(body)
        return f"Bearer {found.get('token') or found.get('access_token') or ''}"

    def _refused(self, asked: str, cause: str) -> RegistryRefused:
        return RegistryRefused(registry=f"{self.host}/{self.repository}", asked=asked, cause=cause)


def rewind(body: bytes | IO[bytes] | None) -> None:
    if body is not None and not isinstance(body, bytes):
        body.seek(0)


def told(answer: http.client.HTTPResponse) -> str:
    """What a registry says of an error."""
    try:
        errors = json.loads(answer.read(64 << 10))["errors"]
        words = "; ".join(str(each.get("message") or each.get("code")) for each in errors)
    except (ValueError, KeyError, TypeError, AttributeError):
        words = ""
    return f"it answered {answer.status}" + (f", {words}" if words else "")


def credentials(host: str) -> str:
    """Name and password for a registry as Basic has them: of the environment, else of Docker's file; empty if none."""
    user, password = os.environ.get("TAXIWAY_REGISTRY_USER"), os.environ.get("TAXIWAY_REGISTRY_PASSWORD")
    if user and password is not None:
        return base64.b64encode(f"{user}:{password}".encode()).decode()
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        known = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("auths", {})
    except (OSError, ValueError, AttributeError):
        return ""
    entry = known.get(host) or known.get(f"https://{host}") or {}
    return str(entry.get("auth", ""))
