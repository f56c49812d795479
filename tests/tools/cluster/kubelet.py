"""The node of the bare cluster: kubelet and kube-proxy."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.tools.cluster.control_plane import answers
from tests.tools.cluster.network import DNS_SERVICE, NODE, NODE_ADDRESS, POD_RANGE

CGROUP = "/voxk8s-cluster"
"""All containers live below this control group, so that what is left of them can be found."""

CONTROL_GROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Node:
    """Commands of the node's processes."""

    programs: Path
    data: Path
    pki: Path
    containerd_socket: Path

    def kubelet(self) -> list[str | Path]:
        """Write the kubelet's configuration and return its command."""
        path = self.data / "kubelet.yaml"
        path.write_text(yaml.safe_dump(self.configuration()))
        return [
            self.programs / "kubelet",
            f"--config={path}",
            f"--kubeconfig={self.pki / 'kubelet.kubeconfig'}",
            f"--root-dir={self.data / 'kubelet'}",
            f"--hostname-override={NODE}",
            f"--node-ip={NODE_ADDRESS}",
        ]

    def configuration(self) -> dict[str, object]:
        """Return the kubelet's configuration."""
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": NODE_ADDRESS,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(self.pki / "ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(self.pki / "kubelet.crt"),
            "tlsPrivateKeyFile": str(self.pki / "kubelet.key"),
            "containerRuntimeEndpoint": f"unix://{self.containerd_socket}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": CGROUP,
            "failSwapOn": False,
            # Kubernetes 1.35 and later refuse cgroup v1 unless this is set.
            "failCgroupV1": False,
            "clusterDomain": "cluster.local",
            "clusterDNS": [DNS_SERVICE],
            # Pods see the cluster's DNS only; what the host resolves by is not theirs.
            "resolvConf": "",
            "podLogsDir": str(self.data / "pod-logs"),
            "volumePluginDir": str(self.data / "volume-plugins"),
            "maxPods": 200,
            "podPidsLimit": 8192,
            # Images are brought in, they cannot be pulled again: never collect them.
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "1%",
                "imagefs.available": "1%",
            },
            "registryPullQPS": 50,
            "eventRecordQPS": 50,
            "serializeImagePulls": False,
            "syncFrequency": "10s",
            "fileCheckFrequency": "1m",
            "shutdownGracePeriod": "0s",
        }

    def proxy(self) -> list[str | Path]:
        """Return the command that makes Services reachable, from the host as well."""
        return [
            self.programs / "kube-proxy",
            f"--kubeconfig={self.pki / 'proxy.kubeconfig'}",
            f"--hostname-override={NODE}",
            "--proxy-mode=iptables",
            f"--cluster-cidr={POD_RANGE}",
            # The host's connection tracking stays as it is.
            "--conntrack-max-per-core=0",
            "--conntrack-tcp-timeout-established=0",
            "--conntrack-tcp-timeout-close-wait=0",
            "--iptables-min-sync-period=100ms",
        ]


def is_healthy() -> bool:
    """Return whether the kubelet reports that it is healthy."""
    return answers("http://127.0.0.1:10248/healthz")


def hierarchies() -> list[Path]:
    """Return the control group hierarchies: one (version 2), or one a controller."""
    if (CONTROL_GROUPS / "cgroup.controllers").exists():
        return [CONTROL_GROUPS]
    return [path for path in CONTROL_GROUPS.iterdir() if path.is_dir() and not path.is_symlink()]


def create_groups() -> None:
    """Create the control group that the kubelet expects as its root."""
    for hierarchy in hierarchies():
        (hierarchy / CGROUP.strip("/")).mkdir(exist_ok=True)
        controllers = hierarchy / "cgroup.controllers"
        if hierarchy == CONTROL_GROUPS and controllers.exists():
            for name in controllers.read_text().split():
                for folder in (hierarchy, hierarchy / CGROUP.strip("/")):
                    # Not every controller can be delegated everywhere; the kubelet says which
                    # one it misses, if it misses one.
                    with suppress(OSError):
                        (folder / "cgroup.subtree_control").write_text(f"+{name}")
        _set_share(hierarchy / CGROUP.strip("/"))


def _set_share(group: Path) -> None:
    """Give all pods together the processor time that Kubernetes' own top group has on a node.

    By default a new group gets as much as one process that is in none.
    """
    processors = os.cpu_count() or 1
    for name, share, most in (("cpu.shares", 1024, 262_144), ("cpu.weight", 100, 10_000)):
        if (group / name).exists():
            (group / name).write_text(str(min(processors * share, most)))


def processes_in_groups() -> set[int]:
    """Return the processes that still live in containers of the cluster."""
    return {
        int(line)
        for hierarchy in hierarchies()
        for path in (hierarchy / CGROUP.strip("/")).rglob("cgroup.procs")
        for line in path.read_text().split()
        # 0 is a process of another process namespace: a cluster that is not ours to stop.
        if line != "0"
    }


def remove_groups() -> None:
    """Remove the control groups of the cluster, the innermost first."""
    for hierarchy in hierarchies():
        top = hierarchy / CGROUP.strip("/")
        if top.is_dir():
            for folder in sorted(top.rglob("*/"), key=lambda path: len(path.parts), reverse=True):
                if folder.is_dir():
                    folder.rmdir()
            top.rmdir()
