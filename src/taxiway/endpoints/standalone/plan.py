"""What a stand-alone server serves and where, by its arguments and by what the platforms say in the environment."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from taxiway.endpoints.worker.held import Limits
from taxiway.kernel.errors import BadField
from taxiway.kernel.ids import is_name
from taxiway.models.bundles.bundle import MANIFEST, NotABundle

PORT = 8080
PORTS = ("AIP_HTTP_PORT", "SAGEMAKER_BIND_TO_PORT", "PORT")  # Vertex AI, SageMaker, and everybody else
HOMES = ("/opt/ml/model", "/mnt/models")  # where SageMaker and KServe put a model
HASH_DIGITS = 64


class Plan(Struct, frozen=True, kw_only=True):
    """All that a stand-alone server goes by.

    bundle: its folder. digest: the one that was approved; empty where only the bundle's own word counts.
    token_hashes: SHA-256 in hex of the tokens that may call; none lets in whoever reaches the port.
    """

    bundle: Path
    digest: str
    name: str
    version: int
    host: str
    port: int
    workers: int
    limits: Limits
    may_run_code: bool
    token_hashes: tuple[str, ...]
    aliases: Mapping[tuple[str, str], str]
    home: Path | None


def parser() -> argparse.ArgumentParser:
    """The arguments; each has its environment variable, for platforms that give no others."""
    found = argparse.ArgumentParser(prog="python -m taxiway.endpoints.standalone.process")
    found.add_argument("verb", nargs="?", choices=("serve",), help="as SageMaker says it; nothing else is done here")
    found.add_argument("--bundle", default="", help="its folder (TAXIWAY_BUNDLE; else where the platform puts models)")
    found.add_argument("--digest", default="", help="what it must be, sha256:... (TAXIWAY_BUNDLE_DIGEST)")
    found.add_argument("--name", default="", help="the endpoint's name (TAXIWAY_ENDPOINT; else the model's)")
    found.add_argument("--version", default="", help="the model's version (TAXIWAY_MODEL_VERSION)")
    found.add_argument("--host", default="0.0.0.0", help="the address to listen on")  # noqa: S104  an image is called from outside
    found.add_argument("--port", default="", help=f"{', '.join(PORTS)}; else {PORT}")
    found.add_argument("--workers", default="", help="processes that answer (SAGEMAKER_MODEL_SERVER_WORKERS)")
    found.add_argument("--home", default="", help="where the inference log is kept; else it goes with the process")
    found.add_argument("--may-run-code", action="store_true", help="serve a pickle, too (TAXIWAY_MAY_RUN_CODE=1)")
    return found


def plan(arguments: Sequence[str], environ: Mapping[str, str]) -> Plan:
    """Reads both, arguments first. Raises BadField, NotABundle; exits as argparse does on unknown arguments."""
    given = parser().parse_args(arguments)
    name = given.name or environ.get("TAXIWAY_ENDPOINT", "")
    folder = bundle_folder(given.bundle or environ.get("TAXIWAY_BUNDLE", ""), environ)
    name = name or name_of(folder)
    if not is_name(name):
        raise BadField(field="--name", value=repr(name), expected="lower-case letters, digits, '.', '_' and '-'")
    workers = given.workers or environ.get("SAGEMAKER_MODEL_SERVER_WORKERS", "")
    return Plan(
        bundle=folder,
        digest=given.digest or environ.get("TAXIWAY_BUNDLE_DIGEST", ""),
        name=name,
        version=number("--version", given.version or environ.get("TAXIWAY_MODEL_VERSION", ""), 1, 1 << 31),
        host=given.host,
        port=port(given.port, environ),
        workers=number("--workers", workers, 1, 64),
        limits=limits(environ),
        may_run_code=given.may_run_code or environ.get("TAXIWAY_MAY_RUN_CODE") == "1",
        token_hashes=token_hashes(environ.get("TAXIWAY_TOKEN_HASHES", "")),
        aliases=aliases(name, environ),
        home=Path(given.home).resolve() if given.home else None,
    )


def bundle_folder(given: str, environ: Mapping[str, str]) -> Path:
    """The folder that holds the bundle: the one named, or the first place of a platform that has one.

    In each also a folder `bundle`, since a SageMaker archive has code beside it. Raises NotABundle.
    """
    base = environ.get("SAGEMAKER_BASE_DIR", "")
    places = [given] if given else [*([f"{base}/model"] if base else []), *HOMES]
    for place in places:
        for folder in (Path(place), Path(place, "bundle")):
            if (folder / MANIFEST).is_file():
                return folder.resolve()
    raise NotABundle(folder=" nor ".join(places), reason=f"there is no {MANIFEST} in it")


def name_of(folder: Path) -> str:
    """The name in the manifest, which is checked before it is believed in anything else."""
    from taxiway.models.bundles.bundle import read_manifest

    return read_manifest(folder).name


def port(given: str, environ: Mapping[str, str]) -> int:
    """The first that is said. Raises BadField."""
    for field, text in (("--port", given), *((name, environ.get(name, "")) for name in PORTS)):
        if text:
            return number(field, text, PORT, 65_535, lowest=0)
    return PORT


def number(field: str, text: str, default: int, highest: int, *, lowest: int = 1) -> int:
    """A whole number. Raises BadField."""
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
        raise BadField(field=field, value=repr(text), expected=f"a whole number from {lowest} to {highest}")
    return int(text)


def limits(environ: Mapping[str, str]) -> Limits:
    """How long a request may take and how large it may be, as SageMaker's toolkit says it. Raises BadField."""
    usual = Limits()
    wait = number("SAGEMAKER_MODEL_SERVER_TIMEOUT", environ.get("SAGEMAKER_MODEL_SERVER_TIMEOUT", ""), 0, 3600)
    size = number("SAGEMAKER_MAX_PAYLOAD_IN_MB", environ.get("SAGEMAKER_MAX_PAYLOAD_IN_MB", ""), 0, 1024)
    return usual._replace(deadline_s=float(wait or usual.deadline_s), body_bytes=(size << 20) or usual.body_bytes)


def token_hashes(text: str) -> tuple[str, ...]:
    """SHA-256 hashes in hex, with commas between. Raises BadField."""
    found = tuple(each.strip().lower() for each in text.split(",") if each.strip())
    for each in found:
        if len(each) != HASH_DIGITS or set(each) - set("0123456789abcdef"):
            raise BadField(field="TAXIWAY_TOKEN_HASHES", value="one entry", expected="SHA-256 in 64 hex digits")
    return found


def aliases(name: str, environ: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """The addresses that the platforms call, by method and path, and the gateway's own that each stands for."""
    found = {("POST", "/invocations"): f"/endpoints/{name}/invocations"}
    vertex = f"/v1/endpoints/{name}/deployedModels/1:predict"
    endpoint, deployed = environ.get("AIP_ENDPOINT_ID", ""), environ.get("AIP_DEPLOYED_MODEL_ID", "")
    usual = f"/v1/endpoints/{endpoint}/deployedModels/{deployed}:predict" if endpoint and deployed else ""
    for method, variable in (("POST", "AIP_PREDICT_ROUTE"), ("GET", "AIP_HEALTH_ROUTE")):
        route = environ.get(variable, "") or usual
        if route:
            found[method, route if route.startswith("/") else f"/{route}"] = vertex
    return found
