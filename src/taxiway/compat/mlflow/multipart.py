"""Uploads in parts, as MLflow's client sends what is large: each part to an address of its own, then all as one."""

from __future__ import annotations

import re

from msgspec import Struct
from starlette.responses import Response

from taxiway.compat.mlflow.call import Call, Given, Int32, Void
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.files import Files, packed
from taxiway.compat.mlflow.places import Place, place_of, relative
from taxiway.compat.mlflow.refusals import invalid
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotAllowed
from taxiway.storage.parts import Opened, Parts, Sent
from taxiway.web.bodies import Upload

HEADER = "Taxiway-Upload-Secret"
PARTS = "/mlflow-artifacts/mpu/parts"


class Create(Struct, frozen=True):
    """place: the folder, from the address. path: the file on the sender's disk, of which only the name counts."""

    place: Given
    path: Given
    origin: str
    num_parts: Int32 = 1


class Credential(Struct, frozen=True):
    url: str
    part_number: int
    headers: dict[str, str]


class Created(Struct, frozen=True):
    upload_id: str
    credentials: list[Credential]


class PartNamed(Struct, frozen=True):
    part_number: Int32
    etag: Given


class Complete(Struct, frozen=True):
    place: Given
    path: Given
    upload_id: Given
    parts: list[PartNamed] = []


class Abort(Struct, frozen=True):
    place: Given
    path: Given
    upload_id: Given


class SendPart(Struct, frozen=True):
    upload_id: Given
    part_number: Int32


create = Call("POST", "/mlflow-artifacts/mpu/create/{place:path}", Create, Created, "runs.write", "upload")
complete = Call("POST", "/mlflow-artifacts/mpu/complete/{place:path}", Complete, Void, "runs.write", "upload")
abort = Call("POST", "/mlflow-artifacts/mpu/abort/{place:path}", Abort, Void, "runs.write", "upload")
send_part = Call(
    "PUT", f"{PARTS}/{{upload_id}}/{{part_number}}", SendPart, Response, "runs.write", "open", body="raw"
)  # open to whoever has the upload's secret: the client sends parts without its login


class Multipart:
    """Answers the calls about uploads in parts."""

    def __init__(self, files: Files, parts: Parts) -> None:
        self.files = files
        self.parts = parts

    def bind(self, dialect: Dialect) -> None:
        def owner(caller: Caller, ask: Create | Complete | Abort) -> list[str]:
            return [self.files.owner(target(ask))]

        dialect.know("upload", owner)
        dialect.serve(create, self.create)
        dialect.serve(complete, self.complete)
        dialect.serve(abort, self.abort)
        dialect.serve(send_part, self.send)

    def create(self, caller: Caller, ask: Create) -> Created:
        place = target(ask)
        self.files.owner(place)
        opened, secret = self.parts.open(purpose=purpose_of(place), owner=caller.name, parts=ask.num_parts)
        headers = {HEADER: secret, "Content-Type": "application/octet-stream"}
        root = f"{ask.origin}/api/2.0{PARTS}/{opened.id}"
        numbers = range(1, ask.num_parts + 1)
        return Created(opened.id, [Credential(f"{root}/{number}", number, headers) for number in numbers])

    def send(self, caller: Caller, ask: SendPart, upload: Upload) -> Response:
        opened = self.parts.check_secret(ask.upload_id, upload.headers.get(HEADER, ""))
        if upload.headers.get("content-encoding", "identity").lower() != "identity":
            raise packed()
        digest = self.parts.put(opened, ask.part_number, upload)
        return Response(b"", headers={"ETag": f'"{digest}"'})

    def complete(self, caller: Caller, ask: Complete) -> Void:
        place = target(ask)
        opened = self.mine(caller, ask.upload_id, place)
        sent = [Sent(part.part_number, digest_in(part.etag)) for part in ask.parts]
        self.files.name(caller, place, self.parts.complete(opened, sent, self.files.blobs))
        self.parts.abort(opened.id)
        return Void()

    def abort(self, caller: Caller, ask: Abort) -> Void:
        self.parts.abort(self.mine(caller, ask.upload_id, target(ask)).id)
        return Void()

    def mine(self, caller: Caller, upload: str, place: Place) -> Opened:
        """The caller's own upload to this place. Raises NotFound, NotAllowed."""
        self.files.owner(place)
        opened = self.parts.find(upload)
        if opened.owner != caller.name or opened.purpose != purpose_of(place):
            where = "an upload of somebody else, or to another place"
            raise NotAllowed(actor=caller.name, needs="an upload of one's own", where=where, who_can=[opened.owner])
        return opened


def target(ask: Create | Complete | Abort) -> Place:
    """The file that an upload is for."""
    name = re.split(r"[/\\]", ask.path)[-1]
    folder = place_of(ask.place)
    path = f"{folder.path}/{name}" if folder.path else name
    return Place(folder.kind, folder.thing, folder.experiment, relative(path))


def purpose_of(place: Place) -> str:
    return f"{place.kind} {place.experiment} {place.thing} {place.path}"


def digest_in(etag: str) -> str:
    found = etag.strip('"')
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", found):
        raise invalid("parts.etag", etag[:100], "what the server answered as ETag when the part came")
    return found
