"""An operator as a process of its own on the API server of a test, with a pod's transport.

`python -m tests.support.operator_process FOLDER` runs it with the service account in FOLDER.
"""

from __future__ import annotations

import asyncio
import cProfile
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.api_server import ApiServer
from voxk8s import constants
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.transport import InClusterTransport
from voxk8s.controller.config import Config
from voxk8s.controller.operator import Operator
from voxk8s.safe_log import start_log

PROFILE = "OPERATOR_PROFILE"
"""Variable with the file that gets a profile of the operator's own process."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class OperatorProcess:
    """An operator that runs, with the processes that resolve plans for it."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pids(self) -> list[int]:
        """Its process, and those that it started."""
        found = [self.process.pid]
        for pid in found:
            children = Path(f"/proc/{pid}/task/{pid}/children")
            found += [int(word) for word in children.read_text().split()]
        return found

    def cpu(self, *, own: bool = False) -> float:
        """Return the CPU seconds of all of them, or only of its own process."""
        return sum(cpu_of(pid) for pid in (self.pids[:1] if own else self.pids))

    def memory(self, *, own: bool = False) -> int:
        """Return the resident bytes of all of them, or only of its own process."""
        pages = (
            int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            for pid in (self.pids[:1] if own else self.pids)
        )
        return sum(pages) * os.sysconf("SC_PAGE_SIZE")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its process: SIGKILL, SIGSTOP, SIGCONT or SIGTERM."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Stop it in good order and return its exit status."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def start(server: ApiServer, name: str, env: Mapping[str, str]) -> OperatorProcess:
    """Start an operator named `name` on an API server."""
    account = server.folder / f"account-{name}"
    account.mkdir(exist_ok=True)
    shutil.copy(server.folder / "certificates" / "apiserver.crt", account / "ca.crt")
    (account / "token").write_text(server.token)
    log = server.folder / f"operator-{name}.log"
    settings = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(server.port),
        constants.ENV_ENGINE_IMAGE: "img:1",
        constants.ENV_OPERATOR_NAMESPACE: "default",
        constants.ENV_OPERATOR_POD: name,
        constants.ENV_OPERATOR_POD_UID: f"uid-{name}",
        constants.ENV_HEALTH_PORT: "0",
        constants.ENV_METRICS_PORT: "0",
        **env,
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.operator_process", str(account)],
            env=settings, stdout=output, stderr=output,
        )  # fmt: skip
    return OperatorProcess(process, log)


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process, its threads included; 0 if it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def _run(account: Path) -> bool:
    config = Config.from_env(os.environ, 2**30)
    start_log(config.log_level)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with KubeClient(InClusterTransport(os.environ, 0, account)) as kube:
        return await Operator(kube, config).run(stop)


def main() -> int:
    """Run the operator; return 0 after SIGTERM, 1 after a failure."""
    account, target = Path(sys.argv[1]), os.environ.get(PROFILE)
    if not target:
        return 0 if asyncio.run(_run(account)) else 1
    profile = cProfile.Profile()
    good = profile.runcall(lambda: asyncio.run(_run(account)))
    profile.dump_stats(target)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
