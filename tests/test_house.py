"""Rules of the house that no other tool holds: what the tree may name, and how light the front door is."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]

# Hosts that serve packages. A lock that names one works in no company with a mirror of its own.
INDEXES = re.compile(
    r"""(?:https?:)?//[^\s"'<>]*\b(?:pypi|pythonhosted|npmjs|yarnpkg|deb\.debian|anaconda)\b"""
    r"""|--(?:extra-)?index-url|--find-links|"resolved":\s*\"""",
    re.IGNORECASE,
)
# A folder that exists on one person's machine, in text that everyone reads. Where platforms put a model is the same
# on all of theirs.
MACHINE_PATHS = re.compile(r"""(?<![\w.$}~/-])/(?!opt/ml\b|mnt/models\b)(?:home|root|Users|work|opt|mnt)/[\w.-]+""")
THIS_FILE = "tests/test_house.py"  # names what it looks for

# One import of any of these in the client costs more than all of the client.
HEAVY = {
    "alembic", "duckdb", "fairlearn", "jinja2", "numpy", "pandas", "pyarrow", "scipy", "sklearn",
    "skops", "sqlalchemy", "starlette", "uvicorn", "asyncio", "ssl", "urllib.request",
}  # fmt: skip
LONGEST_FILE = 400


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Every text file that git knows here, or every file of the tree where there is no git."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=HOUSE, capture_output=True, check=True)
    for name in listed.stdout.decode().split("\0"):
        path = HOUSE / name
        if not name or not path.is_file():
            continue
        data = path.read_bytes()
        if b"\0" not in data:
            yield name, data.decode(errors="replace")


def findings(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in tracked_texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if name != THIS_FILE and pattern.search(line)
    ]


@pytest.mark.parametrize("text", ["--index-url x", "see https://pypi.org/simple", '"resolved": "x"'])
def test_an_index_address_is_recognised(text: str) -> None:
    assert INDEXES.search(text)


@pytest.mark.parametrize("text", ["cd /home/ada/taxiway", 'open("/work/x")', "file:///opt/wheels"])
def test_a_path_of_one_machine_is_recognised(text: str) -> None:
    assert MACHINE_PATHS.search(text.replace("file://", "file: "))


@pytest.mark.parametrize("text", ["./work/x", "{base}/work/1", "/opt/ml/model", "/endpoints/mortgage/invocations"])
def test_a_relative_path_or_a_route_is_no_path_of_a_machine(text: str) -> None:
    assert not MACHINE_PATHS.search(text)


def test_no_file_names_a_package_index() -> None:
    assert findings(INDEXES) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert findings(MACHINE_PATHS) == []


def test_every_locked_package_has_hashes() -> None:
    for lock in sorted((HOUSE / "locks").glob("*.txt")):
        pins = re.split(r"\n(?=[a-z0-9])", lock.read_text().split("\n", 2)[2])
        unhashed = [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin]
        assert unhashed == [], lock.name


def test_a_file_holds_one_idea() -> None:
    code = [
        (n, t)
        for n, t in tracked_texts()
        if n.endswith((".py", ".js")) and n.startswith(("src/", "tests/")) and "/migrations/" not in n
    ]
    assert [f"{n}: {len(t.splitlines())} lines" for n, t in code if len(t.splitlines()) > LONGEST_FILE] == []


def modules_loaded(*command: str) -> set[str]:
    """The modules that a fresh interpreter imports for a command line."""
    timed = [sys.executable, "-X", "importtime", *command]
    done = subprocess.run(timed, capture_output=True, text=True, check=True, cwd=HOUSE)
    return {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def test_importing_taxiway_loads_nothing_heavy() -> None:
    assert modules_loaded("-c", "import taxiway") & HEAVY == set()


def test_asking_for_help_loads_nothing_heavy() -> None:
    assert modules_loaded("-c", "from taxiway.cli import main; raise SystemExit(main())", "--help") & HEAVY == set()
