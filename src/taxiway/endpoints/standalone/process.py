"""The gateway around one bundle, as the images that are exported run it.

``python -m taxiway.endpoints.standalone.process serve --bundle DIR --port P``

The same gateway, worker, checks and log as on a home; only its configuration is its own, signed with a key that
is thrown away. Who may call is the platform's to say, which stands before the port, or TAXIWAY_TOKEN_HASHES.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from taxiway.endpoints.gateway.application import Gateway
from taxiway.endpoints.gateway.configuration import (
    ANY_HOST,
    Configuration,
    ServedEndpoint,
    ServedRevision,
    Signature,
    write_configuration,
)
from taxiway.endpoints.gateway.process import listen, only_one, run
from taxiway.endpoints.standalone.plan import Plan, plan
from taxiway.endpoints.standalone.telling import tell_beside
from taxiway.endpoints.worker.held import Command, worker_command
from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.ids import new_id
from taxiway.models.bundles.bundle import Bundle, verify_bundle

REFUSED = 3  # the exit code for a bundle that may not be served


def main(
    arguments: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
    command: Command = worker_command,
) -> None:
    """Verifies the bundle, then serves it until SIGTERM. Exits with 3 where it may not be served."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    try:
        planned = plan(sys.argv[1:] if arguments is None else arguments, os.environ if environ is None else environ)
        bundle = verify_bundle(planned.bundle, planned.digest or None)
    except TaxiwayError as refusal:
        print(f"taxiway: {refusal}", file=sys.stderr, flush=True)
        sys.exit(REFUSED)
    if planned.home is not None:
        serve(planned, bundle, planned.home, command)
        return
    with tempfile.TemporaryDirectory(prefix="taxiway-") as home:
        serve(planned, bundle, Path(home), command)


def serve(planned: Plan, bundle: Bundle, home: Path, command: Command) -> None:
    """Answers until SIGTERM."""
    configure(home, planned, bundle)
    os.chdir("/")
    with only_one(home) as lock:
        listener = listen(planned.host, planned.port)
        host, port = listener.getsockname()[:2]
        what = f"{planned.name} ({bundle.manifest.name}, {bundle.digest})"
        print(f"taxiway serves {what} at http://{host}:{port}", file=sys.stderr, flush=True)
        gateway = Gateway(home, os.getpid(), limits=planned.limits, command=command)
        gateway.aliases = dict(planned.aliases)
        tell_beside(home, lambda line: print(line, file=sys.stderr, flush=True))
        run(gateway, listener, lock)


def configure(home: Path, planned: Plan, bundle: Bundle) -> None:
    """Writes the one configuration of this process, signed with a key of its own."""
    key, name = Ed25519PrivateKey.generate(), f"standalone-{new_id()}"
    (home / "gateway").mkdir(parents=True, exist_ok=True)
    (home / "keys").mkdir(exist_ok=True)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (home / "keys" / f"{name}.pub.pem").write_bytes(public)
    endpoint = ServedEndpoint(planned.name, "", 1, bool(planned.token_hashes), planned.token_hashes)
    revision = ServedRevision(
        planned.name,
        1,
        bundle.manifest.name,
        planned.version,
        str(planned.bundle),
        bundle.digest,
        workers=planned.workers,
        may_run_code=planned.may_run_code,
    )
    written = Configuration(time.time_ns(), datetime.now(UTC), (endpoint,), (revision,), (ANY_HOST,))
    write_configuration(home / "gateway", written, lambda data: Signature(name, key.sign(data)))


if __name__ == "__main__":
    main()
