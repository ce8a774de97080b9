"""One promotion tried at four doors as one person, and what each door said: SDK, command line, REST and page."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from taxiway.client import Client
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.contract import Target

TIMEOUT_S = 60.0
DOORS = ("SDK", "CLI", "REST", "page")
FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


class Said(Struct, frozen=True):
    """What one door answered. words: the refusal; empty where it let the version through."""

    door: str
    asked: str
    answered: str
    words: str


def refusals(client: Client, url: str, token: str, link: str, *, version: str, stage: Target) -> list[Said]:
    """What each door answers.

    version: such as ``mortgage@1``. link: a fresh sign-in link of the same person, for the page.
    """
    return [
        by_sdk(client, version, stage),
        by_cli(url, token, version, stage),
        by_rest(url, token, version, stage),
        by_page(url, link, version, stage),
    ]


def by_sdk(client: Client, version: str, stage: Target) -> Said:
    asked = f"client.models.promote({version!r}, {stage!r})"
    try:
        client.models.promote(version, stage)
    except TaxiwayError as refusal:
        return Said("SDK", asked, f"raised {type(refusal).__name__}", str(refusal))
    return Said("SDK", asked, "moved", "")


def by_cli(url: str, token: str, version: str, stage: str) -> Said:
    words = ("models", "promote", version, stage)
    done = taxiway(*words, url=url, token=token)
    said = done.stderr.strip().removeprefix("taxiway: ") if done.returncode == 1 else ""
    return Said("CLI", " ".join(("taxiway", *words)), f"exit code {done.returncode}", said)


def taxiway(*words: str, url: str = "", token: str = "") -> subprocess.CompletedProcess[str]:
    """Runs the command line as the person that the token belongs to; without a url, where there is no platform."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAXIWAY_")}
    given = {"TAXIWAY_URL": url, "TAXIWAY_TOKEN": token} if url else {}
    return subprocess.run(
        [sys.executable, "-m", "taxiway", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
        env={**kept, **given},
    )


def by_rest(url: str, token: str, version: str, stage: str) -> Said:
    """The `detail` of the problem+json answer (RFC 9457)."""
    model, _, number = version.partition("@")
    path = f"/api/models/{model}/versions/{number}/stage"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer, text = ask(url, "POST", path, json.dumps({"stage": stage}).encode(), headers)
    is_problem = answer.getheader("Content-Type") == "application/problem+json"
    return Said("REST", f"POST {path}", in_short(answer), str(json.loads(text)["detail"]) if is_problem else "")


def by_page(url: str, link: str, version: str, stage: str) -> Said:
    """The sentence that the page shows when its form is sent, as a browser sends it."""
    model, _, number = version.partition("@")
    page = f"/models/{model}/versions/{number}"
    form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html", "Origin": url}
    entered, _ = ask(url, "POST", urlsplit(link).path, b"", form)
    cookies = SimpleCookie(entered.getheader("Set-Cookie", ""))
    form["Cookie"] = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
    _, text = ask(url, "GET", page, b"", form)
    found = FORM_TOKEN.search(text)
    fields = {"form_token": found[1] if found else "", "stage": stage, "reason": ""}
    answer, text = ask(url, "POST", f"{page}/stage", urlencode(fields).encode(), form)
    return Said("page", f"the form on {page}", in_short(answer), refusal_on(text))


def in_short(answer: http.client.HTTPResponse) -> str:
    """An answer's status and kind, such as ``409 text/html``."""
    return f"{answer.status} {answer.getheader('Content-Type', '').partition(';')[0]}"


def ask(url: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, str]:
    """One request over a connection of its own, with no library in between."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_S)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer, answer.read().decode()
    finally:
        connection.close()


class Refusal(HTMLParser):
    """Collects the text of the box that alerts, as it was written: items with a dash, commands in backticks."""

    MARKS = {"p": "\n", "li": "\n- ", "code": "`"}

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0  # of the boxes that are open, from the one that alerts inwards
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "div" and (self.depth or (("role", "alert") in attributes and not self.text)):
            self.depth += 1
        elif self.depth:
            self.text += self.MARKS.get(tag, "")

    def handle_endtag(self, tag: str) -> None:
        if self.depth and tag == "code":
            self.text += "`"
        elif self.depth and tag == "div":
            self.depth -= 1

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.text += data


def refusal_on(page: str) -> str:
    """The refusal that a page shows; empty where it shows none."""
    reader = Refusal()
    reader.feed(page)
    return reader.text.strip()
