"""Asks the store about many operations at once, ahead of the questions of `resolve`.

`resolve` goes from the goals down, one layer a question: right for a wide plan and for a known
one, but a new chain of 100,000 operations would ask 100,000 times, one after the other. Once a plan
has shown to be deep and new, each question takes in twice as many layers as the one before.

Cheap operations cost less than the question whether they are known. Those are asked for as well,
since a small plan's counts should be exact, but not any more after thousands of them were new.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from voxk8s.plan.keys.key_graph import KeyConstant, KeyGraph, KeyOperation
from voxk8s.plan.model import ResultKey

CHEAP_QUESTIONS = 4096
"""So many cheap operations in a row may be unknown before the store is not asked for more."""

Ask = Callable[[Collection[ResultKey]], Collection[str]]

PATIENCE = 4
"""Questions of one layer before the first that looks ahead."""
MOST_LAYERS = 1024
"""Layers in one question at most."""
MOST_KEYS = 4096
"""A question that is as large as this does not grow: it is worth its round trip."""


class Prefetch:
    """A `contains` function over one graph; every key is asked for once."""

    def __init__(
        self, graph: KeyGraph, ask: Ask, is_cheap: Callable[[str], bool] = lambda _: False
    ) -> None:
        """Ask `ask`; `is_cheap` says it of a kernel by its qualified name."""
        self._graph = graph
        self._ask = ask
        self._is_cheap = is_cheap
        self._targets = {goal.key for goal in graph.goals}
        self._unknown_cheap = 0
        self._known: dict[ResultKey, bool] = {}
        self._questions = 0
        self._layers = 1

    def __call__(self, keys: Collection[ResultKey]) -> set[ResultKey]:
        """Give those of the keys that the store holds."""
        unasked = [key for key in keys if key not in self._known]
        if self._unknown_cheap >= CHEAP_QUESTIONS:
            for key in unasked:
                if self._is_minor(key):
                    self._known[key] = False
            unasked = [key for key in unasked if key not in self._known]
        if unasked:
            question = self._deepen(unasked)
            found = self._ask(question)
            present = found if isinstance(found, set | frozenset) else set(found)
            for key in question:
                self._known[key] = key in present
                if self._is_minor(key):
                    self._unknown_cheap = 0 if key in present else self._unknown_cheap + 1
        return {key for key in keys if self._known[key]}

    def _is_minor(self, key: ResultKey) -> bool:
        node = self._graph.nodes[key]
        return (
            isinstance(node, KeyOperation)
            and key not in self._targets
            and self._is_cheap(node.kernel)
        )

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
