"""Canaille, a real OpenID provider, in a process and an environment of its own: told by lines of JSON what to do.

Run by `tests.access.provider.real` as: python canaille_program.py PORT CLIENT_ID CLIENT_SECRET CALLBACK LEFT
"""

from __future__ import annotations

import datetime
import json
import os
import sys
import threading
from typing import Any

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from canaille.backends.memory.backend import MemoryBackend
from joserfc.jwk import RSAKey
from pytest_iam import Server
from werkzeug.serving import WSGIRequestHandler, make_server

PASSWORD = "correct horse battery"
NOW = datetime.datetime.now(datetime.UTC)


class Quiet(WSGIRequestHandler):  # type: ignore[misc]
    def log(self, *_: Any) -> None:
        """Nothing: what is printed here is answers alone."""


def new_key() -> dict[str, Any]:
    key = RSAKey.generate_key(2048)
    key.ensure_kid()
    return dict(key.as_dict(private=True))


def configuration(port: int) -> dict[str, Any]:
    claims = {"SUB": "{{ user.id }}", "PREFERRED_USERNAME": "{{ user.user_name }}"}
    return {
        "ENV_FILE": None,
        "SECRET_KEY": "of-the-tests-alone",
        "PREFERRED_URL_SCHEME": "http",
        "SERVER_NAME": f"localhost:{port}",
        "CANAILLE": {
            "DATABASE": "memory",
            "JAVASCRIPT": False,
            "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"]}},
            "LOGGING": {"version": 1, "disable_existing_loggers": True},
        },
        "CANAILLE_OIDC": {"ACTIVE_JWKS": [new_key()], "USERINFO_MAPPING": claims},
    }


class Exact(MemoryBackend):  # type: ignore[misc]
    """Its store in memory, which answers with what fits any criterion of a question where its databases ask for all:
    the code of one sign-in would be taken for that of another.
    """

    def do_query(self, model: Any, *args: Any, **wanted: Any) -> list[Any]:
        found = super().do_query(model, *args, **wanted)
        return [each for each in found if all(fits(getattr(each, name), value) for name, value in wanted.items())]


def fits(held: Any, wanted: Any) -> bool:
    return bool(wanted in held if isinstance(held, list) else held == wanted)


class Canaille:
    """What the tests have it do, by name."""

    def __init__(self, port: int, client: list[str]) -> None:
        self.app = create_app(config=configuration(port))
        self.backend = Backend.instance
        self.backend.__class__ = Exact
        self.server = Server(self.app, 0, self.backend)  # its way to have somebody signed in; it does not listen
        self.server.httpd.server_close()
        self.httpd = make_server("localhost", port, self.app, threaded=True, request_handler=Quiet)
        identity, secret, callback, left = client
        with self.app.app_context():
            made = models.Client(
                client_id=identity,
                client_secret=secret,
                client_name="Taxiway",
                client_uri="http://127.0.0.1",  # a domain that is trusted: no page asks for consent
                redirect_uris=[callback],
                post_logout_redirect_uris=[left],
                grant_types=["authorization_code"],
                response_types=["code"],
                scope=["openid", "profile", "email", "groups"],
                token_endpoint_auth_method="client_secret_basic",
                client_id_issued_at=NOW,
            )
            self.backend.save(made)
            made.audience = [made]
            self.backend.save(made)

    def person(self, name: str) -> Any:
        return self.backend.get(models.User, user_name=name)

    def add(self, name: str, groups: list[str]) -> None:
        """A person with a password, in groups that are made where they are missing."""
        user = models.User(
            user_name=name,
            formatted_name=f"{name.title()} Lind",
            family_name="Lind",
            emails=[f"{name}@acme.example"],
            password=PASSWORD,
        )
        self.backend.save(user)
        self.join(name, groups)

    def join(self, name: str, groups: list[str]) -> None:
        """Has somebody be in these groups and no other."""
        user = self.person(name)
        for group in self.backend.query(models.Group):
            if group.display_name not in groups and user in group.members:
                group.members = [member for member in group.members if member != user]
                self.backend.save(group) if group.members else self.backend.delete(group)
        for wanted in groups:
            found = self.backend.get(models.Group, display_name=wanted)
            if found is None:
                found = models.Group(display_name=wanted, members=[user])
            elif user not in found.members:
                found.members = [*found.members, user]
            self.backend.save(found)

    def rename(self, name: str, to: str) -> None:
        user = self.person(name)
        user.user_name = to
        self.backend.save(user)

    def close_account(self, name: str) -> None:
        user = self.person(name)
        user.lock_date = NOW - datetime.timedelta(days=1)
        self.backend.save(user)

    def enter(self, name: str) -> None:
        """Has whoever asks be signed in as somebody, without the page that asks for a password."""
        self.server.login(self.person(name)) if name else self.server.logout()

    def rotate(self) -> None:
        """Signs with a new key from now on, and publishes no other."""
        self.app.config["CANAILLE_OIDC"]["ACTIVE_JWKS"] = [new_key()]

    def listen(self) -> None:
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()
        print(json.dumps("ready"), flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            with self.app.app_context():
                answer = getattr(self, asked.pop("do"))(**asked)
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    Canaille(int(sys.argv[1]), sys.argv[2:6]).listen()
