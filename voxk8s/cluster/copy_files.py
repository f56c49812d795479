"""Copies the saved files of a known plan to `spec.output.url`, where the operator may write.

That is within the store that it looks into, where every run of the namespace may write as well.
Other places, large files and whatever goes wrong are left to a runner.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from voxk8s.api import GoalResult
from voxk8s.errors import InputNotAllowed, InputUnavailable, InputUnreachable, StoreError
from voxk8s.inputs.filesystems import convert_errors, file_system
from voxk8s.inputs.locations import locate
from voxk8s.inputs.options import InputOptions
from voxk8s.storage import ResultStore

_log = logging.getLogger(__name__)
MOST_BYTES = 64 * 1024 * 1024
"""Together; each is held in memory while its digest is verified."""
_AT_ONCE = 4


def copy_files(
    results: Sequence[GoalResult], store: ResultStore, folder: str, options: InputOptions
) -> bool:
    """Copy saved files under their own names; False where that is left to a runner."""
    files = [result for result in results if result.kind == "save"]
    if sum(result.size_bytes or 0 for result in files) > MOST_BYTES:
        return False
    within = replace(options, allowed_prefixes=(f"{store.url.rstrip('/')}/",))

    def copy(result: GoalResult) -> None:
        target = locate(f"{folder.rstrip('/')}/{result.goal.lstrip('/')}", within)
        data = store.read_blob((result.digest or "").removeprefix("sha256:"))
        with convert_errors(target):
            file_system(target, within).pipe_file(target.path, data)

    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(copy, files))
    except InputNotAllowed:
        return False
    except (InputUnavailable, InputUnreachable, StoreError) as error:
        _log.warning("saved files are left to a runner: %s", error)
        return False
    return True
