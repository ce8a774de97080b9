"""The server's hand on its gateway: started if none runs, adopted if one does; it outlives the server."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import sys
import time
from pathlib import Path

from taxiway.endpoints.gateway.address import Address, read_address
from taxiway.endpoints.gateway.status import start_ticks
from taxiway.endpoints.refusals import GatewayAway

START_WAIT_S = 15.0
STOP_WAIT_S = 15.0
RESTART_WAIT_S = 50.0
LARGEST_LOG_BYTES = 4 << 20
FORGOTTEN = {"TAXIWAY_TOKEN"}  # credentials of whoever starts the server are none of the gateway's business


def ensure_gateway(home: Path, port: int = 0, host: str = "127.0.0.1") -> Address:
    """The address of the home's gateway, started first if none runs. It goes on when the server ends.

    port: where a new one listens, 0 for any free one; a running one keeps its own.
    Raises GatewayAway.
    """
    running = find_gateway(home)
    return running if running is not None else start_gateway(home, port, host)


def find_gateway(home: Path) -> Address | None:
    """The address of the home's gateway if that very process runs and answers within two seconds."""
    address = read_address(home)
    until = time.monotonic() + 2.0
    while address is not None and address.is_alive() and time.monotonic() < until:
        if answers(address):
            return address
        time.sleep(0.05)
    return None


def start_gateway(home: Path, port: int, host: str) -> Address:
    """Starts the gateway in a session of its own and waits until it answers. Raises GatewayAway."""
    folder = home / "gateway"
    folder.mkdir(exist_ok=True)  # not the home: where that was deleted, it stays so
    log = folder / "gateway.log"
    if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        log.replace(folder / "gateway.log.1")
    command = [sys.executable, "-I", "-m", "taxiway.endpoints.gateway.process", "--home", str(home)]
    pid = spawn([*command, "--port", str(port), "--host", host], log)
    until = time.monotonic() + START_WAIT_S
    while time.monotonic() < until:
        address = read_address(home)
        if address is not None and address.pid == pid and answers(address):
            return address
        if is_over(pid):
            # Two servers may start one at the same moment; the loser of the lock takes the winner's.
            other = find_gateway(home)
            if other is not None:
                return other
            raise GatewayAway(reason=last_line(log) or "it ended at once", log=str(log))
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise GatewayAway(reason=f"it did not answer within {START_WAIT_S:g} s", log=str(log))


def spawn(command: list[str], log: Path) -> int:
    """Starts a process in a session of its own, with its output in a file; the caller's end is not its end."""
    env = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(command[0], command, env, file_actions=files, setsid=True)


def is_over(pid: int) -> bool:
    """Whether a child ended; its remains are then gone, too."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return start_ticks(pid) is None


def stop_gateway(home: Path) -> bool:
    """Ends the home's gateway and its workers; False where none ran. It finishes what it has in hand."""
    address = read_address(home)
    if address is None or not address.is_alive():
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(address.pid, signal.SIGTERM)
    until = time.monotonic() + STOP_WAIT_S
    while time.monotonic() < until:
        if is_over(address.pid) or not address.is_alive():
            return True
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.kill(address.pid, signal.SIGKILL)
    is_over(address.pid)
    return True


def restart_gateway(home: Path) -> Address:
    """Has another gateway follow the home's own, at the same address; callers notice nothing. Raises GatewayAway."""
    log = home / "gateway" / "gateway.log"
    before = find_gateway(home)
    if before is None:
        raise GatewayAway(reason="none runs", log=str(log))
    os.kill(before.pid, signal.SIGUSR2)
    until = time.monotonic() + RESTART_WAIT_S
    while time.monotonic() < until:
        address = read_address(home)
        if address is not None and address.pid != before.pid and answers(address):
            return address
        time.sleep(0.05)
    raise GatewayAway(reason=f"the next one did not become ready; {last_line(log)}", log=str(log))


def answers(address: Address) -> bool:
    """Whether the gateway says at /health that it is this process."""
    connection = http.client.HTTPConnection(address.host, address.port, timeout=2.0)
    try:
        # By that name every gateway answers, whatever address it was told to listen on.
        connection.request("GET", "/health", headers={"Host": "localhost"})
        response = connection.getresponse()
        return response.status == 200 and f'"pid":{address.pid},'.encode() in response.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def last_line(log: Path) -> str:
    """What the process said last."""
    lines = log.read_bytes()[-4000:].decode(errors="replace").strip().splitlines()
    return lines[-1].rstrip(".") if lines else ""
