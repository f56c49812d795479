"""Futures of the operations that this process is computing, by operation id."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from voxk8s.values import Value

_lock = threading.Lock()
_futures: dict[str, object] = {}


def get_operation_future(operation_id: str) -> object | None:
    """Return the future of an operation that is being computed, or None."""
    with _lock:
        return _futures.get(operation_id)


def set_operation_future(operation_id: str, future: object) -> bool:
    """Register a future; return False, without a change, if the operation has one already."""
    with _lock:
        if operation_id in _futures:
            return False
        _futures[operation_id] = future
        return True


def drop_operation_future(operation_id: str, future: object) -> None:
    """Unregister a future that has ended, if it is the registered one."""
    with _lock:
        if _futures.get(operation_id) is future:
            del _futures[operation_id]


class LazyFuture(Future[Value]):
    """A future whose value is loaded by each call of `result` and is not kept.

    The values of all goals of a large run do not fit into memory at once.
    """

    _load: Callable[[], Value] | None = None

    def set_loader(self, load: Callable[[], Value]) -> None:
        """Complete the future; `load` returns its value."""
        self._load = load
        self.set_result(None)

    def result(self, timeout: float | None = None) -> Value:
        """Wait for the end and load the value; raises the exception of a future that failed."""
        value = super().result(timeout)
        return value if self._load is None else self._load()
