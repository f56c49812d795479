"""A process whose file systems have no hard links, as exFAT and some network file systems."""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_FILTER_MODE = 2
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
# Numbers of link and linkat, by machine; aarch64 has no link.
_CALLS = {"x86_64": (86, 265), "aarch64": (37,)}


def forbid_hard_links(number: int = errno.EPERM) -> None:
    """Let the kernel refuse every hard link of this thread, and of those that it starts later."""
    calls = _CALLS[platform.machine()]
    load, equal, answer = 0x20, 0x15, 0x06  # operations of Berkeley Packet Filters
    program = [(load, 0, 0, 0)]  # the number of the system call
    for left, call in zip(range(len(calls), 0, -1), calls, strict=True):
        program.append((equal, left, 0, call))
    program += [(answer, 0, 0, _ALLOW), (answer, 0, 0, _ERRNO | number)]
    code = b"".join(struct.pack("HBBI", *each) for each in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        _PR_SET_SECCOMP, _FILTER_MODE, ctypes.create_string_buffer(header, len(header)), 0, 0
    ):
        raise OSError(ctypes.get_errno(), "cannot install a filter of system calls")
