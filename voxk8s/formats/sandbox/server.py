"""The server of decoders: a process that forks one for each input, and tells how it ended.

It has one thread, has loaded the libraries, and never opens an input. It ends when the process that
started it closes the connection.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from dataclasses import dataclass
from typing import Final, NoReturn

from voxk8s.formats.sandbox.messages import Died, send
from voxk8s.formats.sandbox.server_process import READY

_WAKE: Final = "wake"
_SOON: Final = 0.02
"""Seconds without a request after which there is time for what may not be needed."""


@dataclass(slots=True)
class _Child:
    answers: socket.socket
    deadline: float
    late: bool = False


def main(descriptor: int) -> None:
    """Serve the requests that come by a socket, each with a connection to answer on."""
    # Imported before the forks, so that none has to load them.
    from voxk8s.formats import itk  # noqa: F401
    from voxk8s.formats.sandbox import work

    gc.freeze()
    gc.enable()  # it was off: nothing that is imported is garbage
    control = socket.socket(fileno=descriptor)
    control.sendall(READY)
    _Server(control).serve(work.work)


def _load_pillow() -> None:
    """Load what some formats need; it takes as long as all else, so only when there is time."""
    from PIL import Image, TiffImagePlugin  # noqa: F401

    from voxk8s.formats import pillow  # noqa: F401

    Image.preinit()
    gc.freeze()


class _Server:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, _Child] = {}
        self._wake, woken = socket.socketpair()
        woken.setblocking(False)
        self._woken = woken
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
        signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)

    def serve(self, work: object) -> None:
        assert callable(work)  # noqa: S101
        idle = False
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ, _WAKE)
            while True:
                ready = selector.select(self._patience() if idle else _SOON)
                if not ready and not idle:
                    idle = True
                    _load_pillow()
                for key, _ in ready:
                    if key.data == _WAKE:
                        self._wake.recv(4096)
                    elif not self._accept(work):
                        self._end()
                        return
                self._kill_late()
                self._reap()

    def _patience(self) -> float | None:
        deadlines = [child.deadline for child in self._children.values() if not child.late]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _accept(self, work: object) -> bool:
        """Fork a decoder for the next request; False if there will be none."""
        try:
            word, descriptors, _, _ = socket.recv_fds(self._control, 64, 1)
        except ConnectionError:
            return False
        if not word or not descriptors:
            return False
        answers = socket.socket(fileno=descriptors[0])
        try:
            child = os.fork()
        except OSError:
            send_quietly(answers, Died(0))
            answers.close()
            return True
        if child == 0:
            self._become_decoder(answers, work)
        self._children[child] = _Child(answers, time.monotonic() + float(word))
        return True

    def _become_decoder(self, answers: socket.socket, work: object) -> NoReturn:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for other in (self._control, self._wake, self._woken):
                other.close()
            for child in self._children.values():
                child.answers.close()
            work(answers)  # type: ignore[operator]
            status = 0
        except BaseException:  # noqa: BLE001  # for the log; the exit status says it too
            traceback.print_exc()
        finally:
            os._exit(status)

    def _kill_late(self) -> None:
        now = time.monotonic()
        for child, state in self._children.items():
            if not state.late and now >= state.deadline:
                state.late = True
                os.kill(child, signal.SIGKILL)

    def _reap(self) -> None:
        while self._children:
            child, status = os.waitpid(-1, os.WNOHANG)
            if not child:
                return
            state = self._children.pop(child)
            code = os.waitstatus_to_exitcode(status)
            if code != 0:
                send_quietly(state.answers, Died(max(0, -code), state.late))
            state.answers.close()

    def _end(self) -> None:
        for child in self._children:
            os.kill(child, signal.SIGKILL)


def send_quietly(to: socket.socket, message: Died) -> None:
    """Send a message to somebody who may have gone."""
    to.setblocking(False)
    try:
        send(to, message)
    except OSError:
        return


if __name__ == "__main__":
    main(int(sys.argv[1]))
