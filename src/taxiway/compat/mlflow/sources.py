"""Where MLflow's client says that a version comes from, read into what we keep. Pure.

A source is a folder of a run, a logged model, another version, or a plain label. Nothing else is a place.
"""

from __future__ import annotations

import re

from msgspec import Struct

from taxiway.compat.mlflow.places import place_of, relative
from taxiway.compat.mlflow.refusals import CallRefused
from taxiway.models.names import is_wide_name

RUNS = re.compile(r"runs:/+(?P<run>[^/]+)(?:/(?P<path>.*))?", re.DOTALL)
LOGGED = re.compile(r"models:/(?P<id>m-[0-9a-f]{32})/?")
VERSION = re.compile(r"models:/(?P<name>[^/@]+)(?:/(?P<version>[^/@]+)|@(?P<alias>[^/@]+))")
PROXY = re.compile(r"mlflow-artifacts:/(?P<path>[^/].*)", re.DOTALL)
RUN_ID = re.compile(r"[A-Za-z0-9][\w-]{0,255}")
LABEL = re.compile(r"\w[\w .-]*(?:/\w[\w .-]*)*")
LONGEST = 2000


class Source(Struct, frozen=True):
    """What a source names: a run and a folder in it, a logged model and a folder in it, or another version.

    A label has none of these.
    """

    run: str = ""
    folder: str | None = None
    logged: str = ""
    name: str = ""
    version: str = ""


def read_source(text: str, *, run_id: str, model_id: str) -> Source:
    """What a version's source names. Raises CallRefused for any other place.

    run_id, model_id: what came beside it, which must be the one that holds the files.
    """
    if len(text) > LONGEST or not text.isprintable():
        raise refused(text, f"Give at most {LONGEST} printable characters.")
    if found := LOGGED.fullmatch(text):
        return Source(logged=same(text, found["id"], model_id, "model_id"), folder="")
    if (found := VERSION.fullmatch(text)) and is_wide_name(found["name"]):
        return Source(name=found["name"], version=found["version"] or found["alias"])
    if found := RUNS.fullmatch(text):
        return in_run(text, found["run"], found["path"] or "", run_id)
    if found := PROXY.fullmatch(text):
        return in_place(text, found["path"], run_id=run_id, model_id=model_id)
    if LABEL.fullmatch(text):
        return Source()
    hint = "Give runs:/RUN/PATH, models:/m-ID, models:/NAME/VERSION, the artifact_uri of a run, or a plain label."
    raise refused(text, hint)


def in_run(text: str, run: str, path: str, run_id: str) -> Source:
    if not RUN_ID.fullmatch(run):
        raise refused(text, "A run's id has letters, digits, '_' and '-'.")
    return Source(run=same(text, run, run_id, "run_id"), folder=relative(path.removesuffix("/")) if path else "")


def in_place(text: str, path: str, *, run_id: str, model_id: str) -> Source:
    try:
        place = place_of(path)
    except CallRefused as e:
        raise refused(text, "Only places that the server gave out hold models.") from e
    if place.kind == "run":
        return Source(run=same(text, place.thing, run_id, "run_id"), folder=place.path)
    if place.kind == "logged_model":
        return Source(logged=same(text, place.thing, model_id, "model_id"), folder=place.path)
    if place.kind == "version" and not place.path:
        return Source(name=place.thing, version=str(place.experiment))
    raise refused(text, "Only a run, a logged model and a whole version hold models.")


def same(text: str, found: str, given: str, field: str) -> str:
    if given != found:
        raise refused(text, f"The {field} request parameter must identify the resource that contains the source.")
    return found


def refused(text: str, hint: str) -> CallRefused:
    return CallRefused(
        error_code="INVALID_PARAMETER_VALUE", message=f"Invalid model version source: '{text[:200]}'. {hint}"
    )
