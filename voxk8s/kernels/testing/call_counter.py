"""A call counter shared by the threads and processes of one machine, for fault injection.

The count is the size of a file: appending a byte is atomic. The files are in a folder for the user
and process group, so workers share them with the process that started them, and other test sessions
have their own. Counts expire ten minutes after the last call. If the file cannot be written, the
process counts in memory.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Final

EXPIRES_AFTER_SECONDS: Final = 600.0

_memory: Final[Counter[str]] = Counter()
_lock: Final = threading.Lock()


def count_call(name: str) -> int:
    """Count a call; return the number of calls so far, from 1."""
    path = _path(name)
    with _lock:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.exists() and time.time() - path.stat().st_mtime > EXPIRES_AFTER_SECONDS:
                path.unlink(missing_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, b".")
                return os.lseek(descriptor, 0, os.SEEK_CUR)
            finally:
                os.close(descriptor)
        except OSError:
            _memory[name] += 1
            return _memory[name]


def reset_calls(name: str) -> None:
    """Set the count to 0."""
    with _lock:
        _memory.pop(name, None)
        try:
            _path(name).unlink(missing_ok=True)
        except OSError:
            return  # a file that cannot be written was counted in memory


def _path(name: str) -> Path:
    digest = hashlib.sha256(name.encode()).hexdigest()
    folder = f"voxk8s-test-kernels-{os.getuid()}-{os.getpgrp()}"
    return Path(tempfile.gettempdir()) / folder / digest
