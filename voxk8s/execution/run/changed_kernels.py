"""Finds kernels whose code changed under the same version, when stored results of them are used."""

from __future__ import annotations

import logging
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

from voxk8s.errors import StoreError
from voxk8s.execution.events import KernelChanged
from voxk8s.kernels import KernelRegistry, registry
from voxk8s.plan import KeyNode, KeyOperation, ResultKey
from voxk8s.storage import Record, ResultStore
from voxk8s.storage.record import short_code

logger = logging.getLogger(__name__)

SAMPLE: Final = 16
"""So many records of a kernel are asked for, if their look-up is not remembered.

A known plan costs one request for each goal, by which the store handle knows some 20,000 of the
records. To ask for all others once more would double what a larger plan costs.
"""


class ChangedKernels:
    """Compares the code of users' kernels with that in records; each kernel is reported once.

    A record has the code of its own kernel and of those below it, so that a known goal tells of
    kernels that were not looked up. Kernels without a version need no comparison, since their code
    is part of their keys, and those of voxk8s have versions that change with their values.
    """

    def __init__(
        self,
        store: ResultStore,
        kernels: KernelRegistry | None = None,
        since: float = math.inf,
        has_vanished: Callable[[ResultKey], bool] = lambda _: False,
    ) -> None:
        """`since`: the store was asked for the results after it, by the monotonic clock."""
        self._store = store
        self._since = since
        self._has_vanished = has_vanished
        self._kernels = kernels or registry()
        self._compared: set[ResultKey] = set()
        self._asked: Counter[str] = Counter()
        self._own: dict[str, str] = {}
        self._earlier: defaultdict[str, defaultdict[str, set[ResultKey]]] = defaultdict(
            lambda: defaultdict(set)
        )
        """By kernel, the other code that known results were made with, and these results."""
        self._reported: set[str] = set()

    def find(
        self, known: Iterable[ResultKey], nodes: Mapping[ResultKey, KeyNode]
    ) -> list[KernelChanged]:
        """Return the kernels that known results were made with when they had other code."""
        versioned = self._kernels.versioned()
        if not versioned:
            return []
        for record in self._records(known, nodes):
            for kernel, code in record.provenance.codes():
                if kernel in versioned and code != self._code(kernel):
                    self._earlier[kernel][code].add(record.key)
        changed = []
        for kernel in sorted(self._earlier.keys() - self._reported):
            if self._code(kernel):
                self._reported.add(kernel)
                version = self._kernels.spec(kernel).signature.version
                changed.append(KernelChanged(kernel, version))
        return changed

    def codes(self, nodes: Mapping[ResultKey, KeyNode]) -> dict[str, Collection[str]]:
        """Return the code of the kernels of a plan that are compared, as records will have it.

        That of known results is part of it: what is computed from these is not of the present code
        alone. Which results these are is not distinguished, since what is to be done is the same.
        Those that have vanished do not count: they were invalidated while their look-up was
        remembered, and are computed again.
        """
        versioned = self._kernels.versioned()
        if not versioned:
            return {}
        used = {node.kernel for node in nodes.values() if isinstance(node, KeyOperation)}
        return {
            kernel: {code for code in (self._code(kernel), *self._earlier_codes(kernel)) if code}
            for kernel in used & versioned
        }

    def _earlier_codes(self, kernel: str) -> list[str]:
        found: Mapping[str, set[ResultKey]] = self._earlier.get(kernel, {})
        return [code for code, keys in found.items() if not all(map(self._has_vanished, keys))]

    def _records(
        self, known: Iterable[ResultKey], nodes: Mapping[ResultKey, KeyNode]
    ) -> Iterator[Record]:
        """Yield records of results: all that were looked up, a sample of the others."""
        new = [key for key in known if key not in self._compared]
        self._compared.update(new)
        found = self._store.looked_up(new)
        yield from found.values()
        others: list[ResultKey] = []
        for key in new:
            node = nodes[key]
            if key in found or not isinstance(node, KeyOperation):
                continue
            self._asked[node.kernel] += 1
            if self._asked[node.kernel] <= SAMPLE:
                others.append(key)
        if not others:
            return
        try:
            yield from self._store.records(others, self._since).values()
        except StoreError as error:
            logger.debug("the code of kernels is not compared: %s", error)

    def _code(self, kernel: str) -> str:
        """Return the present code of a kernel, as records have it; empty if it has no digest."""
        found = self._own.get(kernel)
        if found is None:
            found = self._own[kernel] = short_code(self._kernels.comparable_code(kernel))
        return found
