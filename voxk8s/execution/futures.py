"""The futures of operations that are being computed in this process, by operation id."""

from __future__ import annotations

import threading

_lock = threading.Lock()
_futures: dict[str, object] = {}


def get_operation_future(operation_id: str) -> object | None:
    """Return the future of an operation under way, or None."""
    with _lock:
        return _futures.get(operation_id)


def set_operation_future(operation_id: str, future: object) -> bool:
    """Register a future; False, and no change, when the operation has one already."""
    with _lock:
        return _futures.setdefault(operation_id, future) is future


def drop_operation_future(operation_id: str, future: object) -> None:
    """Forget a future that is over, if it is the registered one: nothing is ever sticky."""
    with _lock:
        if _futures.get(operation_id) is future:
            del _futures[operation_id]
