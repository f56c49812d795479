"""Entry point of the runner: `python -m voxk8s.runner`.

Exit status: 0 the outcome is in the status (also when goals failed), or nobody waits for it; 1 try
again; 2 the environment is wrong; 75 try again with fresh credentials; 143 told to stop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from voxk8s.cluster.kube_client import KubeClient
from voxk8s.constants import EXIT_CREDENTIALS
from voxk8s.errors import InvalidUsage, Voxk8sError
from voxk8s.failure import error_text
from voxk8s.runner.publish_status import WorkPlanGone
from voxk8s.runner.runner_config import RunnerConfig
from voxk8s.runner.store_wait import CredentialsRefused
from voxk8s.runner.workplan_run import Run

_log = logging.getLogger("voxk8s.runner")

EXIT_RETRY = 1
EXIT_USAGE = 2
EXIT_STOPPED = 143
_LAST_WORDS = Path("/dev/termination-log")


def main() -> int:
    """Run, and say how it went."""
    try:
        config = RunnerConfig.from_env(os.environ)
    except InvalidUsage as error:
        return _end(EXIT_USAGE, str(error))
    logging.basicConfig(
        level=config.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("distributed").setLevel(logging.WARNING)
    return asyncio.run(_main(config))


async def _main(config: RunnerConfig) -> int:
    stopped = False
    async with await KubeClient.connect(os.environ, connections=8) as kube:
        run = Run(kube, config)
        work = asyncio.create_task(run.run())

        def stop() -> None:
            nonlocal stopped
            stopped = True
            run.stop()
            work.cancel()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        try:
            await work
        except asyncio.CancelledError:
            if not stopped:
                raise
            return _end(EXIT_STOPPED, "told to stop")
        except WorkPlanGone as error:
            _log.info("nobody waits for this run: %s", error)
            return 0
        except CredentialsRefused as error:
            return _end(EXIT_CREDENTIALS, str(error))
        except Voxk8sError as error:
            _log.exception("the run has to be tried again")
            return _end(EXIT_RETRY, error_text(error))
        except Exception as error:  # noqa: BLE001 - told, and tried again by the Job
            _log.exception("the run broke")
            return _end(EXIT_RETRY, error_text(error))
    return 0


def _end(status: int, words: str) -> int:
    """Leave the last words where Kubernetes, and with it the operator, reads them."""
    sys.stderr.write(f"voxk8s runner: {words}\n")
    try:
        if _LAST_WORDS.exists():
            _LAST_WORDS.write_text(words[-2000:], encoding="utf-8")
    except OSError as error:
        _log.debug("no place for last words: %s", error)
    return status


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of clients and executors must not hold up a pod whose work is done.
    os._exit(code)
