"""Looks up many operations at once, ahead of the requests of `resolve`.

`resolve` goes from the goals down, one layer a request: right for a wide plan and for a known one,
but a new chain of 100,000 operations would take 100,000 requests in sequence. Once a plan has
proved deep and new, each request has twice as many layers as the one before.

A cheap operation costs less than its look-up. Cheap operations are looked up nevertheless, so that
the counts of a small plan are exact, but no longer after thousands of them were missing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache

from voxk8s.plan.keys.key_graph import KeyConstant, KeyGraph, KeyOperation
from voxk8s.plan.model import ResultKey

MAX_CHEAP_MISSES = 4096
"""Cheap operations are no longer looked up after this many were missing in a row."""

Ask = Callable[[Collection[ResultKey]], Collection[str]]

SINGLE_LAYERS = 4
"""Requests of one layer before the first that looks ahead."""
MAX_LAYERS = 1024
"""Most layers of one request."""
MAX_KEYS = 4096
"""A request of this many keys gets no further layers."""


class Prefetch:
    """A `contains` function over one graph; every key is looked up once."""

    def __init__(
        self, graph: KeyGraph, ask: Ask, is_cheap: Callable[[str], bool] = lambda _: False
    ) -> None:
        """Look up by `ask`; `is_cheap` is given the qualified name of a kernel."""
        self._graph = graph
        self._ask = ask
        self._is_cheap = cache(is_cheap)
        self._targets = {goal.key for goal in graph.goals}
        self._cheap_misses = 0
        self._known: dict[ResultKey, bool] = {}
        self._requests = 0
        self._layers = 1

    def __call__(self, keys: Collection[ResultKey]) -> set[ResultKey]:
        """Return the keys that the store holds."""
        known = self._known
        new = [key for key in keys if key not in known]
        if new:
            self._look_up(new)
        return {key for key in keys if known[key]}

    def _look_up(self, keys: list[ResultKey]) -> None:
        known = self._known
        if self._cheap_misses >= MAX_CHEAP_MISSES:
            dear = []
            for key in keys:
                if self._is_negligible(key):
                    known[key] = False
                else:
                    dear.append(key)
            if not dear:
                return
            keys = dear
        request = self._with_layers_below(keys)
        found = self._ask(request)
        present = found if isinstance(found, set | frozenset) else set(found)
        for key in request:
            known[key] = key in present
            if self._is_negligible(key):
                self._cheap_misses = 0 if key in present else self._cheap_misses + 1

    def extend(self, graph: KeyGraph) -> None:
        """Continue with a larger graph; what was looked up is not looked up again."""
        self._graph = graph
        self._targets = {goal.key for goal in graph.goals}

    def record(self, key: ResultKey, known: bool) -> None:
        """Record that a result was stored, or that the store does not hold it any more."""
        self._known[key] = known

    def _is_negligible(self, key: ResultKey) -> bool:
        node = self._graph.nodes[key]
        return (
            isinstance(node, KeyOperation)
            and key not in self._targets
            and self._is_cheap(node.kernel)
        )

    def _with_layers_below(self, keys: list[ResultKey]) -> list[ResultKey]:
        self._requests += 1
        if self._requests <= SINGLE_LAYERS:
            return keys
        self._layers = min(self._layers * 2, MAX_LAYERS)
        nodes = self._graph.nodes
        request = dict.fromkeys(keys)
        layer = keys
        for _ in range(self._layers - 1):
            layer = [
                need
                for key in layer
                for need in dict.fromkeys(nodes[key].arguments)
                if need not in request
                and need not in self._known
                and not isinstance(nodes[need], KeyConstant)
            ]
            if not layer or len(request) + len(layer) > MAX_KEYS:
                break
            request.update(dict.fromkeys(layer))
        return list(request)
