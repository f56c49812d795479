"""The bare cluster: one node and its control plane as processes of this machine."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from tests.cluster import (
    certificates,
    containerd,
    controlplane,
    dns,
    kubeconfig,
    kubelet,
    layouts,
    machine,
    network,
    oci,
    packages,
    programs,
    volumes,
)
from tests.cluster.cache import locked
from tests.cluster.commands import run, wait_until
from tests.cluster.errors import ClusterError
from tests.cluster.images import LOCAL_PREFIX, Target
from tests.cluster.layout import KUBECONFIG, LOCK, MACHINE, OWNER, RUN, cache_root
from tests.cluster.processes import Processes
from tests.cluster.progress import say, step

PKI = MACHINE / "pki"
PROCESSES = Processes(RUN / "processes", MACHINE / "logs")
CONTAINERD = containerd.Containerd(MACHINE, cache_root() / "containerd", RUN)

ORDER = (
    "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler",
    "containerd", "kubelet", "kube-proxy", "coredns",
)  # fmt: skip
"""The processes in the order of their start."""


class Bare:
    """A real Kubernetes without Docker."""

    name = "bare"

    def up(self) -> None:
        """Start what does not run; what runs as wanted is left alone."""
        check_machine()
        packages.ensure(packages.NODE)
        kubernetes = programs.built(programs.KUBERNETES)
        names = programs.built(programs.COREDNS)
        with locked(LOCK):
            take_over()
            prepare()
            start(kubernetes, names)
        kubeconfig.write_private(KUBECONFIG, (PKI / "admin.kubeconfig").read_text())
        programs.link(kubernetes / "kubectl")

    def down(self) -> None:
        """Stop the cluster of this clone and give the machine back as it was."""
        record = machine.owner()
        if record is None:
            return
        if not is_root():
            raise ClusterError("stopping the bare cluster needs root")
        with locked(LOCK):
            record = machine.owner()
            if record is None:
                return
            if not record.ours and is_alive() and Path(record.clone).is_dir():
                say(f"the cluster on this machine belongs to {record.clone}: left alone")
                return
            with step("stop the cluster"):
                remove(record)
            LOCK.unlink(missing_ok=True)

    def status(self) -> list[str]:
        """Return one line a process, and whose cluster it is."""
        record = machine.owner()
        if record is None:
            return ["no cluster on this machine"]
        lines = [f"bare cluster of {record.clone}"]
        for name in ORDER:
            recorded = PROCESSES.record(name)
            alive = PROCESSES.alive(name) and recorded is not None
            state = f"running (process {recorded.pid})" if alive and recorded else "not running"
            lines.append(f"  {name}: {state}")
        lines.append(f"  API: {'ready' if controlplane.api_is_ready(PKI) else 'not ready'}")
        return lines

    def is_running(self) -> bool:
        """Return whether the cluster of this clone answers."""
        record = machine.owner()
        return record is not None and record.ours and controlplane.api_is_ready(PKI)

    def prefix(self) -> str:
        """Return what image names begin with in containerd."""
        return LOCAL_PREFIX

    def images(self) -> set[str]:
        """Return the images that pods can use."""
        return CONTAINERD.images()

    def built(self, target: Target) -> str:
        """Build an image by buildah."""
        return layouts.built(target)

    def bring(self, target: Target, tag: str, reference: str) -> None:
        """Import those layers of an image that containerd does not hold."""
        with layouts.archive(target, tag, reference, CONTAINERD.contents()) as archive:
            CONTAINERD.load(archive)
        CONTAINERD.remove_images(outdated(target, CONTAINERD.images()))


def outdated(target: Target, references: set[str]) -> list[str]:
    """Return a target's images that so many newer ones followed that no pod needs them."""
    prefix = f"{LOCAL_PREFIX}/{target.name}:"
    tags = [name.removeprefix(prefix) for name in references if name.startswith(prefix)]
    return [f"{prefix}{tag}" for tag in tags if layouts.is_outdated(target, tag)]


def is_root() -> bool:
    """Return whether this process may change the machine."""
    return os.geteuid() == 0


def check_machine() -> None:
    """Fail in one sentence where a bare cluster cannot run."""
    if os.uname().sysname != "Linux":
        raise ClusterError("the bare cluster needs Linux: use CLUSTER=kind or CLUSTER=current")
    if not is_root():
        raise ClusterError(
            "the bare cluster needs root; without it use CLUSTER=kind (Docker)"
            " or CLUSTER=current (a KUBECONFIG of yours)"
        )
    if not kubelet.CONTROL_GROUPS.is_dir():
        raise ClusterError("the bare cluster needs control groups mounted at /sys/fs/cgroup")


def is_alive() -> bool:
    """Return whether any process of the machine's cluster runs, whosever it is."""
    return any(PROCESSES.alive(name) for name in PROCESSES.names())


def take_over() -> None:
    """Make the machine's cluster ours: refuse another's live one, clean up a dead one."""
    record = machine.owner()
    if record is not None and not record.ours:
        if is_alive() and Path(record.clone).is_dir():
            raise ClusterError(
                f"the cluster of another clone is running on this machine;"
                f" stop it with: make -C {record.clone} cluster-down"
            )
        with step(f"clean up what {record.clone} left behind"):
            remove(record)
        record = None
    if record is None:
        if network.is_foreign_node():
            raise ClusterError(
                "this machine is already a node of another Kubernetes (it has KUBE-SERVICES"
                " packet filter rules): use CLUSTER=current with its KUBECONFIG"
            )
        machine.claim(network.tables())


def prepare() -> None:
    """Create everything that processes need before they start."""
    certificates.ensure(PKI, ("127.0.0.1", network.API_SERVICE, network.NODE_ADDRESS))
    kubeconfig.ensure(PKI)
    network.ensure()
    kubelet.create_groups()
    volumes.create(MACHINE)


def start(kubernetes: Path, names: Path) -> None:
    """Start the processes, each once those that it needs are ready."""
    plane = controlplane.ControlPlane(kubernetes, MACHINE, PKI)
    node = kubelet.Node(kubernetes, MACHINE, PKI, CONTAINERD.socket)
    with step("control plane: etcd, API server, controller manager, scheduler"):
        PROCESSES.start("containerd", CONTAINERD.command())
        PROCESSES.start("etcd", plane.etcd())
        wait_for("etcd", controlplane.etcd_is_healthy)
        PROCESSES.start("kube-apiserver", plane.api_server())
        wait_for("kube-apiserver", lambda: controlplane.api_is_ready(PKI))
        PROCESSES.start("kube-controller-manager", plane.controller_manager())
        PROCESSES.start("kube-scheduler", plane.scheduler())
    with step("node: containerd, kubelet, kube-proxy, CoreDNS"):
        recycle_volumes(kubernetes)
        apply(kubernetes, [*dns.manifests(), *volumes.manifests(MACHINE)])
        wait_for("containerd", CONTAINERD.answers)
        ensure_pause_image()
        PROCESSES.start("kubelet", node.kubelet())
        PROCESSES.start("kube-proxy", node.proxy())
        PROCESSES.start("coredns", dns.command(names, MACHINE, PKI))
        wait_for(
            "coredns", lambda: controlplane.answers(f"http://{network.NODE_ADDRESS}:8181/ready")
        )
        # Both: what the API says of the node may be from before the machine was restarted.
        wait_for("kubelet", kubelet.is_healthy)
        wait_for("kubelet", lambda: node_is_ready(kubernetes))
        # Pods need it; the controller manager creates it a moment after its start.
        wait_for("kube-controller-manager", lambda: has_default_account(kubernetes))


def wait_for(name: str, ready: Callable[[], bool]) -> None:
    """Wait until a process is of use; if it ends before, say what it said."""

    def settled() -> bool:
        if not PROCESSES.alive(name):
            raise ClusterError(f"{name} ended: {PROCESSES.last_words(name)}")
        return ready()

    wait_until(f"{name} (log: {MACHINE / 'logs' / name}.log) is ready", settled, seconds=90)


def kubectl(kubernetes: Path, *words: str, stdin: str | None = None) -> str:
    """Run kubectl as administrator."""
    base: list[str | Path] = [kubernetes / "kubectl", "--kubeconfig", PKI / "admin.kubeconfig"]
    return run([*base, *words], stdin=stdin, timeout=60)


def apply(kubernetes: Path, manifests: list[dict[str, object]]) -> None:
    """Apply manifests of the cluster itself."""
    words = ("apply", "--server-side", "--force-conflicts", "-f", "-")
    kubectl(kubernetes, *words, stdin=yaml.safe_dump_all(manifests))


def recycle_volumes(kubernetes: Path) -> None:
    """Make volumes whose claims were deleted new and empty, as a provisioner would."""
    found = json.loads(kubectl(kubernetes, "get", "persistentvolumes", "-o", "json"))
    for name in volumes.released(found["items"]):
        kubectl(kubernetes, "delete", "persistentvolume", name)
        volumes.empty(MACHINE, name)


def node_is_ready(kubernetes: Path) -> bool:
    """Return whether the node takes pods."""
    path = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
    found = kubectl(kubernetes, "get", "node", network.NODE, "--ignore-not-found", "-o", path)
    return found == "True"


def has_default_account(kubernetes: Path) -> bool:
    """Return whether the controller manager has begun its work."""
    words = ("get", "serviceaccount", "default", "--ignore-not-found", "-o", "name")
    return bool(kubectl(kubernetes, *words).strip())


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


def remove(record: machine.Owner) -> None:
    """Stop everything and undo every change to the machine; safe to repeat after a failure."""
    # First those that would start containers again, last what the others talk to.
    PROCESSES.stop(
        ["kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy", "coredns"]
    )
    CONTAINERD.end_containers()
    CONTAINERD.forget_containers()
    # It would wait for its clients' watches to end.
    PROCESSES.stop(["containerd", "kube-apiserver"], patience=2)
    PROCESSES.stop(PROCESSES.names())
    end_stray_processes()
    containerd.unmount_below((MACHINE, RUN, CONTAINERD.content))
    kubelet.remove_groups()
    network.remove(record.tables)
    machine.restore(record)
    for path in machine.FOREIGN:
        # An unreadable record names no clone: then nothing that may be another's is removed.
        if str(path) not in record.folders and record.settings:
            containerd.unmount_below((path,))
            shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(RUN, ignore_errors=True)
    for path in MACHINE.iterdir() if MACHINE.is_dir() else ():
        if path != OWNER:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    # The record goes last, so that an interrupted `down` can be called again.
    shutil.rmtree(MACHINE, ignore_errors=True)


def end_stray_processes() -> None:
    """Kill what is left in the cluster's control groups, whose shims are gone."""
    end = time.monotonic() + 10
    while left := kubelet.processes_in_groups():
        for pid in left:
            containerd.kill(pid, signal.SIGKILL)
        if time.monotonic() > end:
            raise ClusterError(f"processes of containers do not end: {sorted(left)}")
        time.sleep(0.05)
