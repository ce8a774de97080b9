"""The SDK of hooks: ``client.hooks``."""

from __future__ import annotations

from collections.abc import Sequence

from taxiway.hooks import contract
from taxiway.hooks.contract import AddHook, ChangeHook, Delivery, Event, Hook, ListDeliveries, Sampled, SendSample
from taxiway.kernel.endpoint import Nothing
from taxiway.kernel.transport import Transport


class Hooks:
    """Addresses that are told what happened here. Admins only; a hook is named by its name or its id."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def add(self, name: str, url: str, events: Sequence[Event], *, secret: str = "", description: str = "") -> Hook:
        """Has an address be told of events. secret: signs what it is told; it is never shown again.

        Raises HostUnknown, HostUnsafe, BadField.

        >>> client.hooks.add("ci", "https://ci.example/hook", ["model_version.created"])  # doctest: +SKIP
        """
        body = AddHook(name, url, list(events), description, secret)
        return self.transport.call(contract.add_hook, body)

    def list(self) -> Sequence[Hook]:
        """In the order in which they were made."""
        return self.transport.call(contract.list_hooks, Nothing()).items

    def show(self, hook: str) -> Hook:
        """Raises NotFound."""
        return self.transport.call(contract.show_hook, Nothing(), hook=hook)

    def change(
        self,
        hook: str,
        *,
        name: str | None = None,
        url: str | None = None,
        events: Sequence[Event] | None = None,
        secret: str | None = None,
        description: str | None = None,
        is_active: bool | None = None,
    ) -> Hook:
        """Changes what is given. An empty secret has deliveries go unsigned.

        >>> client.hooks.change("ci", is_active=False)  # doctest: +SKIP
        """
        told = list(events) if events is not None else None
        body = ChangeHook(name, url, told, description, secret, is_active)
        return self.transport.call(contract.change_hook, body, hook=hook)

    def remove(self, hook: str) -> Hook:
        """Forgets a hook, and what waits for it."""
        return self.transport.call(contract.remove_hook, Nothing(), hook=hook)

    def test(self, hook: str, event: Event | None = None) -> Sampled:
        """Sends a sample at once and says what the receiver made of it."""
        return self.transport.call(contract.send_sample, SendSample(event), hook=hook)

    def deliveries(self, hook: str, limit: int = 20) -> Sequence[Delivery]:
        """Those that wait and the last ones that ended, newest first."""
        return self.transport.call(contract.list_deliveries, ListDeliveries(limit), hook=hook).items
