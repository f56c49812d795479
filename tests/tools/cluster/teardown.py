"""End of the bare cluster: every change to the machine is undone."""

import shutil
import signal
import time

from tests.tools.cluster import containerd, kubelet, machine_record, network
from tests.tools.cluster.bare_processes import CONTAINERD, PROCESSES
from tests.tools.cluster.errors import ClusterError
from tests.tools.cluster.paths import MACHINE, OWNER, RUN


def remove(record: machine_record.Owner) -> None:
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
    machine_record.restore(record)
    for path in machine_record.FOREIGN:
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
