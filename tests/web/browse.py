"""A browser without a screen: plain HTTP with a jar for the cookies, so that a test sees every header."""

from __future__ import annotations

import http.client
import re
from http.cookies import SimpleCookie
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def to(self) -> str:
        """Where the answer leads."""
        return self.headers.get("Location", "")

    @property
    def form_token(self) -> str:
        found = TOKEN.search(self.text)
        return found[1] if found else ""


class Visitor:
    """One visitor of a server. `cookies` is what the browser keeps."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.host = urlsplit(url).netloc
        self.cookies: dict[str, str] = {}

    def ask(
        self, method: str, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request, exactly as said; redirects are not followed."""
        given = {"Accept": "text/html", **(headers or {})}
        if self.cookies and "Cookie" not in given:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection(self.host, timeout=20)
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return Answer(answer.status, answer.headers, text)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, /, *, origin: str | None = None, **fields: str) -> Answer:
        """Sends a form as a browser does, with its origin."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin or self.url}
        return self.ask("POST", path, body=urlencode(fields).encode(), headers=headers)

    def send(self, path: str, /, page: str = "", **fields: str) -> Answer:
        """Opens a page (by default the form's own address) and sends a form from it, with the page's token."""
        return self.post(path, form_token=self.get(page or path).form_token, **fields)
