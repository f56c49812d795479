"""Which addresses a request for an http(s):// URL may go to, checked when it is connected.

A name may have another address at every look-up, and a server may answer with a redirect; so it is
the address of each connection that counts, and not the URL.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from voxk8s.inputs.confinement import is_below_url

if TYPE_CHECKING:
    import aiohttp

PRIVATE_NETWORKS: Final = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "::/127", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
    "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)  # fmt: skip
"""Networks whose addresses are not public, by the special-purpose registries of RFC 6890."""
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_LINK_LOCAL: Final = tuple(map(ipaddress.ip_network, ("169.254.0.0/16", "fe80::/10")))
_METADATA: Final = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16"})
"""Metadata services of clouds that are not at a link-local address."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(Exception):
    """A request would go to an address, or by a redirect to a URL, that is not allowed."""


@dataclass(frozen=True, slots=True)
class AddressRules:
    """Which addresses are allowed.

    Link-local addresses, and those of metadata services of clouds, never are. With `public_only`
    neither are those in `PRIVATE_NETWORKS` and in `denied`, networks as in 10.0.0.0/8, except for
    those in `allowed`. `prefixes` are URL prefixes: those that name a host are exempt, and if there
    are any, redirects must stay below one.
    """

    public_only: bool = False
    denied: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    prefixes: tuple[str, ...] | None = None

    def allows(self, address: str) -> bool:
        """Whether a connection to an IP address is allowed."""
        found = ipaddress.ip_address(address.partition("%")[0])
        return all(map(self._allows, (found, *_embedded(found))))

    def _allows(self, address: _Address) -> bool:
        if any(address in each for each in _LINK_LOCAL) or str(address) in _METADATA:
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
    if address in _NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found


async def open_session(rules: AddressRules, exempt: bool, **options: Any) -> aiohttp.ClientSession:
    """Return an HTTP session whose connections and redirects obey rules.

    `exempt` is whether the URL that it is for is exempt; then redirects must be so too.
    """
    import aiohttp

    def connect(found: Any) -> socket.socket:
        family, kind, protocol, _, address = found
        if not exempt and not rules.allows(address[0]):
            raise AddressRefused("its server has an address that is not allowed")
        return socket.socket(family, kind, protocol)

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
    connector = aiohttp.TCPConnector(resolver=Resolver(), socket_factory=connect)
    return aiohttp.ClientSession(connector=connector, trace_configs=[traces], **options)
