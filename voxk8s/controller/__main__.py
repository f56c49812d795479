"""Entry point of the operator: `python -m voxk8s.controller`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import KubeConfigMissing
from voxk8s.controller.config import Config
from voxk8s.controller.operator import Operator
from voxk8s.controller.resolve.confinement import drop_keys
from voxk8s.errors import InvalidUsage
from voxk8s.memory import memory_limit
from voxk8s.safe_log import start_log


def main() -> int:
    """Run the operator; return 0 after a signal, 1 after a failure, 2 for a wrong configuration."""
    try:
        config = Config.from_env(os.environ, memory_limit())
    except InvalidUsage as error:
        sys.stderr.write(f"voxk8s operator: {error}\n")
        return 2
    drop_keys(os.environ)
    start_log(config.log_level)
    try:
        return 0 if asyncio.run(_run(config)) else 1
    except KubeConfigMissing as error:
        sys.stderr.write(f"voxk8s operator: {error}\n")
        return 2


async def _run(config: Config) -> bool:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with await KubeClient.connect(os.environ, connections=0) as kube:
        return await Operator(kube, config).run(stop)


if __name__ == "__main__":
    sys.exit(main())
