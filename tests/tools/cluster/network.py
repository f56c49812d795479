"""Addresses, links and packet filter rules of the bare cluster."""

import os
import shlex
import shutil
import subprocess
from itertools import pairwise

from tests.tools.cluster import machine_record
from tests.tools.cluster.commands import run

NODE = "node1"
NODE_LINK = "vox-node"
NODE_ADDRESS = "10.245.0.1"
"""The address under which pods reach the API server, DNS and everything else on the host.

It lies on a bridge without ports, so it neither depends on the host's own network nor is seen
there. (A dummy link would be clearer, but not every kernel has them.)
"""

POD_LINK = "vox-pods"
POD_RANGE = "10.244.0.0/16"
NODE_POD_RANGE = "10.244.0.0/24"
SERVICE_RANGE = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"

CHAINS = ("KUBE-", "CNI-")
"""How the chains of kube-proxy, the kubelet and the CNI plugins begin."""

FAMILIES = ("iptables", "ip6tables")


DIRECT = (
    NODE_ADDRESS,
    SERVICE_RANGE,
    POD_RANGE,
    "127.0.0.1",
    "localhost",
    ".svc",
    ".cluster.local",
)
"""Addresses that are reached without a proxy, whatever the environment of the host."""


def bypass_proxies() -> None:
    """Set no_proxy for the cluster in this process and its children."""
    for name in ("NO_PROXY", "no_proxy"):
        before = os.environ.get(name, "")
        os.environ[name] = ",".join([*filter(None, [before]), *DIRECT])


def exists(link: str) -> bool:
    """Return whether there is a link of this name."""
    return (
        subprocess.run(["ip", "link", "show", link], capture_output=True, check=False).returncode
        == 0
    )


def ensure() -> None:
    """Create the node's link and let the kernel forward packets of pods."""
    if not exists(NODE_LINK):
        run(["ip", "link", "add", NODE_LINK, "type", "bridge"])
    run(["ip", "address", "replace", f"{NODE_ADDRESS}/32", "dev", NODE_LINK])
    run(["ip", "link", "set", NODE_LINK, "up"])
    if shutil.which("modprobe") is not None:
        for module in ("br_netfilter", "overlay"):
            # Built into some kernels, and then not found: what matters is whether it works.
            subprocess.run(["modprobe", "-q", module], capture_output=True, check=False)
    machine_record.write("net/ipv4/ip_forward", "1")
    machine_record.write("net/bridge/bridge-nf-call-iptables", "1")


def remove(tables_before: list[str]) -> None:
    """Remove links and chains of the cluster; tables that were not there before go whole."""
    for link in (POD_LINK, NODE_LINK):
        if exists(link):
            run(["ip", "link", "delete", link])
    for family in FAMILIES:
        if shutil.which(family) is None:
            continue
        rules = saved(family)
        kept = without_chains(rules)
        if kept != rules:
            run([f"{family}-restore"], stdin=kept)
        for table in tables_of(kept):
            if f"{family} {table}" not in tables_before and is_untouched(kept, table):
                delete_table(family, table)


def delete_table(family: str, table: str) -> None:
    """Delete an empty table; the older kind of packet filter has no such thing, and no need."""
    if shutil.which("nft") is not None:
        protocol = "ip" if family == "iptables" else "ip6"
        subprocess.run(
            ["nft", "delete", "table", protocol, table], capture_output=True, check=False
        )


def tables() -> list[str]:
    """Return the packet filter tables in use, as `iptables nat`."""
    return [
        f"{family} {table}"
        for family in FAMILIES
        if shutil.which(family)
        for table in tables_of(saved(family))
    ]


def is_foreign_node() -> bool:
    """Return whether another Kubernetes keeps its rules on this machine."""
    return shutil.which("iptables") is not None and ":KUBE-SERVICES " in saved("iptables")


def saved(family: str) -> str:
    """Return the rules in the format of iptables-save, without comments and counters."""
    lines = run([f"{family}-save"]).splitlines()
    return "".join(f"{line}\n" for line in lines if not line.startswith("#"))


def tables_of(rules: str) -> list[str]:
    """Return the names of the tables in saved rules."""
    return [line[1:] for line in rules.splitlines() if line.startswith("*")]


def without_chains(rules: str) -> str:
    """Return saved rules without our chains and without rules that name them."""
    lines = rules.splitlines()
    kept = [line for line in lines if not any(name.startswith(CHAINS) for name in chains_of(line))]
    return "".join(f"{line}\n" for line in kept)


def chains_of(line: str) -> list[str]:
    """Return the chains that a line of saved rules declares, extends or jumps to."""
    if line.startswith(":"):
        return [line[1:].split()[0]]
    words = shlex.split(line)
    return [after for word, after in pairwise(words) if word in {"-A", "-j", "-g"}]


def is_untouched(rules: str, table: str) -> bool:
    """Return whether a table in saved rules holds nothing but empty, accepting built-in chains."""
    inside = rules.partition(f"*{table}\n")[2].partition("COMMIT\n")[0].splitlines()
    return all(line.startswith(":") and " ACCEPT " in line for line in inside)
