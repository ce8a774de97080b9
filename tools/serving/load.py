"""How servers are asked: wrk for as much as they can answer, a paced client for how long that takes."""

from __future__ import annotations

import http.client
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import msgspec

from tools.serving.targets import Question, Target

WRK = "wrk"
RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")
BROKEN = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
PERCENTILES = re.compile(r"(50|99)%\s+([\d.]+)(us|ms|s)\b")
TO_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


AWAITED_S = 60.0


class Pace(NamedTuple):
    """Latencies at a rate that the server can keep up with. client_share: of a core, what asking took itself."""

    rate: float
    p50_ms: float
    p99_ms: float
    client_share: float


def has_wrk() -> bool:
    return shutil.which(WRK) is not None


def requests_per_s(target: Target, question: Question, *, connections: int, seconds: float) -> float:
    """What a server answers when each of some connections asks again at once. Raises RuntimeError at any refusal."""
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder) / "body"
        body.write_bytes(question.body)
        script = Path(folder) / "ask.lua"
        heads = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in question.headers)
        script.write_text(f'wrk.method = "POST"\nwrk.body = io.open("{body}", "rb"):read("*a")\n{heads}\n')
        url = f"http://{target.host}:{target.port}{question.path}"
        fixed = ["-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "20s", "-s", str(script)]
        done = subprocess.run([WRK, *fixed, url], check=True, capture_output=True, text=True)
    refused, broken, rate = REFUSED.search(done.stdout), BROKEN.search(done.stdout), RATE.search(done.stdout)
    if rate is None or refused or broken:
        raise RuntimeError(f"{target.name} refused requests: {done.stdout[-300:]}")
    return float(rate[1])


def paced(target: Target, question: Question, *, rate: float, connections: int, seconds: float) -> Pace:
    """Latencies from the moment a request was due, at an even rate, whether or not a connection was free then."""
    asked = {
        "host": target.host,
        "port": target.port,
        "path": question.path,
        "headers": dict(question.headers),
        "rate": rate,
        "connections": connections,
        "seconds": seconds,
    }
    command = [sys.executable, "-m", "tools.serving.paced", msgspec.json.encode(asked).decode()]
    done = subprocess.run(command, input=question.body, check=True, capture_output=True)
    return Pace(rate, *msgspec.json.decode(done.stdout, type=tuple[float, float, float]))


def await_answer(target: Target, question: Question) -> None:
    """Waits until a server that listens also answers, its model being loaded. Raises RuntimeError."""
    until = time.monotonic() + AWAITED_S
    while True:
        connection = http.client.HTTPConnection(target.host, target.port, timeout=AWAITED_S)
        try:
            connection.request("POST", question.path, question.body, dict(question.headers))
            answer = connection.getresponse()
            said = answer.read()
            if answer.status == 200:
                return
            problem = f"{answer.status}: {said[:200]!r}"
        except OSError as e:
            problem = str(e)
        finally:
            connection.close()
        if time.monotonic() > until:
            raise RuntimeError(f"{target.name} did not answer: {problem}")
        time.sleep(0.05)
