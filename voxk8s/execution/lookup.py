"""Asks the store about many operations at once, ahead of the questions of `resolve`.

`resolve` goes from the goals down, one layer a question: right for a wide plan and for a known
one, but a new chain of 100,000 operations would ask 100,000 times, one after the other. Once a plan
has shown to be deep and new, each question takes in twice as many layers as the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from voxk8s.plan import KeyConstant, KeyGraph, ResultKey

Ask = Callable[[Collection[ResultKey]], Collection[str]]

PATIENCE = 4
"""Questions of one layer before the first that looks ahead."""
MOST_LAYERS = 1024
"""Layers in one question at most."""
MOST_KEYS = 4096
"""A question that is as large as this does not grow: it is worth its round trip."""


class Lookup:
    """A `contains` function over one graph; every key is asked for once."""

    def __init__(self, graph: KeyGraph, ask: Ask) -> None:
        self._graph = graph
        self._ask = ask
        self._known: dict[ResultKey, bool] = {}
        self._questions = 0
        self._layers = 1

    def __call__(self, keys: Collection[ResultKey]) -> set[ResultKey]:
        """Give those of the keys that the store holds."""
        unasked = [key for key in keys if key not in self._known]
        if unasked:
            question = self._deepen(unasked)
            found = self._ask(question)
            present = found if isinstance(found, set | frozenset) else set(found)
            self._known.update((key, key in present) for key in question)
        return {key for key in keys if self._known[key]}

    def _deepen(self, keys: list[ResultKey]) -> list[ResultKey]:
        self._questions += 1
        if self._questions <= PATIENCE:
            return keys
        self._layers = min(self._layers * 2, MOST_LAYERS)
        nodes = self._graph.nodes
        question = dict.fromkeys(keys)
        layer = keys
        for _ in range(self._layers - 1):
            layer = [
                need
                for key in layer
                for need in dict.fromkeys(nodes[key].arguments)
                if need not in question
                and need not in self._known
                and not isinstance(nodes[need], KeyConstant)
            ]
            if not layer or len(question) + len(layer) > MOST_KEYS:
                break
            question.update(dict.fromkeys(layer))
        return list(question)
