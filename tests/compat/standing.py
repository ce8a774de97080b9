"""A real model in a bundle, and the entry of an exported image run as its platform runs it."""

from __future__ import annotations

import contextlib
import http.client
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from taxiway.compat.exports.image import Exported
from taxiway.compat.exports.wheel import NAME, write_wheel
from taxiway.models.bundles.bundle import Bundle, write_bundle
from taxiway.models.registering.origins import environment_lock
from tests.endpoints.conftest import until

COLUMNS = ("age", "income", "debt")
ROWS = [{"age": 41.0, "income": 3.25, "debt": -1.5}, {"age": 0.1, "income": -7.0, "debt": 2.5}]


def example(rows: int = 5) -> Any:
    import numpy as np
    import pandas as pd

    values = np.random.default_rng(7).normal(size=(rows, len(COLUMNS)))
    return pd.DataFrame(values, columns=list(COLUMNS))


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A logistic regression of three numbers."""
    from sklearn.linear_model import LogisticRegression

    from taxiway.adapters import sklearn as sklearn_flavour

    folder = tmp_path_factory.mktemp("sealed") / "bundle"
    folder.mkdir()
    table = example(200)
    model = LogisticRegression().fit(table, (table["age"] + table["debt"] > 0).astype(int))
    draft = sklearn_flavour.save(model, folder, table.head(), name="credit", threshold=0.5)
    return write_bundle(folder, draft, lock=environment_lock())


@pytest.fixture(scope="session")
def exported(sealed: Bundle) -> Exported:
    return Exported("credit", 3, sealed, "credit")


@pytest.fixture(scope="session")
def expected(sealed: Bundle) -> list[dict[str, Any]]:
    """What the model says to ROWS, asked without any server."""
    from taxiway.adapters import sklearn as sklearn_flavour

    predictor = sklearn_flavour.load(sealed.folder, sealed.digest)
    return [dict(prediction) for prediction in predictor.predict(ROWS)]


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that knows our wheel as an image does, and the libraries of this one."""
    folder = tmp_path_factory.mktemp("image")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    packages = next((folder / "venv" / "lib").glob("python*")) / "site-packages"
    wheel = write_wheel(folder)
    assert wheel.name == NAME
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "libraries.pth").write_text("".join(f"{path}\n" for path in libraries))
    return folder / "venv" / "bin" / "python"


class Running:
    """A stand-alone server."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process, self.url = process, url

    def send(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
        given = {"Content-Type": "application/json"} | {n.replace("_", "-"): v for n, v in headers.items()}
        data = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
        with contextlib.closing(http.client.HTTPConnection(self.url, timeout=20)) as connection:
            connection.request(method, path, data, given)
            response = connection.getresponse()
            return response.status, response.read()

    def ask(self, path: str, body: object, **headers: str) -> Any:
        status, found = self.send("POST", path, body, **headers)
        assert status == 200, found
        return msgspec.json.decode(found)


Start = Callable[[list[str], Mapping[str, str]], Running]


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts an entry command with nothing in its environment but what is given; ready when /ping says so."""
    running: list[Running] = []

    def start(command: list[str], environ: Mapping[str, str]) -> Running:
        folder = tmp_path_factory.mktemp("container")
        given = {"PATH": "/usr/bin:/bin", "TMPDIR": str(folder), "PORT": "0", **environ}
        process = subprocess.Popen(command, env=given, cwd=folder, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None, "it was asked for"
        for line in process.stderr:
            if found := re.search(r"at http://[\d.]+:(\d+)", line):
                break
        else:
            raise AssertionError(f"it ended with {process.wait()}")
        running.append(Running(process, f"127.0.0.1:{found[1]}"))
        until_ready(running[-1])
        return running[-1]

    yield start
    for each in running:
        each.process.terminate()
        assert each.process.wait(10) == 0
        assert each.process.stderr is not None
        each.process.stderr.close()


def until_ready(running: Running) -> None:
    def is_ready() -> bool:
        try:
            return running.send("GET", "/ping")[0] == 200
        except ConnectionRefusedError:  # bound, and not listening yet
            return False

    until(is_ready)


@pytest.fixture(scope="session")
def alone(sealed: Bundle, start: Start) -> Running:
    """One bundle, served as `taxiway endpoints serve-bundle` does."""
    command = [sys.executable, "-m", "taxiway", "endpoints", "serve-bundle", str(sealed.folder), "--port", "0"]
    return start(command, {})


@pytest.fixture(scope="session")
def rows() -> list[dict[str, float]]:
    """Numbers whose digits are easily lost."""
    import numpy as np

    odd = [0.1 + 0.2, 1 / 3, -0.0, 5e-324, 1.7976931348623157e308 / 1e300, 2**53 + 1.0, 123456789.123456789]
    values = [*np.random.default_rng(11).normal(size=3 * 40 - len(odd)).tolist(), *odd]
    return [dict(zip(COLUMNS, values[n : n + 3], strict=True)) for n in range(0, len(values), 3)]


@pytest.fixture(scope="session")
def known(sealed: Bundle, rows: list[dict[str, float]]) -> dict[str, list[str]]:
    """What the model says to those rows, asked without any server: labels, and scores in their bits."""
    from taxiway.adapters import sklearn as sklearn_flavour

    found = sklearn_flavour.load(sealed.folder, sealed.digest).predict(rows)
    return {
        "labels": [str(answer["prediction"]) for answer in found],
        "scores": [answer["score"].hex() for answer in found],
    }
