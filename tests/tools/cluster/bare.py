"""The bare cluster: one node and its control plane as processes of this machine."""

import os
from pathlib import Path

from tests.tools.cluster import (
    control_plane,
    debian_packages,
    go_programs,
    kubeconfig,
    kubelet,
    machine_record,
    network,
    oci_layout,
)
from tests.tools.cluster.bare_processes import CONTAINERD, ORDER, PKI, PROCESSES, is_alive
from tests.tools.cluster.cache import locked
from tests.tools.cluster.errors import ClusterError
from tests.tools.cluster.images import LOCAL_PREFIX, Target
from tests.tools.cluster.paths import KUBECONFIG, LOCK
from tests.tools.cluster.progress import say, step
from tests.tools.cluster.side_by_side import side_by_side
from tests.tools.cluster.startup import prepare, start, start_containerd
from tests.tools.cluster.teardown import remove


class Bare:
    """A real Kubernetes without Docker."""

    name = "bare"
    takes_images_early = True

    def up(self) -> None:
        """Start what does not run; what runs as wanted is left alone."""
        check_machine()
        side_by_side(
            lambda: debian_packages.ensure(debian_packages.ALL),
            go_programs.kubectl,
            lambda: go_programs.built(go_programs.KUBERNETES),
        )
        with locked(LOCK):
            take_over()
            prepare()
            start(go_programs.built(go_programs.KUBERNETES))
        kubeconfig.write_private(KUBECONFIG, (PKI / "admin.kubeconfig").read_text())
        go_programs.link(go_programs.kubectl())

    def down(self) -> None:
        """Stop the cluster of this clone and give the machine back as it was."""
        record = machine_record.owner()
        if record is None:
            return
        if not is_root():
            raise ClusterError("stopping the bare cluster needs root")
        with locked(LOCK):
            record = machine_record.owner()
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
        record = machine_record.owner()
        if record is None:
            return ["no cluster on this machine"]
        lines = [f"bare cluster of {record.clone}"]
        for name in ORDER:
            recorded = PROCESSES.record(name)
            alive = PROCESSES.alive(name) and recorded is not None
            state = f"running (process {recorded.pid})" if alive and recorded else "not running"
            lines.append(f"  {name}: {state}")
        lines.append(f"  API: {'ready' if control_plane.api_is_ready(PKI) else 'not ready'}")
        return lines

    def is_running(self) -> bool:
        """Return whether the cluster of this clone answers."""
        record = machine_record.owner()
        return record is not None and record.ours and control_plane.api_is_ready(PKI)

    def prefix(self) -> str:
        """Return what image names begin with in containerd."""
        return LOCAL_PREFIX

    def images(self) -> set[str]:
        """Return the images that pods can use; starts containerd, which needs no cluster."""
        check_machine()
        debian_packages.ensure(debian_packages.ALL)
        with locked(LOCK):
            take_over()
            start_containerd()
        return CONTAINERD.images()

    def built(self, target: Target) -> str:
        """Build an image by buildah."""
        return oci_layout.built(target)

    def bring(self, target: Target, tag: str, reference: str) -> None:
        """Import those layers of an image that containerd does not hold."""
        with oci_layout.archive(target, tag, reference, CONTAINERD.contents()) as archive:
            CONTAINERD.load(archive)
        CONTAINERD.remove_images(outdated(target, CONTAINERD.images()))


def outdated(target: Target, references: set[str]) -> list[str]:
    """Return a target's images that so many newer ones followed that no pod needs them."""
    prefix = f"{LOCAL_PREFIX}/{target.name}:"
    tags = [name.removeprefix(prefix) for name in references if name.startswith(prefix)]
    return [f"{prefix}{tag}" for tag in tags if oci_layout.is_outdated(target, tag)]


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


def take_over() -> None:
    """Make the machine's cluster ours: refuse another's live one, clean up a dead one."""
    record = machine_record.owner()
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
        machine_record.claim(network.tables())
