"""What a pickle would import, read off its opcodes; nothing of it is run. Pure.

A pickle is a program for a small stack machine. What it can do to a process is decided by the globals that it names:
so each of them is held against a list of those that rebuild data and models and do nothing else.
"""

from __future__ import annotations

import pickletools
import re
from collections.abc import Collection, Iterator
from typing import Any

from msgspec import Struct

MOST_OPCODES = 20_000_000
CALLS = frozenset({"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"})
STRINGS = frozenset(
    {"UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING"}
)
PUTS, GETS = frozenset({"PUT", "BINPUT", "LONG_BINPUT"}), frozenset({"GET", "BINGET", "LONG_BINGET"})
UNKNOWN = "a name that is put together while it runs"

EXACT = frozenset(
    {
        "_codecs.encode",
        "collections.OrderedDict",
        "collections.defaultdict",
        "copyreg._reconstructor",
        "copy_reg._reconstructor",
        "functools.partial",
        "joblib.numpy_pickle.NumpyArrayWrapper",
        "numpy.dtype",
        "numpy.ndarray",
        "numpy.random.__RandomState_ctor",
        "numpy.random._pickle.__randomstate_ctor",
        "numpy.random._pickle.__bit_generator_ctor",
        "numpy.random._pickle.__generator_ctor",
        "scipy.sparse._csr.csr_matrix",
        "scipy.sparse._csc.csc_matrix",
        *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in ("bool", "bytearray", "bytes")),
        *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in ("complex", "dict", "float", "int")),
        *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in ("frozenset", "list", "object")),
        *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in ("range", "set", "slice", "str")),
        *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in ("tuple", "type(None)")),
        *(
            f"{module}.{name}"
            for module in (
                "numpy.core.multiarray",
                "numpy._core.multiarray",
                "numpy.core.numeric",
                "numpy._core.numeric",
            )
            for name in ("_reconstruct", "scalar", "_frombuffer")
        ),
    }
)
# Classes of these libraries, which begin with a capital; their functions are not in it.
OF_LIBRARIES = re.compile(r"(?:sklearn|lightgbm|xgboost|taxiway\.adapters)(?:\.[A-Za-z_]\w*)*\._*[A-Z]\w*")
TREES = frozenset(
    {"sklearn.tree._tree.Tree", "sklearn.neighbors._kd_tree.newObj", "sklearn.neighbors._ball_tree.newObj"}
)


class Walk(Struct, frozen=True, kw_only=True):
    """What a stream of opcodes says. names: the globals that it imports. calls: whether it calls or builds anything.

    is_whole: it ended where a pickle ends; a broken one runs up to where it breaks. size: in bytes, where it is whole.
    """

    names: list[str]
    calls: bool
    is_whole: bool
    size: int = 0


def walk(data: bytes) -> Walk:
    """Reads one pickle off the beginning of some bytes."""
    names: dict[str, None] = {}
    texts = Texts()
    calls = False
    try:
        for count, (opcode, argument, position) in enumerate(pickletools.genops(data)):
            if count > MOST_OPCODES:
                break
            calls = calls or opcode.name in CALLS
            if found := imported(opcode.name, argument, texts):
                names[found] = None
            if opcode.name == "STOP":
                return Walk(names=list(names), calls=calls, is_whole=True, size=(position or 0) + 1)
            texts.take(opcode.name, argument)
    except Exception:  # noqa: BLE001 - bytes that are no pickle break its reader in many ways
        return Walk(names=list(names), calls=calls, is_whole=False)
    return Walk(names=list(names), calls=calls, is_whole=False)


def imported(opcode: str, argument: Any, texts: Texts) -> str:
    """The global that an opcode imports; empty for one that imports none."""
    if opcode in ("GLOBAL", "INST"):
        return str(argument).replace(" ", ".", 1)
    if opcode == "STACK_GLOBAL":
        module, name = texts.last_two
        return f"{module}.{name}" if module and name else UNKNOWN
    if opcode in ("EXT1", "EXT2", "EXT4"):
        return f"extension {argument}"
    return "a persistent object" if opcode in ("PERSID", "BINPERSID") else ""


class Texts:
    """The texts on a pickle's stack, as far as its imports need them: the last two things that were pushed."""

    def __init__(self) -> None:
        self.pushed: list[str | None] = [None, None]
        self.memo: dict[int, str | None] = {}

    @property
    def last_two(self) -> tuple[str | None, str | None]:
        return self.pushed[-2], self.pushed[-1]

    def take(self, opcode: str, argument: Any) -> None:
        if opcode == "MEMOIZE":
            self.memo[len(self.memo)] = self.pushed[-1]
        elif opcode in PUTS:
            self.memo[int(argument)] = self.pushed[-1]
        elif opcode in GETS:
            self._push(self.memo.get(int(argument)))
        elif opcode in STRINGS:
            self._push(argument if isinstance(argument, str) else None)
        elif opcode not in ("PROTO", "FRAME"):
            self._push(None)

    def _push(self, what: str | None) -> None:
        self.pushed = [self.pushed[-1], what]


def unknown(names: Collection[str], allowed: Collection[str] = ()) -> Iterator[str]:
    """Those that are on no list. allowed: further ones, as `package.module.Name`."""
    for name in names:
        if not (name in EXACT or name in TREES or name in allowed or OF_LIBRARIES.fullmatch(name)):
            yield name


def is_pickle(data: bytes, found: Walk) -> bool:
    """Whether bytes were meant as a pickle: they begin as one does, or what can be read of them does something."""
    has_head = len(data) > 2 and data[0] == 0x80 and data[1] in (2, 3, 4, 5)
    return has_head or (bool(found.names) and (found.is_whole or found.calls)) or (found.is_whole and found.size > 8)
