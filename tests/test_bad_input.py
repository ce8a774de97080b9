"""What a user does wrong, or a machine lacks: said with the next step, and nothing is half-stored."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from taxiway.cli import main
from taxiway.client import Client, connect, read_address
from taxiway.models.bundles.bundle import write_bundle
from tests.server.test_process import TAXIWAY, free_port, server, surroundings, taxiway

UNKNOWN = [
    ("projects show nothing", "There is no project 'nothing'", "taxiway projects create nothing"),
    ("models show nothing", "There is no model 'nothing'", "taxiway models list"),
    ("models promote nothing@3 production", "There is no model 'nothing'", "taxiway models list"),
    ("models verify nothing@1", "There is no model 'nothing'", "taxiway models list"),
    ("gates evaluate nothing@1", "There is no model 'nothing'", "taxiway models list"),
    ("gates path nothing", "There is no path 'nothing'", "taxiway gates paths"),
    ("datasets show nothing/table", "There is no dataset 'nothing/table'", "taxiway datasets list"),
    ("runs show nothing", "There is no run 'nothing'", "taxiway runs list"),
    ("run --project nothing -- true", "There is no project 'nothing'", "taxiway projects create nothing"),
    ("endpoints show nothing", "There is no endpoint 'nothing'", "taxiway endpoints deploy"),
    ("endpoints trace nothing", "There is no prediction 'nothing'", "Taxiway-Prediction-Id"),
    ("monitors show nothing", "There is no monitor 'nothing'", "taxiway monitors list"),
    ("access grant nobody viewer kept", "There is no user 'nobody'", "taxiway access add"),
    ("audit verify --head nothing.json", "nothing.json cannot be used", "Check the path"),
    ("datasets list --project nothing", "There is no project 'nothing'", "taxiway projects create nothing"),
    ("access grant local viewer nothing", "There is no project 'nothing'", "taxiway projects list"),
    ("gates publish nothing.yaml", "nothing.yaml cannot be used", "Check the path"),
    ("gates path careful@x", "'careful@x' is not accepted", "careful@1"),
    ("monitors alerts nothing", "There is no monitor 'nothing'", "taxiway monitors list"),
    ("lineage show nothing", "'nothing' is not accepted", "model:NAME@1"),
    ("projects change kept", "nothing is not accepted", "--purpose"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with one project and nothing in it, served so that commands need not serve it themselves."""
    folder = tmp_path_factory.mktemp("bad") / "home"
    with server(folder), connect(home=folder) as client:
        client.projects.create("kept")
        yield folder


def url_of(home: Path) -> str:
    address = read_address(home)
    assert address is not None
    return address.url


def changes(home: Path) -> int:
    """How many changes the home has seen; refusals leave entries, too."""
    with connect(home=home) as client:
        return sum(not entry.verb.endswith(".refused") for entry in client.audit.entries(limit=1000).items)


def refused(home: Path, *words: str) -> str:
    """What the command line says when it refuses."""
    before = changes(home)
    done = taxiway(home, *words)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.startswith("taxiway: "), done.stderr
    assert changes(home) == before
    return done.stderr


@pytest.mark.parametrize(("command", "said", "next_step"), UNKNOWN)
def test_what_is_not_there_is_named_with_what_to_do(home: Path, command: str, said: str, next_step: str) -> None:
    told = refused(home, *command.split())

    assert said in told
    assert next_step in told


MISSPELT = [
    ("modles show x", "There is no command `taxiway modles`", "Did you mean `taxiway models`?"),
    ("models shwo x", "There is no command `taxiway models shwo`", "Did you mean `taxiway models show`?"),
    ("frobnicate", "There is no command `taxiway frobnicate`", "`taxiway --help` lists"),
    ("models show", "required: version", "`taxiway models show --help`"),
    ("runs compare", "required: run", "`taxiway runs compare --help`"),
    ("runs list --limit -1", "'-1' is not a whole number of at least 1", "`taxiway runs list --help`"),
    ("server --port 99999", "'99999' is not a port", "from 0 to 65535"),
]


def exit_code(words: list[str]) -> int:
    """What the shell gets, whether the command line returns it or leaves with it."""
    try:
        return main(words)
    except SystemExit as left:
        return int(left.code or 0)


@pytest.mark.parametrize(("command", "said", "next_step"), MISSPELT)
def test_words_that_are_no_command_end_in_what_to_type(
    command: str, said: str, next_step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(command.split()) == 2

    told = capsys.readouterr().err
    assert said in told
    assert next_step in told


PATH = "path: mine\nstages:\n  staging:\n"
BROKEN_YAML = [
    (
        PATH + "    - performance: {metric: accurcy, at_least: 0.8}\n",
        "line 4",
        "performance.metric",
        "perhaps accuracy was",
    ),
    (PATH + "    - performance: {metric: accuracy, at_last: 0.8}\n", "line 4", "at_last", "at_least"),
    (PATH + "    - performance: {metric: accuracy\n", "line 5", "", "valid YAML"),
    (PATH + "  staging: []\n", "line 4", "stages.staging", "each key once"),
]


@pytest.mark.parametrize(("text", "line", "key", "accepted"), BROKEN_YAML)
def test_a_malformed_path_is_refused_with_line_and_key(
    home: Path, tmp_path: Path, text: str, line: str, key: str, accepted: str
) -> None:
    file = tmp_path / "path.yaml"
    file.write_text(text)

    told = refused(home, "gates", "publish", str(file))

    assert all(part in told for part in (str(file.name), line, key, accepted)), told


def test_a_malformed_contract_is_refused_with_line_and_key(home: Path, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("x\n1\n")
    (tmp_path / "contract.yaml").write_text("columns:\n  x: {type: integer, mni: 3}\n")

    told = refused(
        home,
        "datasets",
        "register",
        "kept/t",
        str(tmp_path / "table.csv"),
        "--contract",
        str(tmp_path / "contract.yaml"),
    )

    assert "line 2, columns.x.mni" in told
    assert "min" in told


def test_a_table_with_other_columns_is_told_column_by_column_and_can_be_refused(home: Path, tmp_path: Path) -> None:
    contract = "columns: {x: {type: integer}, y: {type: integer}}\nonly_these_columns: true\n"
    with connect(home=home) as client:
        client.datasets.register("t", b"x,y\n1,2\n", project="kept", contract=contract)
    (tmp_path / "wrong.csv").write_text("x,z\n1,2\n")

    told = refused(home, "datasets", "register", "kept/t", str(tmp_path / "wrong.csv"), "--refuse-broken")

    assert "y must be there" in told
    assert "z is not in the contract" in told
    with connect(home=home) as client:
        assert [version.version for version in client.datasets.versions("t", project="kept")] == [1]


@pytest.mark.parametrize(
    ("name", "data"), [("a.csv", b"x,y\n1,2,3\n"), ("b.csv", b""), ("c.parquet", b"\x00\xff"), ("d.csv", b"x,x\n1,2\n")]
)
def test_a_file_that_is_no_table_registers_nothing(home: Path, tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)

    told = refused(home, "datasets", "register", "kept/other", str(tmp_path / name))

    assert name in told
    with connect(home=home) as client:
        assert "other" not in [dataset.name for dataset in client.datasets.list("kept")]


def test_metrics_that_are_no_numbers_are_kept_and_shown_as_such(home: Path) -> None:
    with connect(home=home) as client:
        with client.runs.start("diverged", project="kept") as run:
            run.log(loss=float("nan"), gain=float("inf"))
        shown = taxiway(home, "runs", "list").stdout
        points = taxiway(home, "runs", "metrics", run.id, "loss").stdout

    assert "NaN" in shown
    assert "Infinity" in shown
    assert "NaN" in points


def test_a_request_over_http_says_field_value_and_what_is_accepted(home: Path) -> None:
    asked = urllib.request.Request(
        f"{url_of(home)}/api/projects",
        data=json.dumps({"name": "new", "risk": "extreme"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(asked)
    with refusal.value as answer:
        problem = json.load(answer)

    assert refusal.value.code == 400
    assert refusal.value.headers["Content-Type"] == "application/problem+json"
    assert problem["error"] == "BadField"
    assert problem["facts"]["field"] == "risk"
    assert "high, low, medium" in problem["detail"]
    assert problem["request_id"]


def test_a_port_in_use_is_refused_before_the_home_is_touched(tmp_path: Path, home: Path) -> None:
    port = url_of(home).rpartition(":")[2]

    done = taxiway(tmp_path, "server", "--home", str(tmp_path / "new"), "--port", port)

    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
    assert "--port" in done.stderr
    assert not (tmp_path / "new").exists()


def test_what_a_killed_process_left_half_written_is_in_nobodys_way(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "blobs" / "incoming").mkdir(parents=True)
    (home / "blobs" / "incoming" / "half").write_bytes(b"half")
    (home / "taxiway.db").touch()
    (home / "server.json").write_text('{"pid": 1, "sock')
    (home / "taxiway.sock").touch()
    (home / "keys").mkdir()
    (home / "keys" / "signing.123").write_bytes(b"-----BEGIN")

    assert taxiway(home, "projects", "create", "after").returncode == 0
    assert taxiway(home, "doctor").returncode == 0
    assert taxiway(home, "audit", "verify").returncode == 0
    assert not (home / "blobs" / "incoming" / "half").exists()


@pytest.mark.parametrize(
    ("file", "said"), [("taxiway.db", "file is not a database"), ("keys/signing.pem", "signing key")]
)
def test_a_home_whose_files_are_broken_says_which_and_changes_nothing(tmp_path: Path, file: str, said: str) -> None:
    broken = tmp_path / "home" / file
    broken.parent.mkdir(parents=True)
    broken.write_text("not what it was")

    done = taxiway(tmp_path / "home", "projects", "create", "new")

    assert done.returncode == 1
    assert said in done.stderr
    assert str(broken) in done.stderr
    assert "backup" in done.stderr
    assert broken.read_text() == "not what it was"


def test_a_database_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://taxiway:secret@127.0.0.1:{free_port()}/x"

    done = taxiway(tmp_path, "server", "--home", str(tmp_path / "home"), "--port", str(free_port()), "--database", url)

    assert done.returncode == 1
    assert "refused" in done.stderr
    assert "secret" not in done.stderr


FULL = """
import pathlib, sys
import taxiway as tw
from taxiway.kernel.errors import TaxiwayError

client = tw.connect(home=sys.argv[1])
client.projects.create("kept")
try:
    client.datasets.register("big", b"x\\n" + b"1\\n" * 40_000_000, project="kept")
except TaxiwayError as refusal:
    print(type(refusal).__name__, refusal)
print([dataset.name for dataset in client.datasets.list("kept")], client.audit.verify().is_intact)
client.projects.create("after")
print([standing.project.name for standing in client.projects.list()])
"""


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="only root may mount a small disk")
def test_a_full_disk_is_said_and_nothing_is_half_stored(tmp_path: Path) -> None:
    mounted = f"mount -t tmpfs -o size=32m tmpfs {tmp_path} && exec {sys.executable} -c '{FULL}' {tmp_path}/home"

    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounted],
        capture_output=True,
        text=True,
        env=surroundings(tmp_path),
        timeout=120,
        check=False,
    )
    if "permission denied" in done.stderr:
        pytest.skip("this container may not mount")

    assert done.returncode == 0, done.stderr
    refusal, state, after = done.stdout.splitlines()
    assert refusal.startswith("DiskFull")
    assert state == "[] True"
    assert after == "['after', 'kept']"


def unloadable(client: Client, folder: Path) -> str:
    """Registers, after a good first version, a second whose bundle is whole and whose model file is no model."""
    rows = pd.DataFrame({"x": [0.0, 1.0] * 50})
    client.gates.publish("path: ungated\nstages: {}\n")
    client.projects.create("odd", path="ungated")
    with client.runs.start("good", project="odd") as run:
        run.log_model(LogisticRegression().fit(rows, [0, 1] * 50), "odd", example=rows)
    bundle = client.models.download("odd@1", folder)
    for part in (bundle.folder, *bundle.folder.rglob("*")):
        part.chmod(0o755)
    (folder / "taxiway.json").unlink()
    (folder / bundle.manifest.native.file).write_bytes(b"no model")
    write_bundle(folder, bundle.manifest)
    client.models.register(folder, project="odd")
    return "odd@2"


def test_a_model_that_cannot_be_loaded_takes_nobodys_place(home: Path, tmp_path: Path) -> None:
    with connect(home=home) as client:
        broken = unloadable(client, tmp_path / "bundle")
        for version in ("odd@1", broken):
            client.models.promote(version, "production", reason="a test")
        client.endpoints.deploy("odd", "odd@1")

        loaded = taxiway(home, "endpoints", "deploy", "odd", broken)
        answer = client.endpoints.invoke("odd", {"x": 1.0})

    assert loaded.returncode == 1
    assert "Revision 2 of the endpoint odd is not served" in loaded.stderr
    assert "model.skops" in loaded.stderr
    assert "Revision 1 goes on answering" in loaded.stderr
    assert (answer.revision, answer.predictions[0]["prediction"]) == (1, 1)


def test_python_m_taxiway_is_the_command_line(home: Path) -> None:
    assert subprocess.run([*TAXIWAY, "--version"], check=True, capture_output=True).stdout.startswith(b"taxiway ")
