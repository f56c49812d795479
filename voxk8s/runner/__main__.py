"""Entry point of the runner: `python -m voxk8s.runner`.

Exit status: 0 the outcome is in the status (also if goals failed), or the WorkPlan is gone; 1 the
run has to be retried; 2 the environment is invalid; 75 the run has to be retried with new
credentials; 143 terminated by a signal.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.pod_template import TERMINATION_GRACE_SECONDS
from voxk8s.constants import EXIT_CREDENTIALS
from voxk8s.errors import InvalidUsage, Voxk8sError
from voxk8s.failure import error_text
from voxk8s.runner.publish_status import WorkPlanGone
from voxk8s.runner.runner_config import RunnerConfig
from voxk8s.runner.store_wait import CredentialsRefused
from voxk8s.runner.workplan_run import WorkPlanRun
from voxk8s.safe_log import start_log

_log = logging.getLogger("voxk8s.runner")

EXIT_RETRY = 1
EXIT_USAGE = 2
EXIT_STOPPED = 143
_TERMINATION_LOG = Path("/dev/termination-log")
_STOP_SECONDS = TERMINATION_GRACE_SECONDS - 1
"""Seconds that a run which was stopped has for its partial report."""


def main() -> int:
    """Run the WorkPlan of the environment; returns the exit status."""
    try:
        config = RunnerConfig.from_env(os.environ)
    except InvalidUsage as error:
        return _exit(EXIT_USAGE, str(error))
    start_log(config.log_level)
    logging.getLogger("distributed").setLevel(logging.WARNING)
    # Not `asyncio.run`: it would wait for threads that a stopped run has left behind.
    return asyncio.new_event_loop().run_until_complete(_main(config))


async def _main(config: RunnerConfig) -> int:
    stopped = False
    loop = asyncio.get_running_loop()
    async with await KubeClient.connect(os.environ, connections=8) as kube:
        run = WorkPlanRun(kube, config)
        work = asyncio.create_task(run.run())

        def stop() -> None:
            nonlocal stopped
            if run.stop() and not stopped:
                loop.call_later(_STOP_SECONDS, work.cancel)
            else:
                work.cancel()
            stopped = True

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        try:
            if not await work:
                return _exit(EXIT_STOPPED, "terminated by a signal")
        except asyncio.CancelledError:
            if not stopped:
                raise
            return _exit(EXIT_STOPPED, "terminated by a signal")
        except WorkPlanGone as error:
            _log.info("the WorkPlan is gone: %s", error)
            return 0
        except CredentialsRefused as error:
            return _exit(EXIT_CREDENTIALS, str(error))
        except Voxk8sError as error:
            _log.exception("the run failed and is retried by the Job")
            return _exit(EXIT_RETRY, error_text(error))
        except Exception as error:  # noqa: BLE001 - reported, and retried by the Job
            _log.exception("the run failed unexpectedly and is retried by the Job")
            return _exit(EXIT_RETRY, error_text(error))
    return 0


def _exit(status: int, message: str) -> int:
    """Write the termination message, which the operator reads from the pod; returns `status`."""
    sys.stderr.write(f"voxk8s runner: {message}\n")
    try:
        if _TERMINATION_LOG.exists():
            _TERMINATION_LOG.write_text(message[-2000:], encoding="utf-8")
    except OSError as error:
        _log.debug("cannot write the termination message: %s", error)
    return status


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Do not wait for threads of clients and executors: the work is done.
    os._exit(code)
