"""Secrets stay where they are."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.runs.capturing.redact import (
    HINT,
    REDACTED,
    is_secret_file,
    likely,
    redact,
    redact_command,
    scrub,
    values_of_secrets,
)

SECRET = "Zx9-secret.Value/7"


@pytest.mark.parametrize(
    "text",
    [
        f'password = "{SECRET}"',
        f"api_key: str = '{SECRET}'",
        f'{{"access_token": "{SECRET}", "n": 3}}',
        f'os.environ["OPENAI_API_KEY"] = "{SECRET}"',
        f"DB_PASSWORD={SECRET}",
        f"  export AWS_SECRET_ACCESS_KEY={SECRET}\n",
        f"postgresql://ana:{SECRET.replace('/', '')}@db.example/x",
        f"Authorization: Bearer {SECRET}{SECRET}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n(cut off",
    ],
)
def test_a_secret_is_taken_out_by_the_name_it_goes_by(text: str) -> None:
    kept, count = redact(text)

    assert "Zx9" not in kept
    assert REDACTED in kept
    assert count == 1


@pytest.mark.parametrize(
    "secret",
    [
        "AKIA" + "ABCDEFGH12345678",
        "ghp_" + "a1" * 18,
        "sk-" + "proj" + "B2" * 12,
        "hf_" + "cD" * 12,
        "tw_token_" + "e5" * 12,
        "eyJhbGciOiJI" + ".eyJzdWIiOiIx" + ".abcdefghijkl",
    ],
)
def test_a_secret_is_taken_out_by_what_it_looks_like(secret: str) -> None:
    assert redact(f"x = call('{secret}')") == (f"x = call('{REDACTED}')", 1)


@pytest.mark.parametrize(
    "text",
    ["max_tokens = 5", "tokenizer = 'bert'", "key = 'a'", "token = os.environ['T']", "primary_key=True", "a://b/c"],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == (text, 0)


@given(st.text())
def test_taking_secrets_out_twice_changes_nothing_more(text: str) -> None:
    once, _ = redact(text)

    assert redact(once)[0] == once


def test_a_command_line_keeps_its_shape() -> None:
    command = ["train.py", "--api-key", SECRET, f"--password={SECRET}", "--alpha", "0.5", "--token", "--verbose"]

    assert redact_command(command) == [
        "train.py",
        "--api-key",
        REDACTED,
        f"--password={REDACTED}",
        "--alpha",
        "0.5",
        "--token",
        "--verbose",
    ]


@pytest.mark.parametrize("path", [".env", "conf/.env.local", "keys/server.pem", "ID_RSA", "credentials.json", ".netrc"])
def test_a_file_whose_name_says_secret_is_known(path: str) -> None:
    assert is_secret_file(path)


def test_a_source_file_is_no_secret() -> None:
    assert not is_secret_file("src/tokens.py")


HIDDEN = "hunter2-Zq"
LEAKS = [
    "password: hunter2-Zq",
    "  api_key: hunter2-Zq  # for the warehouse",
    'password = f"hunter2-Zq"',
    "password = b'hunter2-Zq'",
    'token = r"hunter2-Zq"',
    'password = """hunter2-Zq"""',
    'password = """\nhunter2-Zq\n"""',
    r'password = "a\"hunter2-Zq"',
    'password: str | None = "hunter2-Zq"',
    'DB_PASS = "hunter2-Zq"',
    'PASSWORD_PROD = "hunter2-Zq"',
    'API_KEYS = "hunter2-Zq"',
    'api_key1 = "hunter2-Zq"',
    'connection = "AccountName=a;AccountKey=hunter2-Zq;Endpoint=b"',
    "PGPASSWORD=hunter2-Zq psql -h db",
    r'"password = \"hunter2-Zq\"\n",',
    "\"os.environ['DB_PASSWORD'] = 'hunter2-Zq'\\n\"",
    "export X_PASSWORD=hunter2-Zq",
    "train --password hunter2-Zq --alpha 1",
    "train --dbPassword hunter2-Zq",
    "train --db-pass 'hunter2-Zq'",
    "ENV DB_PASSWORD=hunter2-Zq",
    "ENV DB_PASSWORD hunter2-Zq",
    'os.getenv("DB_PASSWORD", "hunter2-Zq")',
    "Authorization: Basic hunter2-Zq",
    'headers = {"Authorization": "Bearer hunter2-Zq"}',
    "git clone https://hunter2-Zq@github.example/x",
    "[db]\npassword = correct horse hunter2-Zq\n",
]


@pytest.mark.parametrize("text", LEAKS)
def test_no_way_to_write_a_secret_down_keeps_it(text: str) -> None:
    kept, count = redact(text)

    assert HIDDEN not in kept
    assert (REDACTED in kept, count > 0) == (True, True)


@pytest.mark.parametrize(
    "text",
    ["def sign_in(name: str, password: str) -> None:", "    password: str | None = None,", "self.token = token",
     "parser.add_argument('--token', help='of the server')", "export PASSWORD=$OTHER", "if token == other:",
     'call(url, token=scene.cast.tokens["olu"])', 'MARKS = {"pass": "●", "fail": "■"}'],
)  # fmt: skip
def test_code_that_only_speaks_of_secrets_stays(text: str) -> None:
    assert redact(text) == (text, 0)


@pytest.mark.parametrize(
    "path",
    [".git-credentials", ".envrc", ".pgpass", ".my.cnf", "home/.docker/config.json", "kubeconfig", "token.txt",
     "service-account-prod.json", "passwords.txt", "k8s/app-secret.yaml", "my_secrets.yml", "terraform.tfvars",
     "a.pem", "id_rsa.pub"],
)  # fmt: skip
def test_files_that_tools_keep_secrets_in_are_known(path: str) -> None:
    assert is_secret_file(path)


def test_the_values_of_secret_variables_are_scrubbed_wherever_they_stand() -> None:
    secrets = values_of_secrets({"DB_PASSWORD": "hunter2-Zq", "PIN_TOKEN": "123", "CITY": "Boston"})

    assert scrub("I said hunter2-Zq at Boston 123", secrets) == f"I said {REDACTED} at Boston 123"


def test_a_line_of_many_letters_costs_no_more_than_its_length() -> None:
    began = time.process_time()

    redact("token" * 100_000 + "=")

    assert time.process_time() - began < 5


PIECES = ("token", "Gh1_", "gh\r_", "thro", "ugh", "KEY", "\u212aey", "x", " ", "\n", "\r\n", "\x0b", "\x0c", "é")
TEXTS = st.lists(st.sampled_from(PIECES))


@given(TEXTS.map("".join))
def test_no_line_with_a_hint_is_passed_over(text: str) -> None:
    lines = text.splitlines(keepends=True)

    found = list(likely(text, lines))

    assert found == sorted(set(found))
    assert {i for i, line in enumerate(lines) if HINT.search(line)} <= set(found)
