"""Copies saved files to `spec.output.url`, each under its own name."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from voxk8s.errors import (
    InputNotAllowed,
    InputUnavailable,
    InputUnreachable,
    StoreError,
    TransientError,
)
from voxk8s.inputs.filesystems import convert_errors, file_system
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import locate
from voxk8s.inputs.s3_target import s3_target

_log = logging.getLogger(__name__)
_THREADS = 4


@dataclass(frozen=True, slots=True)
class SavedFile:
    """The name of a saved file relative to the output, and a function that reads its bytes."""

    name: str
    read: Callable[[], bytes]


def copy_files(
    files: Sequence[SavedFile],
    folder: str,
    options: InputOptions,
    pauses: Sequence[float] = (),
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Copy files to a folder; return one message for each that could not be copied.

    A transient error is retried once after each of `pauses` seconds. Raises InputNotAllowed if
    `options` do not allow the folder.
    """

    def copy(file: SavedFile) -> str | None:
        target = _target(folder, file.name.lstrip("/"))
        for pause in (*pauses, None):
            try:
                location = locate(target, options)
                data = file.read()
                with convert_errors(location):
                    file_system(location, options).pipe_file(location.path, data)
            except (InputUnavailable, InputUnreachable, StoreError) as error:
                if pause is None or not isinstance(error, TransientError):
                    _log.warning("cannot write %s: %s", target, error)
                    return f"cannot write {target}: {error}. The file is in the store."
                _log.warning("cannot write %s, retrying in %g s: %s", target, pause, error)
                sleep(pause)
            else:
                break
        return None

    with ThreadPoolExecutor(_THREADS) as pool:
        return [problem for problem in pool.map(copy, files) if problem is not None]


def _target(folder: str, name: str) -> str:
    """Return the URL of a file, on S3 the one that was checked."""
    if folder.partition("://")[0].lower() != "s3":
        return f"{folder.rstrip('/')}/{name}"
    try:
        return f"s3://{s3_target(folder, name).path}"
    except ValueError as error:
        raise InputNotAllowed(f"cannot write {folder}/{name}: {error}") from error
