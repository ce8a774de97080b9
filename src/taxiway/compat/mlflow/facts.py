"""What the client asks about the server itself."""

from __future__ import annotations

from msgspec import Struct
from starlette.responses import PlainTextResponse, Response

from taxiway.compat.mlflow.call import Call, Nothing
from taxiway.compat.mlflow.door import Dialect
from taxiway.kernel.caller import Caller

VERSION = "3.17.2"  # of MLflow's client whose dialect this is; it compares


class Features(Struct, frozen=True):
    gateway: bool = False


class ServerInfo(Struct, frozen=True):
    """What the server can do, in MLflow's words. Bytes come and go through the server, never by signed addresses."""

    store_type: str = "SqlStore"
    workspaces_enabled: bool = False
    trace_archival_enabled: bool = False
    multipart_uploads_enabled: bool = True
    multipart_downloads_enabled: bool = False
    presigned_upload_run_id_supported: bool = False
    presigned_upload_model_id_supported: bool = False
    features_enabled: Features = Features()


version = Call("GET", "/version", Nothing, Response, "runs.read", "open", versions=())
server_info = Call("GET", "/mlflow/server-info", Nothing, ServerInfo, "runs.read", "open", versions=("3.0",))


def bind(dialect: Dialect) -> None:
    def tell_version(caller: Caller, ask: Nothing) -> Response:
        return PlainTextResponse(VERSION)

    def tell_server(caller: Caller, ask: Nothing) -> ServerInfo:
        return ServerInfo()

    dialect.serve(version, tell_version)
    dialect.serve(server_info, tell_server)
