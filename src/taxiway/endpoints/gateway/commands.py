"""The CLI of the gateway itself."""

from __future__ import annotations

from argparse import Namespace

from taxiway.endpoints.gateway.address import Address
from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.settings import read_settings


def gateway(client: None, given: Namespace) -> Address:
    """Restarts the gateway of this machine's home. Raises GatewayAway."""
    from taxiway.endpoints.steering.supervision import restart_gateway

    return restart_gateway(read_settings().home)


def show(address: Address) -> str:
    return f"Another gateway answers at {address.url} (process {address.pid}); callers noticed nothing."


COMMANDS = (
    Command(
        "gateway",
        "have another gateway take over from the one that runs, such as after an upgrade",
        gateway,
        (Argument("verb", "what to do", choices=("restart",)),),
        show=show,
        is_offline=lambda given: True,
    ),
)
