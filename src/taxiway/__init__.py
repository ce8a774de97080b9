"""Taxiway: from experiment to production on one marked, approved path.

The names below are the SDK. They are loaded when first used: importing this opens nothing and costs little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taxiway.kernel.version import VERSION

if TYPE_CHECKING:
    from taxiway.client import Client, autolog, connect, run, seed

__version__ = VERSION
__all__ = ["Client", "__version__", "autolog", "connect", "run", "seed"]

NOUNS = (
    "projects",
    "datasets",
    "runs",
    "models",
    "gates",
    "endpoints",
    "monitors",
    "access",
    "audit",
    "evidence",
    "dossiers",
    "lineage",
    "imports",
    "stores",
    "hooks",
    "discussions",
    "notices",
)


def __getattr__(name: str) -> Any:
    """The SDK's names, loaded when they are first asked for."""
    if name in ("Client", "autolog", "connect", "run", "seed"):
        from taxiway import client

        return getattr(client, name)
    raise AttributeError(f"module 'taxiway' has no attribute {name!r}; its nouns are on a client: taxiway.connect()")
