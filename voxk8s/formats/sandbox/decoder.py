"""Decodes inputs in processes of their own, and turns how these end into errors of the inputs."""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from typing import Final

import msgspec

from voxk8s import constants
from voxk8s.errors import InputUnavailable
from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.formats.document import decode_document, is_document
from voxk8s.formats.sandbox import messages
from voxk8s.formats.sandbox.confinement import leave_environment, most_seconds
from voxk8s.formats.sandbox.messages import DecodedDocument, DecodedImage, Died, Refused, Request
from voxk8s.formats.sandbox.server import READY
from voxk8s.values import Value

_log = logging.getLogger(__name__)
_START: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    " from voxk8s.formats.sandbox.server import main; main(int(sys.argv[2]))"
)
_START_SECONDS: Final = 60.0
_GRACE_SECONDS: Final = 30.0
_END_SECONDS: Final = 5.0


def prepare_decoders() -> None:
    """Start to load the libraries of decoders, so that the first input need not wait for them."""
    _servers.prepare()


def decode_input(
    url: str,
    paths: Sequence[str],
    scratch: str,
    limits: DecodeLimits,
    *,
    series: bool = False,
    data_file: tuple[str, str] | None = None,
    header: bool = False,
) -> Value:
    """Decode the file at `paths[0]`, or with `series` those of a DICOM series, to a value.

    JSON that is not compressed is read in this process, since its reader is the one of plans; all
    else goes to a decoder. `scratch` is a folder that the caller removes. Raises InputUnavailable
    with `url`, also when the decoder crashes or exceeds `limits`. With `header` the value is what
    `read_header` returns.
    """
    if not series and not header and is_document(url, paths[0]):
        return decode_document(url, paths[0], limits)
    for attempt in (1, 2):
        folder = tempfile.mkdtemp(dir=scratch)
        request = _request(url, paths, folder, limits, series, data_file, header)
        most = most_seconds(limits, request.stored)
        with _servers.connect(most) as connection:
            connection.settimeout(most + _GRACE_SECONDS)
            try:
                messages.send(connection, request)
                content, descriptor = messages.receive(connection)
            except (EOFError, OSError) as error:
                _servers.restart()
                if attempt == 1 and not isinstance(error, TimeoutError):
                    continue  # the server was killed, perhaps with another input to blame
                raise InputUnavailable(_died(url, Died(0))) from error
        break
    try:
        return _value(url, content, descriptor, limits)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _request(
    url: str,
    paths: Sequence[str],
    scratch: str,
    limits: DecodeLimits,
    series: bool,
    data_file: tuple[str, str] | None,
    header: bool,
) -> Request:
    absolute = [os.fsencode(os.path.abspath(path)) for path in paths]
    beside = None
    if data_file is not None:
        beside = (os.fsencode(data_file[0]), os.fsencode(os.path.abspath(data_file[1])))
    stored = sum(os.stat(path).st_size for path in (*absolute, *(beside[1:] if beside else ())))
    return Request(
        url.encode("utf-8", "surrogateescape"),
        absolute,
        os.fsencode(os.path.abspath(scratch)),
        stored,
        limits,
        series,
        beside,
        header,
    )


def _value(url: str, content: bytes, descriptor: int | None, limits: DecodeLimits) -> Value:
    try:
        reply = messages.decode_reply(content)
        if isinstance(reply, DecodedImage) and descriptor is not None:
            return messages.image_of(reply, descriptor)
        if isinstance(reply, DecodedDocument) and descriptor is not None:
            size = os.fstat(descriptor).st_size
            return decode_document(url, bytes(messages.content_of(descriptor, size)), limits)
    except (msgspec.DecodeError, ValueError, OSError, OverflowError) as error:
        raise InputUnavailable(f"input {url}: its decoder gave a wrong answer: {error}") from error
    if isinstance(reply, Refused):
        raise InputUnavailable(reply.message)
    raise InputUnavailable(_died(url, reply if isinstance(reply, Died) else Died(0)))


def _died(url: str, end: Died) -> str:
    if end.late or end.signal in (signal.SIGXCPU, signal.SIGALRM):
        why = (
            "reading it takes too long, and was given up; it may be corrupted"
            f" ({constants.ENV_INPUT_SECONDS} allows more time)"
        )
    elif end.signal == signal.SIGKILL:
        why = "reading it was killed, perhaps because it took too much memory; it may be corrupted"
    else:
        name = f" ({signal.Signals(end.signal).name})" if end.signal in _SIGNALS else ""
        why = f"reading it crashes the library that decodes it{name}; it is probably corrupted"
    return f"input {url}: {why}"


_SIGNALS: Final = frozenset(map(int, signal.Signals))


class _Servers:
    """The server of decoders of this process, started on first use."""

    def __init__(self) -> None:
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
        with self._lock:
            self._started()

    def connect(self, seconds: float) -> socket.socket:
        """Return a connection to a new decoder that may take so many seconds."""
        ours, theirs = socket.socketpair()
        with theirs:
            for last in (False, True):
                with self._lock:
                    control = self._started()
                    try:
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


_servers = _Servers()
atexit.register(lambda: _servers.restart())
