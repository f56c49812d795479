"""Blocking work of commands that an interrupt leaves behind.

asyncio waits for the threads of its own pool before it ends: Ctrl-C would wait for the last file.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def in_abandonable_thread(work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises; who is cancelled does not wait for it.

    Only for work that may be cut off anywhere: the process ends with it under way.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def finish(value: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(value)  # type: ignore[arg-type]  # is that of `work` without an error
        else:
            future.set_exception(error)

    def run() -> None:
        value, problem = None, None
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001 - is raised by who waits
            problem = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(finish, value, problem)

    threading.Thread(target=run, name="voxk8s-transfer", daemon=True).start()
    return await future
