"""Results in the store that a refreshing run replaces, or deletes where they cannot be computed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from voxk8s.errors import StoreError
from voxk8s.execution.run.run_context import RunContext
from voxk8s.execution.run_config import CacheMode
from voxk8s.plan import KeyOperation, ResultKey, Role

logger = logging.getLogger(__name__)

_INPUTS: Final = (Role.LOAD, Role.LISTING)
"""Their keys have the digest of what was read: a file that is gone does not make results wrong."""


class OutdatedResults:
    """What the store has under the keys that one refreshing run computes again.

    A later plan would be served an old value that was left behind. So values replace what is there,
    worth storing or not, and an operation that fails by its kernel and its arguments alone takes
    with it what is stored of it and of all that needs it. Other failures say nothing of the values.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._held: dict[ResultKey, bool] = {}
        """Whether the store had a result; each key is looked up once."""

    def among(self, compute: Sequence[ResultKey]) -> set[ResultKey]:
        """Return the operations whose results are in the store; none unless the run refreshes."""
        config = self._context.config
        if config.cache is not CacheMode.REFRESH:
            return set()
        new = [key for key in compute if key not in self._held]
        held = config.store.contains(new)
        self._held.update((key, key in held) for key in new)
        return {key for key in compute if self._held[key]}

    def remove_failed(self) -> None:
        """Report the results that cannot be computed any more, and delete them."""
        outdated = [key for key in self._without_value() if self._held.pop(key, False)]
        if not outdated:
            return
        for key in outdated:
            event = self._context.tracker.lost_value(key)
            if event is not None:
                self._context.dispatch(event)
        store = self._context.config.store
        try:
            store.delete(outdated)
            left, reason = store.contains(outdated), "they belong to a domain that is trusted"
        except StoreError as error:
            left, reason = set(outdated), str(error)
        if len(left) < len(outdated):
            logger.warning(
                "%d stored results that cannot be computed any more were deleted",
                len(outdated) - len(left),
            )
        if left:
            logger.warning(
                "%d results cannot be computed any more and stay in the store, where later runs"
                " find them (%s); delete them with `voxk8s store invalidate`",
                len(left),
                reason,
            )

    def _without_value(self) -> list[ResultKey]:
        """Return the operations that failed by themselves, and those that need them.

        Those that have a value without them, by `recover`, are left out unless the run has stopped.
        """
        tracker, nodes = self._context.tracker, self._context.state.graph.nodes
        found = {
            key
            for key, report in tracker.failed.items()
            if report.failure is not None and report.failure.is_of_value and not self._is_input(key)
        }
        if not found or not self._held:
            return []
        for key, node in nodes.items():
            if not isinstance(node, KeyOperation) or tracker.has_value(key):
                continue
            if not found.isdisjoint(node.arguments):
                found.add(key)
        return [key for key in nodes if key in found]

    def _is_input(self, key: ResultKey) -> bool:
        node = self._context.state.graph.nodes.get(key)
        return isinstance(node, KeyOperation) and node.role in _INPUTS
