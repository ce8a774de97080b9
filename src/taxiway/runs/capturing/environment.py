"""What an interpreter is, runs on and has installed. Other interpreters run this as a script, so it imports nothing of
ours."""

import json
import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

ASK_GPU = ("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
GPU_S = 5.0


def look_around() -> dict[str, Any]:
    """The facts of this interpreter and machine, the versions of its packages by name, and the lines of its lock."""
    found = installed()
    return {
        "environment": {
            "python": platform.python_version(),
            "implementation": platform.python_implementation(),
            "platform": platform.platform(),
            "machine": platform.machine(),
            "cpus": os.cpu_count() or 0,
            "cpu": processor(),
            "gpus": graphics(),
        },
        "packages": {name: one.version for name, one in found.items()},
        "lock": [requirement(name, one) for name, one in found.items()],
    }


def installed() -> dict[str, Distribution]:
    """Every distribution that can be imported here; of two with one name the first on the path counts."""
    found: dict[str, Distribution] = {}
    for one in distributions():
        name = one.name
        if name:
            found.setdefault(name.lower().replace("_", "-").replace(".", "-"), one)
    return dict(sorted(found.items()))


def requirement(name: str, one: Distribution) -> str:
    """The line of a lock that installs exactly this: by version, or by the place that it was installed from."""
    try:
        said = json.loads(one.read_text("direct_url.json") or "{}")
        place = str(said.get("url", ""))
        if "vcs_info" in said:
            place = f"{said['vcs_info']['vcs']}+{place}@{said['vcs_info']['commit_id']}"
        elif digest := digest_of(said.get("archive_info", {})):
            place = f"{place}#{digest}"
        elif said.get("dir_info", {}).get("editable"):
            return f"{name} @ {place}  # {one.version}, editable: its sources are where they were written"
    except (ValueError, KeyError, TypeError, OSError):
        place = ""
    return f"{name} @ {place}  # {one.version}" if place else f"{name}=={one.version}"


def digest_of(archive: dict[str, Any]) -> str:
    """The digest of a file that was installed, such as ``sha256=…``; empty where nobody wrote it down."""
    hashes = archive.get("hashes") or {}
    return f"sha256={hashes['sha256']}" if "sha256" in hashes else str(archive.get("hash", ""))


def processor() -> str:
    """The processor's own name; empty where the system does not say it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except (OSError, ValueError):
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def graphics() -> list[str]:
    """Name and driver of every NVIDIA GPU that its own tool sees."""
    if shutil.which(ASK_GPU[0]) is None:
        return []
    try:
        done = subprocess.run(ASK_GPU, capture_output=True, text=True, check=True, timeout=GPU_S)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


if __name__ == "__main__":
    json.dump(look_around(), sys.stdout)
