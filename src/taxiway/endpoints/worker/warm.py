"""A process that has the libraries of models loaded and waits: a worker is a fork of it, and pays no import.

``python -m taxiway.endpoints.worker.warm DESCRIPTOR`` is started by the gateway with one end of a socket pair. It reads
no model itself. Each worker is a fork of a fork, so that it becomes the gateway's own child: it ends with the gateway
and not with this process, and what it used is told to the gateway. Pages that nobody writes to are shared.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
import signal
import socket
import sys
import time
from importlib import import_module

import msgspec
from msgspec import Struct

LARGEST = 1 << 16
ADOPTED_WITHIN_S = 5.0
# What most models take. More is loaded once a worker took it: see `Ready.loaded`.
FIRST = ("numpy", "taxiway.endpoints.worker.process", "taxiway.adapters.sklearn", "skops.io", "sklearn.linear_model")
LIBRARIES = frozenset(
    {
        "joblib",
        "lightgbm",
        "mlflow",
        "numpy",
        "onnxruntime",
        "pandas",
        "pyarrow",
        "scipy",
        "skops",
        "sklearn",
        "xgboost",
    }
)


class Fork(Struct, frozen=True, tag=True):
    """A worker is wanted: its arguments, and who will be its parent. Two descriptors come along: socket and output."""

    arguments: list[str]
    parent: int


class Load(Struct, frozen=True, tag=True):
    """Modules to have ready for the workers to come."""

    modules: list[str]


class Forked(Struct, frozen=True):
    """The worker's process; 0 where none could be made, for `problem`."""

    pid: int
    problem: str = ""


encode = msgspec.msgpack.Encoder().encode
asked: msgspec.msgpack.Decoder[Fork | Load] = msgspec.msgpack.Decoder(Fork | Load)
answered = msgspec.msgpack.Decoder(Forked)


def main() -> None:
    """Serves until the gateway's end of the socket is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the gateway's to hear
    load(FIRST)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, LARGEST, 2)
        if not message:
            return
        match asked.decode(message):
            case Load(modules):
                load(modules)
            case Fork() as wanted:
                control.sendall(encode(start(control, wanted, descriptors)))
                for descriptor in descriptors:
                    os.close(descriptor)


def load(names: list[str] | tuple[str, ...]) -> None:
    """Imports what workers took. A model's code may have written the names: only libraries count."""
    for name in names:
        top, *parts = name.split(".")
        if top in LIBRARIES | {"taxiway"} and "__main__" not in parts:
            with contextlib.suppress(Exception, SystemExit):  # plug-ins' calls: what is not there is not loaded
                import_module(name)
    gc.collect()
    gc.freeze()


def start(control: socket.socket, wanted: Fork, descriptors: list[int]) -> Forked:
    """Forks twice: the second one is the worker, and the first one's end makes it the gateway's child."""
    reading, writing = os.pipe()
    try:
        between = os.fork()
    except OSError as e:
        os.close(reading)
        os.close(writing)
        return Forked(0, str(e))
    if between == 0:
        try:
            pid = os.fork()
            if pid == 0:
                os.close(reading)
                os.close(writing)
                control.close()
                work(wanted, *descriptors)
            os.write(writing, str(pid).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(between, 0)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    return Forked(int(said)) if said else Forked(0, "the process could not be forked")


def work(wanted: Fork, channel: int, output: int) -> None:
    """Is a worker from here on, and ends as one."""
    code = 1
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        last = time.monotonic() + ADOPTED_WITHIN_S
        while os.getppid() != wanted.parent:
            if time.monotonic() > last:
                os._exit(1)
            time.sleep(0.0005)
        reseed()
        from taxiway.endpoints.worker.process import main as serve

        serve([*wanted.arguments, "--descriptor", str(channel)])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - the end of the process, whatever was raised: its last words are its log's
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def reseed() -> None:
    """Forks would else draw the same random numbers."""
    random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()


if __name__ == "__main__":
    main()
