"""What lives in threads is not there in a forked process: that is said, instead of a wait for ever.

obstore's runtime and Dask's event loop are of this kind, and neither can be made anew in the child
(tokio knows no way, see tokio-rs/tokio#4301).
"""

from __future__ import annotations

import os

from voxk8s.errors import InvalidUsage


class ForkGuard:
    """Knows whether something was in use in a process from which this one was forked."""

    def __init__(self, name: str) -> None:
        """Watch over what is called `name` in the message."""
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
                " or before the first use"
            )
        self._used = True

    def _forked(self) -> None:
        self._lost = self._lost or self._used
