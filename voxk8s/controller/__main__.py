"""Entry point of the operator: `python -m voxk8s.controller`."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import KubeConfigMissing
from voxk8s.controller.config import Config
from voxk8s.controller.operator import Operator
from voxk8s.errors import InvalidUsage

_CGROUPS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def main() -> int:
    """Run the operator; return 0 after a signal, 1 after a failure, 2 for a wrong configuration."""
    try:
        config = Config.from_env(os.environ, memory_limit())
    except InvalidUsage as error:
        sys.stderr.write(f"voxk8s operator: {error}\n")
        return 2
    logging.basicConfig(
        level=config.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        return 0 if asyncio.run(_run(config)) else 1
    except KubeConfigMissing as error:
        sys.stderr.write(f"voxk8s operator: {error}\n")
        return 2


def memory_limit(roots: tuple[Path, ...] = _CGROUPS) -> int | None:
    """Return the memory limit of this container in bytes, or None without one."""
    for path in roots:
        try:
            text = path.read_text(encoding="ascii").strip()
        except OSError:
            continue
        # Without a limit cgroup v2 has "max", and v1 a number close to 2**63.
        if text.isdigit() and int(text) < 2**50:
            return int(text)
    return None


async def _run(config: Config) -> bool:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with await KubeClient.connect(os.environ, connections=128) as kube:
        return await Operator(kube, config).run(stop)


if __name__ == "__main__":
    sys.exit(main())
