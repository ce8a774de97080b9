"""How the gateway is: what it writes to HOME/gateway/status.json each second and answers at GET /status."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from taxiway.endpoints.worker.confinement import Confinement

FILE = "status.json"

State = Literal["starting", "ready", "restarting", "failing", "refused", "draining", "stopped"]


class Copies(Struct, frozen=True):
    """What became of the requests that a shadow should get a copy of.

    compared, agreed: rows that both answered, and those answered alike. dropped: requests not copied, since the shadow
    was behind or callers waited. failed: copies that got no answer.
    """

    compared: int = 0
    agreed: int = 0
    dropped: int = 0
    failed: int = 0


class RevisionStatus(Struct, frozen=True):
    """One revision. Counters go on from where the last gateway of this home left them."""

    endpoint: str
    number: int
    model: str
    version: int
    bundle_digest: str
    state: State
    is_live: bool  # requests to its endpoint come here
    reason: str = ""  # of `refused`, `failing`, `restarting`
    pids: list[int] = []
    restarts: int = 0
    is_batching: bool = False
    requests: int = 0  # answered with a prediction
    errors: int = 0  # reached the endpoint and got none, though nothing was wrong with them
    rows: int = 0
    in_flight: int = 0
    waiting: int = 0  # of those in flight, those that no worker has in hand
    cpu_seconds: float = 0.0
    rss_bytes: int = 0
    p50_ms: float | None = None  # of the last 2,048 requests
    p99_ms: float | None = None
    log_tail: list[str] = []  # the worker's last lines, of a worker that died where one did
    percent: float = 0.0  # of the requests to its endpoint
    is_warm: bool = False  # it answers nothing, and could at once
    copies: Copies | None = None  # of a shadow
    confinement: Confinement | None = None  # what holds of all its workers
    runs: str = ""  # which form of the model answers, and why
    refused: int = 0  # what its model does not take: the caller's doing
    streams: bool = False  # whether its model gives an answer in pieces
    abandoned: int = 0  # its callers hung up before there was an answer, or the last piece of one


class LogStatus(Struct, frozen=True):
    """An endpoint's inference log, counted since the gateway began but for `refused` and `unrecorded`, which go on.

    refused: requests that got no answer since the log did not take them; unrecorded: those that got one all the same.
    problem: why the last request was not taken; empty once one is.
    """

    endpoint: str
    durability: str
    when_full: str
    requests: int = 0
    rows: int = 0
    bytes: int = 0
    syncs: int = 0
    failed_syncs: int = 0
    refused: int = 0
    unrecorded: int = 0
    problem: str = ""
    problem_at: datetime | None = None


class GatewayStatus(Struct, frozen=True):
    """The gateway and everything it serves."""

    pid: int
    started_at: datetime
    at: datetime
    serial: int | None  # of the configuration in force
    revisions: list[RevisionStatus]
    configuration_error: str = ""  # why the file on disk is not the configuration in force
    failed_syncs: int = 0  # of the inference log
    cpu_seconds: float = 0.0
    rss_bytes: int = 0
    logs: list[LogStatus] = []


def write_status(home: Path, status: GatewayStatus) -> None:
    """Replaces the status file; it may be a second old, and is no record worth an fsync."""
    path = home / "gateway" / FILE
    waiting = path.with_name(f".{FILE}.{os.getpid()}")
    waiting.write_bytes(msgspec.json.encode(status))
    waiting.replace(path)


def read_status(home: Path) -> GatewayStatus | None:
    """What the gateway of this home said last, or None where there never was one."""
    try:
        return msgspec.json.decode((home / "gateway" / FILE).read_bytes(), type=GatewayStatus)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def cpu_seconds(pid: int) -> float:
    """Processor time a running process used so far, 0 where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start_ticks(pid: int) -> int | None:
    """When a process started, in clock ticks since boot: with the pid it names one process for ever."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def rss_bytes(pid: int) -> int:
    """Resident memory of a process, 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def quantile(ordered: list[float], share: float) -> float | None:
    """The smallest of the values that at least this share of them does not exceed."""
    if not ordered:
        return None
    return round(ordered[max(0, -int(-share * len(ordered) // 1) - 1)], 3)
