"""What an interpreter is and has installed. Other interpreters run this as a script, so it imports nothing of ours."""

import json
import os
import platform
import sys
from importlib.metadata import distributions
from typing import Any


def look_around() -> dict[str, Any]:
    """The facts of this interpreter and the versions of its packages by name."""
    return {
        "environment": {
            "python": platform.python_version(),
            "implementation": platform.python_implementation(),
            "platform": platform.platform(),
            "machine": platform.machine(),
            "cpus": os.cpu_count() or 0,
        },
        "packages": installed(),
    }


def installed() -> dict[str, str]:
    """Every distribution that can be imported here; of two with one name the first on the path counts."""
    found: dict[str, str] = {}
    for one in distributions():
        name = one.name
        if name:
            found.setdefault(name.lower().replace("_", "-").replace(".", "-"), one.version)
    return dict(sorted(found.items()))


if __name__ == "__main__":
    json.dump(look_around(), sys.stdout)
