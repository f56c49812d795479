"""Calls a function in a thread of its own, where Ctrl-C cannot break it off between two steps."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Final, TypeVar

END_SECONDS: Final = 2.0
"""How long an interrupted caller waits for the end of what it has cancelled."""

T = TypeVar("T")


class LateValue(Exception):
    """The cause of a KeyboardInterrupt after which the function ended soon enough with `value`."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value


def call_in_thread(function: Callable[[], T], cancel: Callable[[], None]) -> T:
    """Return what `function` returns; raise what it raises.

    Python raises KeyboardInterrupt in the main thread, between any two of its steps: a run that was
    broken off there would leave the tasks and threads that all runs share half changed. Only the
    main thread needs another one. When it is interrupted it calls `cancel`, waits for the end, but
    not for long, and raises from a LateValue if there is a value; a second interruption ends the
    wait.
    """
    if threading.current_thread() is not threading.main_thread():
        return function()
    values: list[T] = []
    errors: list[BaseException] = []
    context = contextvars.copy_context()
    # Not `Thread.join`, which takes a thread for ended when it is interrupted.
    ended = threading.Lock()
    ended.acquire()

    def work() -> None:
        try:
            values.append(context.run(function))
        except BaseException as error:  # noqa: BLE001  # raised below
            errors.append(error)
        finally:
            ended.release()

    try:
        threading.Thread(target=work, name="voxk8s-run", daemon=True).start()
        ended.acquire()
    except BaseException as error:
        cancel()
        # The interruption may come when the lock was just acquired.
        if not (values or errors):
            ended.acquire(timeout=END_SECONDS)
        if values and isinstance(error, KeyboardInterrupt):
            raise error from LateValue(values.pop())
        raise
    if errors:
        raise errors.pop()
    return values.pop()
