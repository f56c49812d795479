"""The process that forks decoders: started before an input is decoded, and ended with this one.

Imports little, so that it can be started before anything else.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from typing import Final

from voxk8s.errors import InputUnavailable
from voxk8s.formats.sandbox.confinement import leave_environment

READY: Final = b"ready"
"""What the server says when it has loaded its libraries."""
_log = logging.getLogger(__name__)
_START: Final = (
    # Ctrl-C while libraries are loaded ends it without a traceback.
    "import gc, json, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL);"
    " gc.disable(); sys.path[:] = json.loads(sys.argv[1]);"
    " from voxk8s.formats.sandbox.server import main; main(int(sys.argv[2]))"
)
_START_SECONDS: Final = 60.0
_END_SECONDS: Final = 5.0


def prepare_decoders() -> None:
    """Start to load the libraries of decoders, so that the first input need not wait for them."""
    servers.prepare()


class ServerProcess:
    """The server of decoders of this process, started on first use."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._ready = False
        self._owner = 0
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        """Start anew in a process that was forked: the server is of the one that started it."""
        self._lock = threading.Lock()
        if self._control is not None:
            self._control.close()
        self._process = self._control = None

    def prepare(self) -> None:
        """Start the server, and do not wait until it is ready.

        If it cannot be started, the first input that needs it says so.
        """
        with self._lock, contextlib.suppress(OSError):
            self._started()

    def connect(self, seconds: float) -> socket.socket:
        """Return a connection to a new decoder that may take so many seconds."""
        ours, theirs = socket.socketpair()
        with theirs:
            for last in (False, True):
                with self._lock:
                    try:
                        control = self._started()
                        self._wait(control)
                        socket.send_fds(control, [f"{seconds:.3f}".encode()], [theirs.fileno()])
                    except OSError as error:
                        self._stop()
                        if last:
                            ours.close()
                            raise InputUnavailable(
                                f"the process that decodes inputs cannot be started: {error}"
                            ) from error
                    else:
                        return ours
        raise AssertionError

    def restart(self) -> None:
        """End the server; the next input gets a new one."""
        with self._lock:
            self._stop()

    def _started(self) -> socket.socket:
        if self._control is not None and self._owner == os.getpid():
            return self._control
        # Each message is taken as a whole: a seqpacket, which arrives once or not at all.
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, json.dumps(_path()), str(number)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if _log.isEnabledFor(logging.DEBUG) else subprocess.DEVNULL,
                env=leave_environment(),
                cwd="/",
                pass_fds=[number],
            )
        self._control, self._ready, self._owner = ours, False, os.getpid()
        return ours

    def _wait(self, control: socket.socket) -> None:
        if self._ready:
            return
        control.settimeout(_START_SECONDS)
        if control.recv(64) != READY:
            raise OSError("it ends at once")
        control.settimeout(None)
        self._ready = True

    def _stop(self) -> None:
        process, control, mine = self._process, self._control, self._owner == os.getpid()
        self._process = self._control = None
        if control is not None:
            control.close()
        if process is not None and mine:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.kill()
                process.wait(_END_SECONDS)


def _path() -> list[str]:
    return [os.path.abspath(entry) for entry in sys.path]


servers: Final = ServerProcess()
atexit.register(lambda: servers.restart())
