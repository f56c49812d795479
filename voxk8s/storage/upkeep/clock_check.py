"""Whether this machine and the store agree about the time: the age of objects depends on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from voxk8s.errors import StoreError
from voxk8s.storage.backend import Backend
from voxk8s.storage.probe import touch_probe

MOST_SECONDS: Final = 300.0


def check_clock(backend: Backend, clock: Callable[[], float]) -> None:
    """Raise StoreError where this machine's clock is ahead of the store's: all would look old.

    Writes a small object. A clock that is behind only keeps more.
    """
    before = clock()
    ahead = before - touch_probe(backend)
    if ahead > MOST_SECONDS:
        raise StoreError(
            f"the clock of this machine is {ahead:,.0f} s ahead of that of the store {backend.url}:"
            " results in use would look old; correct the clock"
        )
