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
NAMED = ("Name", "Version")


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
        "packages": {name: version for name, version, _ in found},
        "lock": [requirement(*one) for one in found],
    }


def installed() -> list[tuple[str, str, Distribution]]:
    """Every distribution that can be imported, with name and version; of two with one name the first counts."""
    found: dict[str, tuple[str, Distribution]] = {}
    for one in distributions():
        name, version = named(one)
        if name:
            found.setdefault(name.lower().replace("_", "-").replace(".", "-"), (version, one))
    return [(name, *found[name]) for name in sorted(found)]


def named(one: Distribution) -> tuple[str, str]:
    """A distribution's name and version, from the first lines of its metadata.

    The library's own properties parse all of it, long descriptions too, and again each time that they are asked.
    """
    found: dict[str, str] = {}
    for line in (one.read_text("METADATA") or "").splitlines():
        if not line or len(found) == len(NAMED):
            break
        field, _, value = line.partition(": ")
        if field in NAMED:
            found[field] = value.strip()
    if len(found) < len(NAMED):
        return str(one.metadata["Name"] or ""), str(one.version)
    return found["Name"], found["Version"]


def requirement(name: str, version: str, one: Distribution) -> str:
    """The line of a lock that installs exactly this: by version, or by the place that it was installed from."""
    try:
        said = json.loads(one.read_text("direct_url.json") or "{}")
        place = str(said.get("url", ""))
        if "vcs_info" in said:
            place = f"{said['vcs_info']['vcs']}+{place}@{said['vcs_info']['commit_id']}"
        elif digest := digest_of(said.get("archive_info", {})):
            place = f"{place}#{digest}"
        elif said.get("dir_info", {}).get("editable"):
            return f"{name} @ {place}  # {version}, editable: its sources are where they were written"
    except (ValueError, KeyError, TypeError, OSError):
        place = ""
    return f"{name} @ {place}  # {version}" if place else f"{name}=={version}"


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
