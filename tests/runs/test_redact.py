"""Secrets stay where they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.runs.redact import REDACTED, is_secret_file, redact, redact_command

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
