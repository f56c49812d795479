"""Which addresses requests may go to."""

from __future__ import annotations

import ipaddress
import random

import pytest

from voxk8s.inputs.addresses import AddressRules

PUBLIC = AddressRules(public_only=True)


@pytest.mark.parametrize(
    "address",
    [
        *("10.1.2.3", "127.0.0.1", "192.168.0.1", "172.31.255.255", "100.64.0.1", "0.0.0.0"),
        *(
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1%eth0",
            "fd00::1",
        ),
        *("::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "ff02::1", "fec0::1"),
        *("::10.0.0.1", "::a9fe:a9fe", "::ffff:0:a00:1", "5f00::1", "3fff::1", "100:0:0:1::1"),
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    """Private, loopback, link-local and reserved addresses, also embedded in those of IPv6."""
    assert not PUBLIC.allows(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1", "64:ff9b::808:808", "172.32.0.1"])
def test_public_addresses(address: str) -> None:
    """What everybody can reach is allowed, through NAT64 as well."""
    assert PUBLIC.allows(address)


@pytest.mark.parametrize("start", ["0.0.0.0/0", "::/0", "::/16", "64:ff9b::/32", "2001::/16"])
def test_what_python_calls_private_is_not_public(start: str) -> None:
    """No address that the standard library knows from the same registries is allowed."""
    chance, network = random.Random(start), ipaddress.ip_network(start)
    for _ in range(5000):
        number = chance.randrange(int(network[0]), int(network[-1]) + 1)
        address = type(network[0])(number)
        if not address.is_global or address.is_multicast:
            assert not PUBLIC.allows(str(address)), address


@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "fe80::1", "100.100.100.200", "168.63.129.16"),
        *("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42"),
        *("::ffff:169.254.169.254", "::a9fe:a9fe", "::ffff:0:a9fe:a9fe", "2002:a9fe:a9fe::1"),
        # By NAT64: of the well-known prefix, and of local ones of 48, 56, 64 and 96 bits
        *("64:ff9b::a9fe:a9fe", "64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:2a9:fe:a9fe::"),
        *("64:ff9b:1:2:a9:fea9:fe00:0", "64:ff9b:1:2:3:4:a9fe:a9fe", "64:ff9b:1::6464:64c8"),
    ],
)
def test_metadata_services_are_never_allowed(address: str) -> None:
    """Neither where every address is allowed, nor by a network that contains them."""
    assert not AddressRules().allows(address)
    assert not AddressRules(True, allowed=("0.0.0.0/0", "::/0", "fd00::/8")).allows(address)


def test_local_nat64_that_is_allowed() -> None:
    """A NAT64 of its own that an administrator allows reaches what is no metadata service."""
    rules = AddressRules(True, allowed=("64:ff9b:1::/48",))
    assert rules.allows("64:ff9b:1::808:808")
    assert not PUBLIC.allows("64:ff9b:1::808:808")


def test_allowed_networks_are_like_public_ones() -> None:
    """A network that the administrator allows is, also inside of one that is denied."""
    rules = AddressRules(True, denied=("8.8.8.0/24",), allowed=("10.7.0.0/24", "8.8.8.8/32"))
    assert rules.allows("10.7.0.9")
    assert rules.allows("8.8.8.8")
    assert AddressRules(True, allowed=("::1/128",)).allows("::1")
    assert not rules.allows("10.8.0.9")
    assert not rules.allows("8.8.8.9")
    assert not rules.allows("64:ff9b::808:809")


def test_everything_else_is_allowed_without_the_rule() -> None:
    """On a laptop, servers of the own network can be used."""
    assert AddressRules().allows("192.168.0.1")


@pytest.mark.parametrize(
    ("url", "exempt", "redirect"),
    [
        ("http://archive/scans/a.nii", True, True),
        ("http://archive/scansX", False, False),
        ("https://anywhere/a", True, True),
        ("ftp://archive/scans/a", False, False),
    ],
)
def test_prefixes(url: str, exempt: bool, redirect: bool) -> None:
    """A prefix that names its host exempts what is below; redirects stay below a prefix."""
    rules = AddressRules(True, prefixes=("http://archive/scans", "https://anywhere"))
    assert rules.exempts(url) is exempt
    assert rules.allows_redirect(url) is redirect
