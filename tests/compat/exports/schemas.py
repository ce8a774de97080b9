"""Holds manifests against Kubernetes' published schemas and KServe's typed models, strictly: no unknown field passes.

Run by a Python that has both: texts of YAML come in as a JSON list, and for each its problems go out.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import sys
import types
from collections.abc import Iterator
from typing import Any

import yaml

PLAIN = {"str": str, "bool": bool, "int": int, "object": object}
KSERVE = ("serving.kserve.io/v1beta1", "serving.kserve.io/v1alpha1")


def problems(text: str) -> list[str]:
    """What is wrong with any document of a text."""
    return [problem for document in yaml.safe_load_all(text) for problem in of_document(document)]


def of_document(document: dict[str, Any]) -> Iterator[str]:
    if document["apiVersion"] in KSERVE:
        prefix = document["apiVersion"].rpartition("/")[2].capitalize()
        yield from of_model(document, prefix + document["kind"], document["kind"])
        return
    validate: Any = importlib.import_module("kubernetes_validate")
    try:
        validate.validate(document, validate.latest_version(), strict=True)
    except Exception as e:  # noqa: BLE001  a plug-in call: whatever it raises is what is wrong
        yield f"{document['kind']}: {e}"


def of_model(value: Any, kind: str, where: str) -> Iterator[str]:
    """What does not fit a type as KServe's models name it, such as ``list[V1EnvVar]``."""
    listed = re.fullmatch(r"list\[(.*)\]", kind)
    mapped = re.fullmatch(r"dict\(str, (.*)\)", kind)
    if listed or mapped:
        if not isinstance(value, list if listed else dict):
            yield f"{where}: {value!r} is no {kind}"
            return
        pairs = enumerate(value) if isinstance(value, list) else value.items()
        for name, inner in pairs:
            yield from of_model(inner, (listed or mapped)[1], f"{where}.{name}")  # type: ignore[index]
    elif kind in PLAIN:
        if not isinstance(value, PLAIN[kind]):
            yield f"{where}: {value!r} is no {kind}"
    elif (found := model(kind)) is not None:
        kinds = {outside: found.openapi_types[inside] for inside, outside in found.attribute_map.items()}
        for name, inner in value.items():
            if name not in kinds:
                yield f"{where}: there is no field {name}"
            else:
                yield from of_model(inner, kinds[name], f"{where}.{name}")
    else:
        yield from of_core(value, kind, where)


def model(kind: str) -> Any:
    """KServe's class, without importing its server; None for a type of Kubernetes' own."""
    if "kserve" not in sys.modules:
        spec = importlib.util.find_spec("kserve")
        assert spec is not None, "it is installed here"
        for name, folder in (("kserve", ""), ("kserve.models", "/models")):
            package = types.ModuleType(name)
            package.__path__ = [f"{place}{folder}" for place in spec.submodule_search_locations or ()]
            sys.modules[name] = package
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()
    try:
        return getattr(importlib.import_module(f"kserve.models.{name}"), kind)
    except ModuleNotFoundError:
        return None


def of_core(value: Any, kind: str, where: str) -> Iterator[str]:
    """What does not fit a type of Kubernetes' own, by the definitions of its newest release."""
    validate: Any = importlib.import_module("kubernetes_validate.utils")
    schema: Any = importlib.import_module("jsonschema")
    folder = f"kubernetes-json-schema/v{validate.latest_version()}-local-strict"
    definitions = validate.schema_contents(f"{folder}/_definitions.json", validate.latest_version())
    names = [name for name in definitions["$defs"] if name.endswith(f".v1.{kind.removeprefix('V1')}")]
    found = [name for name in names if ".core." in name or ".meta." in name]
    assert found, f"nobody defines {kind}"
    text = {"$ref": f"#/$defs/{found[0]}", "$defs": definitions["$defs"]}
    for error in schema.Draft202012Validator(text).iter_errors(value):
        yield f"{where}.{'.'.join(map(str, error.absolute_path))}: {error.message}"


if __name__ == "__main__":
    json.dump([problems(text) for text in json.load(sys.stdin)], sys.stdout)
