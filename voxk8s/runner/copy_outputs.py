"""Copies saved files to `spec.output.url` under their own names."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from voxk8s.constants import RUNS_PREFIX
from voxk8s.errors import BlobMissing, InputUnavailable, InputUnreachable, StoreError
from voxk8s.execution.result import GoalOutcome
from voxk8s.execution.retry import is_transient
from voxk8s.inputs.filesystems import convert_errors, file_system
from voxk8s.inputs.locations import locate
from voxk8s.inputs.options import InputOptions
from voxk8s.storage import ResultStore

_log = logging.getLogger(__name__)
_AT_ONCE = 4
_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds between tries, so that a server may start anew."""


def copy_files(
    goals: Sequence[GoalOutcome],
    store: ResultStore,
    url: str,
    options: InputOptions,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Copy the files of `save` goals that were reached; gives what went wrong, in words."""
    files = [goal for goal in goals if goal.succeeded and goal.goal.operation == "save"]

    def copy(goal: GoalOutcome) -> str | None:
        target = f"{url.rstrip('/')}/{goal.goal.name.lstrip('/')}"
        for pause in (*_PAUSES, None):
            try:
                location = locate(target, options)
                data = _bytes_of(goal, store)
                with convert_errors(location):
                    file_system(location, options).pipe_file(location.path, data)
            except (InputUnavailable, InputUnreachable, StoreError) as error:
                if pause is None or not is_transient(error):
                    return f"{target} could not be written: {error}. The file is in the store."
                _log.warning("%s is written later: %s", target, error)
                sleep(pause)
            else:
                break
        return None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [problem for problem in pool.map(copy, files) if problem is not None]


def _bytes_of(goal: GoalOutcome, store: ResultStore) -> bytes:
    """Read a saved file: a blob, or a file of the run's folder where results are not stored."""
    folder = f"{store.url}/{RUNS_PREFIX}/"
    if not goal.url.startswith(folder):
        return store.read_blob(goal.digest)
    data = store.read_run_file(goal.url.removeprefix(folder))
    if data is None:
        raise BlobMissing(f"there is no file {goal.url}")
    return data
