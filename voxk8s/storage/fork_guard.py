"""Raises where a forked process would wait for threads that only its parent has.

obstore's runtime and Dask's event loop live in threads, and neither can be started anew in a child
(tokio has no way, see tokio-rs/tokio#4301).
"""

from __future__ import annotations

import os

from voxk8s.errors import InvalidUsage


class ForkGuard:
    """Remembers whether something was in use in a process from which this one was forked."""

    def __init__(self, name: str) -> None:
        """Guard what the message calls `name`."""
        self._name = name
        self._used = False
        self._lost = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def enter(self) -> None:
        """Note that it is used; raises InvalidUsage where its threads are missing."""
        if self._lost:
            raise InvalidUsage(
                f"{self._name} was in use when this process was forked, and cannot be used in it:"
                ' start processes by "spawn" or "forkserver" (multiprocessing.set_start_method),'
                " or fork before the first use"
            )
        self._used = True

    def _forked(self) -> None:
        self._lost = self._lost or self._used
