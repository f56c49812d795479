"""What a decoder's process may use: memory, time, output, files and system calls.

Limits of the kernel hold everywhere. The filter of system calls and Landlock need no rights, but a
kernel that has them (seccomp since Linux 3.5, Landlock since 5.13); where it has not, a decoder
that was taken over has the rights of a process with an empty environment.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import resource
import signal
import sys
from collections.abc import Sequence
from typing import Final

from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.formats.sandbox.landlock import restrict_files
from voxk8s.formats.sandbox.seccomp import refuse_calls

_SPARE: Final = 256 * 2**20
"""Bytes of memory for what does not grow with an image."""
_COPIES: Final = 4
"""Copies of an image while it is decoded: as in the file, converted, rescaled, handed over."""
_PATIENCE: Final = 4.0
"""Seconds that pass for each second of processor time: machines are shared, and disks are slow."""
_SYSTEM: Final = (
    *("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime"),
    *("/proc/self", "/proc/cpuinfo", "/dev/null"),
)
_PACKAGE: Final = os.path.abspath(f"{__file__}/../../..")
_END_WITH_PARENT: Final = 1
_LAST_WORDS: Final = 5  # seconds between the two signals of the limit on processor time


def most_seconds(limits: DecodeLimits, stored: int) -> float:
    """Return how long a decoder of `stored` bytes may exist, however large its image is."""
    return _PATIENCE * limits.seconds_for(stored + limits.largest)


def confine(limits: DecodeLimits, files: Sequence[str], scratch: str, stored: int) -> None:
    """Give up what decoding `files` of `stored` bytes together does not need, for good."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    end_with_parent()
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 2 * limits.largest + _SPARE)
    seconds = math.ceil(limits.seconds_for(stored + limits.largest))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + _LAST_WORDS))
    limit_seconds(limits, stored)
    limit_memory(stored, 0)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # where memory is short, this process ends and not one with work
    # What is imported late; the folder of the program itself is none of it.
    libraries = [path for path in sys.path if path.endswith("-packages")]
    code = [sys.prefix, sys.base_prefix, *libraries, _PACKAGE]
    restrict_files([*_SYSTEM, *code, *files], [scratch])
    refuse_calls()


def limit_memory(stored: int, decoded: int) -> None:
    """Limit the address space to what it is, and what an image of `decoded` bytes needs.

    It is a soft limit, which is raised when the header has said how large the image is.
    """
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return
    _limit(resource.RLIMIT_AS, used + _SPARE + 2 * stored + _COPIES * decoded)


def limit_seconds(limits: DecodeLimits, amount: int) -> None:
    """Limit the time to what an input of `amount` bytes, read and decoded, may take."""
    seconds = limits.seconds_for(amount)
    _limit(resource.RLIMIT_CPU, math.ceil(seconds))
    signal.setitimer(signal.ITIMER_REAL, _PATIENCE * seconds)


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (most, hard))


def end_with_parent() -> None:
    """Have the kernel end this process when the one that forked it has ended."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL)


def leave_environment() -> dict[str, str]:
    """Return the environment of the server of decoders: nothing of this process but its folder."""
    kept = {name: os.environ[name] for name in ("TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", **dict.fromkeys(threads, "1"), **kept}
