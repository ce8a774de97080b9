"""What the outside asks of paths."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from taxiway.gates.contract import PathVersion
from taxiway.kernel.endpoint import Endpoint, Nothing, Page


class PublishPath(Struct, frozen=True, forbid_unknown_fields=True):
    """text: the YAML. name: what a refusal calls the text, such as a file's name."""

    text: str
    name: str = "path.yaml"


publish_path = Endpoint(
    "POST", "/api/gates/paths", PublishPath, PathVersion, "gates.publish", "Publish a version of a path", "platform"
)
list_paths = Endpoint(
    "GET", "/api/gates/paths", Nothing, Page[PathVersion], "gates.read", "The newest version of every path", "platform"
)
show_schema = Endpoint(
    "GET",
    "/api/gates/schema",
    Nothing,
    dict[str, Any],
    "gates.read",
    "The JSON Schema of a path's text, with the checks that are installed",
    "platform",
)
show_path = Endpoint(
    "GET",
    "/api/gates/paths/{path}/versions/{version:int}",
    Nothing,
    PathVersion,
    "gates.read",
    "A path's version; 0 is the newest",
    "platform",
)
