"""Which addresses a request for an http(s):// URL may go to, checked when it is connected.

A name may have another address at every look-up, and a server may answer with a redirect; so it is
the address of each connection that counts, and not the URL.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urljoin, urlsplit

from voxk8s.inputs.confinement import is_below_url

if TYPE_CHECKING:
    import aiohttp

PRIVATE_NETWORKS: Final = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64",
    "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10",
    "ff00::/8",
)  # fmt: skip
"""Networks whose addresses are not public, by the special-purpose registries of RFC 6890."""
METADATA_NETWORKS: Final = (
    "169.254.0.0/16", "fe80::/10",  # link-local: of most clouds
    "fd00:ec2::23/128", "fd00:ec2::254/128",  # AWS
    "fd20:ce::254/128",  # Google
    "168.63.129.16/32",  # Azure
    "100.100.100.200/32",  # Alibaba
    "fd00:c1::a9fe:a9fe/128",  # Oracle
    "fd00:42::42/128",  # Scaleway
)  # fmt: skip
"""Where clouds serve the credentials of a node or pod: never allowed."""
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL_NAT64: Final = ipaddress.IPv6Network("64:ff9b:1::/48")
_LAST_BITS: Final = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", str(_NAT64))))
"""IPv4-compatible, IPv4-translated and NAT64 addresses: an IPv4 address is in the last 32 bits."""
_LOCAL_OCTETS: Final = ((6, 7, 9, 10), (7, 9, 10, 11), (9, 10, 11, 12), (12, 13, 14, 15))
"""The octets of the IPv4 address, for prefixes of 48, 56, 64 and 96 bits (RFC 6052)."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(Exception):
    """A request would go to an address, or by a redirect to a URL, that is not allowed."""


@dataclass(frozen=True, slots=True)
class AddressRules:
    """Which addresses are allowed.

    Those in `METADATA_NETWORKS` never are, however they are written or translated. With
    `public_only` neither are those in `PRIVATE_NETWORKS` and in `denied`, networks as in
    10.0.0.0/8, except for those in `allowed`. `prefixes` are URL prefixes: those that name a host
    are exempt, and if there are any, redirects must stay below one.
    """

    public_only: bool = False
    denied: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    prefixes: tuple[str, ...] | None = None

    def allows(self, address: str) -> bool:
        """Whether a connection to an IP address is allowed."""
        found = ipaddress.ip_address(address.partition("%")[0])
        if any(_is_within(each, METADATA_NETWORKS) for each in _translated(found)):
            return False
        return all(map(self._allows, (found, *_embedded(found))))

    def _allows(self, address: _Address) -> bool:
        if _is_within(address, METADATA_NETWORKS):
            return False
        if not self.public_only or _is_within(address, self.allowed):
            return True
        if address in _NAT64:  # the embedded address counts
            return not _is_within(address, self.denied)
        return not _is_within(address, (*PRIVATE_NETWORKS, *self.denied))

    def exempts(self, url: str) -> bool:
        """Whether a URL is below a prefix that names its host: then its address does not matter."""
        return any(
            bool(urlsplit(prefix).netloc) and is_below_url(url, prefix)
            for prefix in self.prefixes or ()
        )

    def allows_redirect(self, url: str) -> bool:
        """Whether a server may redirect a request to a URL."""
        if urlsplit(url).scheme not in ("http", "https"):
            return False
        return self.prefixes is None or any(is_below_url(url, each) for each in self.prefixes)


def _is_within(address: _Address, networks: tuple[str, ...]) -> bool:
    return any(address in network for network in _parsed(networks))


@cache
def _parsed(networks: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(each, strict=False) for each in networks)


def _embedded(address: _Address) -> Sequence[_Address]:
    """Return the IPv4 addresses to which a gateway may translate an IPv6 address."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    found: list[_Address] = [each for each in (address.ipv4_mapped, address.sixtofour) if each]
    if address.teredo:
        found += address.teredo
    is_own = address.is_loopback or address.is_unspecified
    if not is_own and any(address in network for network in _LAST_BITS):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found


def _translated(address: _Address) -> Sequence[_Address]:
    """Return the IPv4 addresses that one of a local NAT64 may mean: its prefix has any length."""
    if address not in _LOCAL_NAT64:
        return ()
    packed = address.packed
    return [ipaddress.IPv4Address(bytes(packed[at] for at in each)) for each in _LOCAL_OCTETS]


SocketFactory: TypeAlias = Callable[[Any], socket.socket]


@cache
def socket_factory(rules: AddressRules) -> SocketFactory:
    """Return what opens sockets for aiohttp, to addresses that rules allow; else AddressRefused.

    It is the same for equal rules, so that file systems can be shared.
    """

    def connect(found: Any) -> socket.socket:
        family, kind, protocol, _, address = found
        if not rules.allows(address[0]):
            raise AddressRefused("its server has an address that is not allowed")
        return socket.socket(family, kind, protocol)

    return connect


async def open_session(rules: AddressRules, exempt: bool, **options: Any) -> aiohttp.ClientSession:
    """Return an HTTP session whose connections and redirects obey rules.

    `exempt` is whether the URL that it is for is exempt; then redirects must be so too.
    """
    import aiohttp

    class Resolver(aiohttp.ThreadedResolver):
        """Refuses a name with any address that is not allowed, before one of them is tried."""

        async def resolve(self, *args: Any, **named: Any) -> Any:
            found = await super().resolve(*args, **named)
            if not exempt and not all(rules.allows(each["host"]) for each in found):
                raise AddressRefused("its server has an address that is not allowed")
            return found

    async def redirect(_: object, __: object, seen: aiohttp.TraceRequestRedirectParams) -> None:
        location = seen.response.headers.get("Location") or seen.response.headers.get("URI") or ""
        url = urljoin(str(seen.response.url), location)
        if not rules.allows_redirect(url) or (exempt and not rules.exempts(url)):
            raise AddressRefused("it is redirected to a URL that is not allowed")

    traces = aiohttp.TraceConfig()
    traces.on_request_redirect.append(redirect)
    connector = aiohttp.TCPConnector(
        resolver=Resolver(), socket_factory=None if exempt else socket_factory(rules)
    )
    return aiohttp.ClientSession(connector=connector, trace_configs=[traces], **options)
