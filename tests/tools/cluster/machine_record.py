"""The machine-wide record of the bare cluster: whose it is, and what the machine was like before.

It lies outside any clone, so that every clone sees that a cluster runs, and so that one that died
with its clone can still be cleaned up.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.support.paths import ROOT
from tests.tools.cluster.errors import ClusterError
from tests.tools.cluster.paths import MACHINE, OWNER

FOREIGN = (
    Path("/run/containerd"),
    Path("/run/netns"),
    Path("/var/lib/cni"),
    Path("/var/lib/kubelet"),
    Path("/var/log/containers"),
    Path("/var/log/pods"),
)
"""Folders with fixed names that containerd, its plugins and the kubelet create."""

SETTINGS = (
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/route_localnet",
    "net/bridge/bridge-nf-call-iptables",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_tcp_be_liberal",
    "net/netfilter/nf_conntrack_tcp_timeout_established",
    "net/netfilter/nf_conntrack_tcp_timeout_close_wait",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
"""Kernel settings that the cluster, kube-proxy or the kubelet change."""


@dataclass(frozen=True)
class Owner:
    """Whose cluster it is and what to restore when it goes."""

    clone: str
    settings: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    """Those of `FOREIGN` that were there before."""
    tables: list[str] = field(default_factory=list)
    """The packet filter tables that were there before, as `iptables nat`."""

    @property
    def ours(self) -> bool:
        """Return whether this clone started the cluster."""
        return self.clone == str(ROOT)


def owner() -> Owner | None:
    """Return the record, or None where no cluster was started since the last `down`."""
    try:
        return Owner(**json.loads(OWNER.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        # Half-written by a machine that went down: nothing is known but that something is there.
        return Owner(clone="(unknown)")


def claim(tables: list[str]) -> Owner:
    """Record that this clone starts a cluster on the machine as it is now."""
    record = Owner(
        clone=str(ROOT),
        settings={name: value for name in SETTINGS if (value := read(name)) is not None},
        folders=[str(path) for path in FOREIGN if path.exists()],
        tables=tables,
    )
    MACHINE.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = OWNER.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(record), indent=2))
    os.replace(fresh, OWNER)
    return record


def read(name: str) -> str | None:
    """Return a kernel setting, None where this kernel has no such setting."""
    try:
        return (Path("/proc/sys") / name).read_text().strip()
    except OSError:
        return None


def write(name: str, value: str) -> None:
    """Change a kernel setting; one that this kernel does not have is left alone."""
    if read(name) in {None, value}:
        return
    try:
        (Path("/proc/sys") / name).write_text(value)
    except OSError as error:
        raise ClusterError(f"cannot set /proc/sys/{name} to {value}: {error.strerror}") from error


def restore(record: Owner) -> None:
    """Return the kernel settings back their former values."""
    for name, value in record.settings.items():
        write(name, value)
