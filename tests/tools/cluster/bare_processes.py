"""The parts of the bare cluster that starting, watching and stopping it share."""

from tests.tools.cluster.containerd import Containerd
from tests.tools.cluster.paths import MACHINE, RUN, cache_root
from tests.tools.cluster.processes import Processes

PKI = MACHINE / "pki"
PROCESSES = Processes(RUN / "processes", MACHINE / "logs")
CONTAINERD = Containerd(MACHINE, cache_root() / "containerd", RUN)

ORDER = (
    "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler",
    "containerd", "kubelet", "kube-proxy", "coredns",
)  # fmt: skip
"""The processes in the order of their start."""


def is_alive() -> bool:
    """Return whether any process of the machine's cluster runs, whosever it is."""
    return any(PROCESSES.alive(name) for name in PROCESSES.names())
