"""The import contracts of pyproject.toml, held against a small house with one wrong import at a time."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
CONTRACTS = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]
NAMED = {room for contract in CONTRACTS for room in contract.get("source_modules", []) if "*" not in room}
ROOMS = (
    "__init__", "client", "cli", "kernel/__init__", "storage/__init__", "storage/tables", "web/__init__",
    "runs/__init__", "runs/contract", "runs/tables", "runs/store", "runs/service", "runs/client",
    "runs/logs/__init__", "runs/logs/client", "runs/logs/store",
    "gates/__init__", "gates/laws/__init__", "gates/laws/rules", "gates/measuring/__init__", "gates/service",
    "gates/pages",
)  # fmt: skip

BROKEN = [
    ("runs/service", "import taxiway.gates.service", "Imports go down the floors"),
    ("kernel/__init__", "import taxiway.storage", "Imports go down the floors"),
    ("attic", "", "Imports go down the floors"),
    ("runs/contract", "import sqlalchemy", "Light rooms"),
    ("runs/client", "def load():\n    import pyarrow", "Light rooms"),
    ("client", "import taxiway.runs.service", "Light rooms"),
    ("gates/service", "import taxiway.runs.store", "A noun's store and tables"),
    ("gates/service", "from taxiway.runs import tables", "A noun's store and tables"),
    ("gates/service", "import taxiway.runs.logs.store", "A noun's store and tables"),
    ("runs/logs/client", "def load():\n    import pyarrow", "Light rooms"),
    ("gates/laws/rules", "import taxiway.storage", "Laws know neither"),
    ("gates/laws/rules", "import taxiway.runs.service", "Laws know neither"),
]

KEPT = [
    ("gates/service", "import taxiway.runs.service"),
    ("gates/pages", "import taxiway.web"),
    ("gates/laws/rules", "import taxiway.runs.contract, numpy"),
    ("runs/store", "import taxiway.runs.tables, taxiway.storage"),
    ("runs/contract", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pyarrow"),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for room in NAMED:  # the contracts ask for what they name
        path = room.removeprefix("taxiway.").replace(".", "/")
        if f"{path}/__init__" in ROOMS:
            continue
        build(tmp_path, path, "")
        for folder in Path(path).parents:
            build(tmp_path, f"{folder}/__init__".removeprefix("./"), "")
    for room in ROOMS:
        build(tmp_path, room, "")
    # The service stands on the database, so whoever reaches the service reaches that.
    build(tmp_path, "runs/service", "import taxiway.runs.store")
    build(tmp_path, "runs/store", "import sqlalchemy")
    return tmp_path


def build(house: Path, room: str, code: str) -> None:
    file = house / "taxiway" / f"{room}.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(code + "\n")


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    inspect = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    options = ["--no-logo", "--no-cache", "--config", str(PYPROJECT)]
    environment = {"PYTHONPATH": str(house), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-c", inspect, *options],
        cwd=house,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_house_in_order_keeps_every_contract(house: Path) -> None:
    told = lint(house)

    assert told.returncode == 0, told.stdout + told.stderr
    assert "0 broken" in told.stdout


@pytest.mark.parametrize(("room", "code", "contract"), BROKEN)
def test_a_wrong_import_breaks_its_contract(house: Path, room: str, code: str, contract: str) -> None:
    build(house, room, code)

    told = lint(house)

    broken = [line for line in told.stdout.splitlines() if line.endswith("BROKEN")]
    assert any(line.startswith(contract) for line in broken), told.stdout + told.stderr


@pytest.mark.parametrize(("room", "code"), KEPT)
def test_a_right_import_breaks_nothing(house: Path, room: str, code: str) -> None:
    build(house, room, code)

    told = lint(house)

    assert told.returncode == 0, told.stdout + told.stderr
