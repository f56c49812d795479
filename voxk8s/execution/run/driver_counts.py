"""What the driver's process does at a store for a run."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from voxk8s.storage import Counts, ResultStore

_lock: Final = threading.Lock()
_runs: Final[weakref.WeakKeyDictionary[ResultStore, int]] = weakref.WeakKeyDictionary()
"""How many runs of this process use a store."""


@contextmanager
def driver_counts(store: ResultStore) -> Iterator[Callable[[], Counts]]:
    """Count what happens at a store in the body; the function returns it, from the last call on.

    What happened before belongs to no run. When several runs use the store at the same time, each
    event counts for one of them: for that which asks first.
    """
    with _lock:
        others = _runs.get(store, 0)
        _runs[store] = others + 1
        if not others:
            store.take_counts()
    try:
        yield lambda: store.take_counts() or Counts()
    finally:
        with _lock:
            _runs[store] -= 1
