"""Copies the files of reached `save` goals to `spec.output.url`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from voxk8s.cluster.copy_files import SavedFile, copy_files
from voxk8s.constants import RUNS_PREFIX
from voxk8s.errors import BlobMissing
from voxk8s.execution.result import GoalOutcome
from voxk8s.inputs.input_options import InputOptions
from voxk8s.storage import ResultStore

_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds between attempts: together long enough for a server to restart."""


def copy_outputs(
    goals: Sequence[GoalOutcome],
    store: ResultStore,
    url: str,
    options: InputOptions,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Copy the files below `url`; return one message for each that could not be copied."""

    def saved(goal: GoalOutcome) -> SavedFile:
        return SavedFile(goal.goal.name, lambda: _read(goal, store))

    files = [saved(goal) for goal in goals if goal.succeeded and goal.goal.operation == "save"]
    return copy_files(files, url, options, _PAUSES, sleep)


def _read(goal: GoalOutcome, store: ResultStore) -> bytes:
    """Read a saved file: a blob, or a file of the run's folder if results are not stored."""
    folder = f"{store.url}/{RUNS_PREFIX}/"
    if not goal.url.startswith(folder):
        return store.read_blob(goal.digest)
    data = store.read_run_file(goal.url.removeprefix(folder))
    if data is None:
        raise BlobMissing(f"file not found: {goal.url}")
    return data
