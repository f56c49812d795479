"""The futures of operations that are being computed in this process, by operation id."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from voxk8s.values import Value

_lock = threading.Lock()
_futures: dict[str, object] = {}


def get_operation_future(operation_id: str) -> object | None:
    """Return the future of an operation under way, or None."""
    with _lock:
        return _futures.get(operation_id)


def set_operation_future(operation_id: str, future: object) -> bool:
    """Register a future; False, and no change, when the operation has one already."""
    with _lock:
        if operation_id in _futures:
            return False
        _futures[operation_id] = future
        return True


def drop_operation_future(operation_id: str, future: object) -> None:
    """Forget a future that is over, if it is the registered one: nothing is ever sticky."""
    with _lock:
        if _futures.get(operation_id) is future:
            del _futures[operation_id]


class LateFuture(Future[Value]):
    """A future whose value is brought when somebody asks for it, and is not kept here.

    The values of all goals of a large run do not fit into memory at once.
    """

    _bring: Callable[[], Value] | None = None

    def finish(self, bring: Callable[[], Value]) -> None:
        """End well; `bring` gives the value."""
        self._bring = bring
        self.set_result(None)

    def result(self, timeout: float | None = None) -> Value:
        """Wait for the end and bring the value; raises what the operation failed with."""
        value = super().result(timeout)
        return value if self._bring is None else self._bring()
