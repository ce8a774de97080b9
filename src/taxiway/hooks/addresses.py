"""Where a hook leads: its URL read strictly, and every address that its host stands for looked at before one is used.

The addresses are given to whoever connects, so that a name that leads elsewhere a moment later changes nothing.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from msgspec import Struct

from taxiway.hooks.refusals import HostUnknown, HostUnsafe
from taxiway.kernel.errors import BadField

HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9])?\.?")
PRINTABLE = re.compile(r"[\x21-\x7e]+")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
PROTOCOLS = ipaddress.IPv4Network("192.0.0.0/24")  # for protocols; Pythons differ on what of it is private
PORTS = {"http": 80, "https": 443}

LookUp = Callable[[str, int], Sequence[str]]
Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


class Target(Struct, frozen=True):
    """A URL in its parts. named: host and port as the receiver is asked under; path: with the query."""

    scheme: str
    host: str
    port: int
    named: str
    path: str


def read_url(url: str, field: str = "url") -> Target:
    """The parts of a hook's URL. Raises BadField for anything but a plain http or https address."""
    expected = "an address such as https://HOST/PATH, without user, password and '#'"
    wrong = BadField(field=field, value=repr(url[:200]), expected=expected)
    if not PRINTABLE.fullmatch(url) or "\\" in url:
        raise wrong
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as e:
        raise wrong from e
    if parts.scheme not in PORTS or "@" in parts.netloc or "#" in url or port == 0:
        raise wrong
    if not (is_ipv6(host) if "[" in parts.netloc else HOST.fullmatch(host)):
        raise wrong
    bare = f"[{host}]" if ":" in host else host
    named = bare if port in (None, PORTS[parts.scheme]) else f"{bare}:{port}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or PORTS[parts.scheme], named, path)


def shown(url: str) -> str:
    """A URL for logs: without its query, which may hold what only the receiver should know."""
    return url.partition("?")[0]


def look_up(host: str, port: int) -> Sequence[str]:
    """Every address of a host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class Reach:
    """Where deliveries may go: anywhere public over https, and wherever the configuration says.

    allowed: hosts, each with or without a port, as they stand in URLs: these may be within the network, and http.
    """

    def __init__(self, allowed: Iterable[str] = (), look_up: LookUp = look_up) -> None:
        self.allowed = frozenset(each.lower() for each in allowed)
        self.look_up = look_up

    def addresses(self, target: Target) -> Sequence[str]:
        """The addresses to connect to, all of them safe. Raises HostUnsafe, HostUnknown."""
        is_allowed = self._is_allowed(target)
        if target.scheme != "https" and not is_allowed:
            raise HostUnsafe(host=target.named, cause="http is neither sealed nor sure who answers")
        try:
            found = self.look_up(target.host, target.port)
        except (OSError, UnicodeError) as e:
            raise HostUnknown(host=target.named, cause=getattr(e, "strerror", None) or str(e)) from e
        for address in found:
            ip = plain(address)
            if ip.is_unspecified or ip.is_multicast or not (is_allowed or is_public(ip)):
                raise HostUnsafe(host=target.named, cause=f"it stands for {address}, which is not public")
        return found

    def _is_allowed(self, target: Target) -> bool:
        bare = f"[{target.host}]" if ":" in target.host else target.host
        return not self.allowed.isdisjoint({target.host, bare, f"{bare}:{target.port}"})


def plain(address: str) -> Ip:
    """An address as what it leads to: those of IPv6 that carry one of IPv4 are that."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)


def is_public(ip: Ip) -> bool:
    is_local = ip.is_site_local if isinstance(ip, ipaddress.IPv6Address) else ip in PROTOCOLS
    return ip.is_global and not (is_local or ip.is_reserved or ip.is_multicast or ip.is_link_local or ip.is_loopback)


def is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return "%" not in host
