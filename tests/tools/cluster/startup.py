"""Start of the bare cluster: what runs as wanted is left alone, the rest is started in order."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import yaml

from tests.tools.cluster import (
    certificates,
    containerd,
    control_plane,
    dns,
    go_programs,
    kubeconfig,
    kubelet,
    network,
    oci,
    volumes,
)
from tests.tools.cluster.bare_processes import CONTAINERD, PKI, PROCESSES
from tests.tools.cluster.commands import run, wait_until
from tests.tools.cluster.errors import ClusterError
from tests.tools.cluster.paths import MACHINE
from tests.tools.cluster.progress import step


def prepare() -> None:
    """Create everything that processes need before they start."""
    certificates.ensure(PKI, ("127.0.0.1", network.API_SERVICE, network.NODE_ADDRESS))
    kubeconfig.ensure(PKI)
    network.ensure()
    kubelet.create_groups()
    volumes.create(MACHINE)


def start(programs: Path) -> None:
    """Start the processes, each once those that it needs are ready."""
    plane = control_plane.ControlPlane(programs, MACHINE, PKI)
    node = kubelet.Node(programs, MACHINE, PKI, CONTAINERD.socket)
    with step("control plane: etcd, API server, controller manager, scheduler"):
        start_containerd()
        PROCESSES.start("etcd", plane.etcd())
        wait_for("etcd", control_plane.etcd_is_healthy)
        PROCESSES.start("kube-apiserver", plane.api_server())
        wait_for("kube-apiserver", lambda: control_plane.api_is_ready(PKI))
        PROCESSES.start("kube-controller-manager", plane.controller_manager())
        PROCESSES.start("kube-scheduler", plane.scheduler())
    with step("node: containerd, kubelet, kube-proxy, CoreDNS"):
        recycle_volumes()
        apply([*dns.manifests(), *volumes.manifests(MACHINE)])
        ensure_pause_image()
        PROCESSES.start("kubelet", node.kubelet())
        PROCESSES.start("kube-proxy", node.proxy())
        PROCESSES.start("coredns", dns.command(programs, MACHINE, PKI))
        wait_for(
            "coredns", lambda: control_plane.answers(f"http://{network.NODE_ADDRESS}:8181/ready")
        )
        # Both: what the API says of the node may be from before the machine was restarted.
        wait_for("kubelet", kubelet.is_healthy)
        wait_for("kubelet", node_is_ready)
        # Pods need it; the controller manager creates it a moment after its start.
        wait_for("kube-controller-manager", has_default_account)


def start_containerd() -> None:
    """Start what holds images and containers, which needs none of the others."""
    PROCESSES.start("containerd", CONTAINERD.command())
    wait_for("containerd", CONTAINERD.answers)


def wait_for(name: str, ready: Callable[[], bool]) -> None:
    """Wait until a process is ready; raise ClusterError with its log if it ends before."""

    def settled() -> bool:
        if not PROCESSES.alive(name):
            raise ClusterError(f"{name} ended: {PROCESSES.last_words(name)}")
        return ready()

    wait_until(f"{name} (log: {MACHINE / 'logs' / name}.log) is ready", settled, seconds=90)


def kubectl(*words: str, stdin: str | None = None) -> str:
    """Run kubectl as administrator."""
    base: list[str | Path] = [go_programs.kubectl(), "--kubeconfig", PKI / "admin.kubeconfig"]
    return run([*base, *words], stdin=stdin, timeout=60)


def apply(manifests: list[dict[str, object]]) -> None:
    """Apply manifests of the cluster itself."""
    words = ("apply", "--server-side", "--force-conflicts", "-f", "-")
    kubectl(*words, stdin=yaml.safe_dump_all(manifests))


def recycle_volumes() -> None:
    """Make volumes whose claims were deleted new and empty, as a provisioner would."""
    found = json.loads(kubectl("get", "persistentvolumes", "-o", "json"))
    for name in volumes.released(found["items"]):
        kubectl("delete", "persistentvolume", name)
        volumes.empty(MACHINE, name)


def node_is_ready() -> bool:
    """Return whether the node takes pods."""
    path = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
    found = kubectl("get", "node", network.NODE, "--ignore-not-found", "-o", path)
    return found == "True"


def has_default_account() -> bool:
    """Return whether the controller manager has begun its work."""
    words = ("get", "serviceaccount", "default", "--ignore-not-found", "-o", "name")
    return bool(kubectl(*words).strip())


def ensure_pause_image() -> None:
    """Bring in the image that holds the namespaces of each pod: Debian's static catatonit."""
    if containerd.PAUSE_IMAGE in CONTAINERD.images():
        return
    program = shutil.which("catatonit")
    if program is None:
        raise ClusterError("the program catatonit is not installed")
    archive = MACHINE / "pause.tar"
    oci.write_program_image(archive, containerd.PAUSE_IMAGE, Path(program), ["/catatonit", "-P"])
    CONTAINERD.load(archive)
    archive.unlink()
