"""Filters of system calls: for a decoder no network, no programs, no other process.

For a process that needs the network, and must not reach others of its machine: no local sockets.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

_CLONE3: Final = 435
_CLONE, _PRLIMIT = "clone", "prlimit64"
_COMMON: Final = {
    "pidfd_send_signal": 424,
    "io_uring_setup": 425,
    "pidfd_open": 434,
    "pidfd_getfd": 438,
}
_CALLS: Final[Mapping[str, tuple[int, Mapping[str, int]]]] = MappingProxyType({
    "x86_64": (0xC000003E, {
        "socket": 41, "connect": 42, "accept": 43, "bind": 49, "listen": 50,
        "socketpair": 53, _CLONE: 56, "fork": 57, "vfork": 58, "execve": 59, "kill": 62,
        "ptrace": 101, "rt_sigqueueinfo": 129, "mount": 165, "tkill": 200, "tgkill": 234,
        "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272, "accept4": 288,
        "rt_tgsigqueueinfo": 297, "perf_event_open": 298, _PRLIMIT: 302, "setns": 308,
        "process_vm_readv": 310, "process_vm_writev": 311, "bpf": 321, "execveat": 322,
        "userfaultfd": 323,
    }),
    "aarch64": (0xC00000B7, {
        "mount": 40, "unshare": 97, "ptrace": 117, "kill": 129, "tkill": 130, "tgkill": 131,
        "rt_sigqueueinfo": 138, "socket": 198, "socketpair": 199, "bind": 200, "listen": 201,
        "accept": 202, "connect": 203, "add_key": 217, "request_key": 218,
        "keyctl": 219, _CLONE: 220, "execve": 221, "rt_tgsigqueueinfo": 240,
        "perf_event_open": 241, "accept4": 242, _PRLIMIT: 261, "setns": 268,
        "process_vm_readv": 270, "process_vm_writev": 271, "bpf": 280, "execveat": 281,
        "userfaultfd": 282,
    }),
})  # fmt: skip
"""Audit architecture and numbers of the refused calls by machine (asm/unistd.h)."""
_X32: Final = 0x40000000
_CLONE_THREAD: Final = 0x00010000
_SET_SECCOMP, _NO_NEW_PRIVILEGES, _MODE_FILTER = 22, 38, 2
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENT_AT = 0, 4, 16
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_REFUSE: Final = _ERRNO | errno.EPERM

_Instruction: TypeAlias = tuple[int, int, int, int]
"""Of BPF: code, skip if true, skip if false, operand."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def refuse_calls() -> bool:
    """Refuse system calls in this process, for good; False where the kernel has no such filter.

    Refused calls fail with EPERM. Threads may be started, and limits of this process changed.
    """
    known = _CALLS.get(os.uname().machine)
    return known is not None and _install(_filter(*known))


def refuse_local_sockets() -> bool:
    """Refuse sockets that reach processes of this machine by a path, for good; False as above.

    Pairs of sockets may be made, which connect to each other only.
    """
    known = _CALLS.get(os.uname().machine)
    if known is None:
        return False
    architecture, calls = known
    local = [
        (_IF_EQUAL, 0, 3, calls["socket"]),
        (_LOAD, 0, 0, _ARGUMENT_AT),
        (_IF_EQUAL, 0, 1, socket.AF_UNIX),
        (_RETURN, 0, 0, _REFUSE),
        # It has a call for sockets of its own.
        (_LOAD, 0, 0, _NUMBER_AT),
        (_IF_EQUAL, 0, 1, _COMMON["io_uring_setup"]),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return _install([*_preamble(architecture), *local])


def _install(instructions: Sequence[_Instruction]) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    code = b"".join(struct.pack("=HBBI", *each) for each in instructions)
    program = _Program(len(code) // 8, code)
    return bool(libc.prctl(_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def _preamble(architecture: int) -> list[_Instruction]:
    """Return instructions that end others than this architecture, and load the call's number."""
    return [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_IF_AT_LEAST, 0, 1, _X32),  # the other numbering of x86-64
        (_RETURN, 0, 0, _REFUSE),
    ]


def _filter(architecture: int, calls: Mapping[str, int]) -> list[_Instruction]:
    code = [
        *_preamble(architecture),
        # glibc starts a thread by clone where clone3, whose flags no filter sees, does not exist.
        (_IF_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        (_IF_EQUAL, 0, 4, calls[_CLONE]),
        (_LOAD, 0, 0, _ARGUMENT_AT),
        (_IF_ANY_BIT, 1, 0, _CLONE_THREAD),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
        (_IF_EQUAL, 0, 4, calls[_PRLIMIT]),
        (_LOAD, 0, 0, _ARGUMENT_AT),
        (_IF_EQUAL, 1, 0, 0),  # this process
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    others = {**_COMMON, **calls}
    for name, number in others.items():
        if name not in (_CLONE, _PRLIMIT):
            code += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    return [*code, (_RETURN, 0, 0, _ALLOW)]
