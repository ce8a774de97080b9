"""Where hooks may lead: URLs read strictly, and every address that a host stands for."""

from collections.abc import Sequence

import pytest

from taxiway.hooks.addresses import Reach, read_url
from taxiway.hooks.refusals import HostUnknown, HostUnsafe
from taxiway.kernel.errors import BadField

PRIVATE = [
    "127.0.0.1", "127.8.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.0.8", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0",
    "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::",
    "2002:a00:1::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:0:1:2:3:4:80ff:fffe",
]  # fmt: skip
ODD_URLS = [
    "", "x", "ftp://a.example/", "file:///etc/passwd", "https:///path", "https://", "https://a.example:0/",
    "https://a.example:99999/", "https://user@a.example/", "https://user:word@a.example/", "https://a.example/#top",
    "https://a.example/a b", "https://a.example/\n", "https://a.example\\@b.example/", "https://ä.example/",
    "https://[::1", "https://[fe80::1%25eth0]/", "https://[v1.x]/", "https://a.example/\r\nX: y", "//a.example/",
    "https://-a.example/", "gopher://a.example/", "https://a..example:x/",
]  # fmt: skip


def standing_for(*addresses: str) -> Reach:
    return Reach(look_up=lambda host, port: addresses)


@pytest.mark.parametrize("url", ODD_URLS)
def test_a_url_that_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(BadField):
        read_url(url)


@pytest.mark.parametrize(
    ("url", "named", "port", "path"),
    [
        ("https://Hooks.example", "hooks.example", 443, "/"),
        ("https://hooks.example:8443/a?b=c", "hooks.example:8443", 8443, "/a?b=c"),
        ("http://hooks.example:80/a", "hooks.example", 80, "/a"),
        ("https://[2606:4700::1]:8443/", "[2606:4700::1]:8443", 8443, "/"),
    ],
)
def test_a_url_is_read_in_its_parts(url: str, named: str, port: int, path: str) -> None:
    target = read_url(url)

    assert (target.named, target.port, target.path) == (named, port, path)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_host_within_the_network_is_refused_however_its_address_is_written(address: str) -> None:
    with pytest.raises(HostUnsafe, match=r"hooks\.example"):
        standing_for(address).addresses(read_url("https://hooks.example/"))


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(HostUnsafe, match=r"10\.0\.0\.1"):
        standing_for("93.184.216.34", "10.0.0.1").addresses(read_url("https://hooks.example/"))


def test_a_public_host_is_reached_over_https_only() -> None:
    reach = standing_for("93.184.216.34", "2606:4700::1")

    assert reach.addresses(read_url("https://hooks.example/")) == ("93.184.216.34", "2606:4700::1")
    with pytest.raises(HostUnsafe, match="http is neither"):
        reach.addresses(read_url("http://hooks.example/"))


@pytest.mark.parametrize(
    "url", ["https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://localhost/"]
)
def test_the_resolver_itself_decides_what_a_spelling_means(url: str) -> None:
    with pytest.raises((HostUnsafe, HostUnknown)):
        Reach().addresses(read_url(url))


def test_what_the_configuration_allows_is_reached_and_nothing_beside_it() -> None:
    def look_up(host: str, port: int) -> Sequence[str]:
        return ["10.0.0.7"]

    reach = Reach(["Hooks.intern", "ci.intern:8080", "[::1]:9000"], look_up)

    assert reach.addresses(read_url("http://hooks.intern:1234/")) == ["10.0.0.7"]
    assert reach.addresses(read_url("http://ci.intern:8080/")) == ["10.0.0.7"]
    assert reach.addresses(read_url("http://[::1]:9000/")) == ["10.0.0.7"]
    for url in ("https://ci.intern/", "https://other.intern/", "https://x.hooks.intern/", "http://[::1]/"):
        with pytest.raises(HostUnsafe):
            reach.addresses(read_url(url))


def test_an_allowed_host_may_still_not_be_every_address_at_once() -> None:
    with pytest.raises(HostUnsafe):
        Reach(["hooks.intern"], lambda host, port: ["0.0.0.0"]).addresses(read_url("http://hooks.intern/"))


def test_a_host_that_nobody_knows_is_said_to_be_unknown() -> None:
    def look_up(host: str, port: int) -> Sequence[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(HostUnknown, match="Name or service not known"):
        Reach(look_up=look_up).addresses(read_url("https://nowhere.example/"))
