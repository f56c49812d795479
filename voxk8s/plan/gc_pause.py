"""Pauses Python's garbage collector while many objects are created."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")

_lock = threading.Lock()
_depth = 0
_enabled = False


def without_gc(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Run a function while the garbage collector is paused, in all threads.

    For functions that build large structures without cycles: the collector traverses all objects
    again and again while they grow, a quarter of the time of a plan of 100,000 operations.
    """

    @wraps(function)
    def wrapped(*arguments: _P.args, **options: _P.kwargs) -> _T:
        _pause()
        try:
            return function(*arguments, **options)
        finally:
            _resume()

    return wrapped


def _pause() -> None:
    global _depth, _enabled
    with _lock:
        if _depth == 0:
            _enabled = gc.isenabled()
            gc.disable()
        _depth += 1


def _resume() -> None:
    global _depth
    with _lock:
        _depth -= 1
        if _depth == 0 and _enabled:
            gc.enable()
