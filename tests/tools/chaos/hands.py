"""Carries faults out on a cluster of this machine: signals to processes, packet filters in pods.

A process that is paused is let go on, and a link that is cut is mended, also if the round fails.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.kubectl import Kubectl, KubectlError
from tests.support.waiting import wait_until
from tests.tools.chaos.script import OF_THE_NODE, OF_THE_RUN, Fault
from tests.tools.cluster import kubelet, network
from tests.tools.cluster.bare_processes import PROCESSES
from tests.tools.cluster.charts import DASK, SYSTEM
from tests.tools.cluster.errors import ClusterError

LEASE = "voxk8s-leader"
_RESTARTS = 5
_PAUSE_PROGRAM = "/catatonit"
_PLACES = {
    "store": (SYSTEM, "app.kubernetes.io/component=s3"),
    "dask operator": (DASK, ""),
}


@dataclass(slots=True)
class Hands:
    """Hits the parts of one round; `kube` is its namespace.

    `storm` starts and ends storms, `step_clock` sets the clock that the operator goes by.
    """

    kube: Kubectl
    storm: Callable[[int], None]
    step_clock: Callable[[float], None]
    restart_node: Callable[[], None]
    _undo: dict[str, Callable[[], None]] = field(default_factory=dict)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, fault: Fault) -> str:
        """Carry a fault out; return what it hit. It ends by itself.

        Raises LookupError if what it should hit is not there, and KubectlError, SubprocessError or
        OSError if it could not be hit.
        """
        match fault.kind:
            case "storm":
                self.storm(int(fault.victim))
                return self._later(fault, f"storm of {fault.victim}", lambda: self.storm(0))
            case "clock":
                self.step_clock(float(fault.victim))
                what = f"clock {fault.victim} s"
                return self._later(fault, what, lambda: self.step_clock(0))
            case "cut":
                return self._cut(fault)
            case "delete":
                pod = self._pod(fault.victim)
                name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
                force = ("--grace-period=0", "--force", "--wait=false")
                self.kube.within(namespace).delete("pod", name, *force)
                return f"deleted {name}"
            case _:
                return self._signal(fault)

    def mend(self) -> None:
        """End all faults that are under way."""
        for undo in list(self._undo.values()):
            undo()
        for thread in self._threads:
            thread.join(60)

    def _signal(self, fault: Fault) -> str:
        if fault.victim in OF_THE_NODE:
            return self._signal_node(fault)
        pod = self._pod(fault.victim)
        pids = _processes(pod["metadata"]["uid"])
        if not pids:
            raise LookupError(f"{fault.victim} has no process")
        return self._send(fault, pids, pod["metadata"]["name"])

    def _signal_node(self, fault: Fault) -> str:
        record = PROCESSES.record(fault.victim)
        if record is None or not PROCESSES.alive(fault.victim):
            raise LookupError(f"{fault.victim} does not run")
        hit = self._send(fault, [record.pid], fault.victim)
        if fault.kind == "kill":
            thread = threading.Thread(target=self._restart, args=(fault.victim,))
            thread.start()
            self._threads.append(thread)
        return hit

    def _restart(self, name: str) -> None:
        """Start the node's processes again once one of them has ended, as a service manager."""
        wait_until(lambda: not PROCESSES.alive(name))
        for attempt in range(_RESTARTS):
            try:
                self.restart_node()
            except ClusterError:  # another of them was hit meanwhile
                if attempt == _RESTARTS - 1:
                    raise
            else:
                return

    def _send(self, fault: Fault, pids: list[int], name: str) -> str:
        if fault.kind == "kill":
            _to_all(pids, signal.SIGKILL)
            return f"killed {name}"
        _to_all(pids, signal.SIGSTOP)
        return self._later(fault, f"paused {name}", lambda: _to_all(pids, signal.SIGCONT))

    def _cut(self, fault: Fault) -> str:
        first = self._pod(fault.victim)
        addresses = self._addresses(fault)
        pids = _processes(first["metadata"]["uid"])
        if not pids or not addresses:
            raise LookupError(f"{fault.victim} or {fault.other} is not there")
        rules = [
            words
            for address in addresses
            for words in (("OUTPUT", "-d", address), ("INPUT", "-s", address))
        ]

        # Held open: the process may end before its pod, whose containers keep the network.
        held = os.open(f"/proc/{pids[0]}/ns/net", os.O_RDONLY)

        def change(option: str) -> None:
            for chain, *rest in rules:
                _in_network(held, "iptables", "-w", option, chain, *rest, "-j", "DROP")

        def mend() -> None:
            change("-D")
            os.close(held)

        change("-I")
        return self._later(fault, f"cut {fault.victim} - {fault.other}", mend)

    def _later(self, fault: Fault, what: str, undo: Callable[[], None]) -> str:
        key = str(fault)

        def end() -> None:
            if self._undo.pop(key, None) is not None:
                undo()

        self._undo[key] = end
        thread = threading.Timer(fault.lasts, end)
        thread.start()
        self._threads.append(thread)
        return what

    def _addresses(self, fault: Fault) -> list[str]:
        """Return the addresses of the other end of a cut: of its pod and the Services before it."""
        if fault.other == "API server":
            return [network.NODE_ADDRESS, network.API_SERVICE]
        pods = self._pods(fault.other)
        if fault.other == fault.victim:
            del pods[:1]
        if not pods:
            raise LookupError(f"there is no other {fault.other}")
        pod = pods[0]
        labels = pod["metadata"]["labels"].items()
        services = self.kube.within(pod["metadata"]["namespace"]).items("services")
        before = [
            service["spec"]["clusterIP"]
            for service in services
            if (service["spec"].get("selector") or {}).items() <= labels
        ]
        return [pod["status"]["podIP"], *(each for each in before if each != "None")]

    def _pod(self, name: str) -> dict[str, Any]:
        """Return the oldest live pod of a part; raises LookupError if there is none."""
        pods = self._pods(name)
        if not pods:
            raise LookupError(f"there is no {name}")
        return pods[0]

    def _pods(self, name: str) -> list[dict[str, Any]]:
        """Return the live pods of a part, the oldest first."""
        if name in OF_THE_RUN:
            kube, selector = self.kube, f"app.kubernetes.io/component={name}"
        elif name in ("leader", "standby"):
            kube, selector = self.kube.within(SYSTEM), "app.kubernetes.io/component=operator"
        else:
            namespace, selector = _PLACES[name]
            kube = self.kube.within(namespace)
        pods = [
            pod
            for pod in kube.items("pods", selector)
            if pod["status"].get("phase") == "Running"
            and "deletionTimestamp" not in pod["metadata"]
        ]
        if name in ("leader", "standby"):
            lease = json.loads(kube.run("get", "lease", LEASE, "-o", "json"))
            holder = str(lease["spec"].get("holderIdentity")).partition("_")[0]
            pods = [p for p in pods if (p["metadata"]["name"] == holder) == (name == "leader")]
        return sorted(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


def _processes(uid: str) -> list[int]:
    """Return the processes of a pod, without the one that holds its namespaces."""
    found: set[int] = set()
    for top in kubelet.hierarchies():
        for folder in (top / kubelet.CGROUP.strip("/")).rglob(f"*{uid}*"):
            for path in folder.rglob("cgroup.procs"):
                found |= {int(line) for line in path.read_text().split()}
    return sorted(pid for pid in found - {0} if not _is_pause(pid))


def _is_pause(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return True
    return words[0].decode() == _PAUSE_PROGRAM and b"-P" in words


def _to_all(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _in_network(held: int, *words: str) -> None:
    """Run a program of this machine in a network, given by a descriptor of its namespace."""
    subprocess.run(
        ["nsenter", f"--net=/proc/self/fd/{held}", *words],
        pass_fds=[held],
        check=True,
        capture_output=True,
        timeout=20,
    )


def wait_until_whole(kube: Kubectl, seconds: float = 120.0) -> list[str]:
    """Wait until the system's own parts are ready again; return what is not.

    A kubelet starts a pod that was killed in several rounds only after minutes: such pods are
    replaced. One that cannot start will not be ready then, either.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            missing = _not_ready(kube)
            if missing:
                _replace_backed_off(kube)
        except KubectlError as error:
            missing = [str(error)]
        if not missing or time.monotonic() > end:
            return missing
        time.sleep(1)


def _replace_backed_off(kube: Kubectl) -> None:
    for namespace in (SYSTEM, DASK):
        own = kube.within(namespace)
        for pod in own.items("pods"):
            states = [each["state"] for each in pod["status"].get("containerStatuses") or ()]
            waits = [each.get("waiting", {}).get("reason") for each in states]
            if "CrashLoopBackOff" in waits:
                own.run("delete", "pod", pod["metadata"]["name"], "--wait=false")


def _not_ready(kube: Kubectl) -> list[str]:
    missing = []
    for namespace in (SYSTEM, DASK):
        for kind in ("deployments", "statefulsets"):
            for each in kube.within(namespace).items(kind):
                ready = each["status"].get("readyReplicas") or 0
                if ready != each["spec"]["replicas"]:
                    missing.append(f"{each['metadata']['name']} has {ready} ready pods")
    return missing
