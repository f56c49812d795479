"""Debian packages of the bare cluster: containerd, etcd and what goes with them."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.tools.cluster.cache import locked
from tests.tools.cluster.commands import run
from tests.tools.cluster.errors import ClusterError
from tests.tools.cluster.progress import step

NODE = (
    "ca-certificates", "catatonit", "conntrack", "containerd", "containernetworking-plugins",
    "etcd-server", "iproute2", "iptables", "nftables", "openssl", "runc",
)  # fmt: skip
"""What a node and its control plane need beside the Kubernetes programs."""

BUILD = ("buildah", "golang-github-containers-common", "mmdebstrap", "skopeo")
"""What builds images without a Docker engine."""

ALL = (*NODE, *BUILD)
"""What a cluster with our images needs: in one go, since each one asks the mirror for its lists."""

SERVICES = ("containerd.service", "etcd.service")
"""Services that these packages bring; the cluster runs its own processes instead."""

LOCK = Path("/run/voxk8s-packages.lock")
"""Held while packages are installed: two at once would take each other's POLICY away."""

POLICY = Path("/usr/sbin/policy-rc.d")
DATABASE = Path("/var/lib/dpkg/info")


def missing(packages: tuple[str, ...]) -> list[str]:
    """Return those packages that are not installed."""
    status = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    installed = {line.split()[0] for line in status.splitlines() if line.endswith(" installed")}
    return [package for package in packages if package not in installed]


def ensure(packages: tuple[str, ...]) -> None:
    """Install the missing ones of these packages, without starting any service of theirs."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-query") is None:
        raise ClusterError(
            "the bare cluster takes its parts from Debian packages and finds no apt-get here:"
            " use CLUSTER=kind (Docker) or CLUSTER=current (a KUBECONFIG of yours)"
        )
    if not missing(packages):
        return
    with locked(LOCK):
        if wanted := missing(packages):
            with step(f"Debian packages: {', '.join(wanted)}"):
                install(wanted)


def install(wanted: list[str]) -> None:
    """Install packages quietly; services of theirs are neither started nor enabled."""
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    quiet = ["-qq", "-y", "-o", "DPkg::Lock::Timeout=120", "--no-install-recommends"]
    unknown = [service for service in SERVICES if not known_to_systemd(service)]
    # policy-rc.d with status 101 is Debian's way to say "start nothing"; a host's own stays.
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        run(["apt-get", "update", "-qq"], env=env, timeout=600)
        run(["apt-get", "install", *quiet, *wanted], env=env, timeout=1800)
    except ClusterError as error:
        raise ClusterError(f"cannot install Debian packages (network? mirror?): {error}") from error
    finally:
        if ours:
            POLICY.unlink(missing_ok=True)
    for service in unknown:
        disable(service)


def known_to_systemd(service: str) -> bool:
    """Return whether the host had this service before."""
    folders = ("/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system")
    return any(os.path.lexists(f"{folder}/{service}") for folder in folders)


def disable(service: str) -> None:
    """Keep a service that a package brought from starting at the next boot."""
    if shutil.which("systemctl") is not None:
        subprocess.run(["systemctl", "disable", "-q", service], capture_output=True, check=False)
