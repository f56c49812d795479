"""Finds kernels whose code changed under the same version, when stored results of them are used."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from typing import Final

from voxk8s.errors import StoreError
from voxk8s.execution.events import KernelChanged
from voxk8s.kernels import KernelRegistry, registry
from voxk8s.plan import KeyNode, KeyOperation, ResultKey
from voxk8s.storage import ResultStore

logger = logging.getLogger(__name__)

SAMPLE: Final = 16
"""So many records of a kernel are compared: a few requests at the same time."""


class ChangedKernels:
    """Compares the code of users' kernels with that in records; each kernel is looked at once.

    Kernels without a version need no comparison, since their code is part of their keys, and those
    of voxk8s have versions that change with their values.
    """

    def __init__(
        self,
        store: ResultStore,
        kernels: KernelRegistry | None = None,
        since: float = math.inf,
    ) -> None:
        """`since`: the store was asked for the results after it, by the monotonic clock."""
        self._store = store
        self._since = since
        self._kernels = kernels or registry()
        self._seen: set[str] = set()

    def find(
        self, known: Iterable[ResultKey], nodes: Mapping[ResultKey, KeyNode]
    ) -> list[KernelChanged]:
        """Return the kernels with a known result that code of another digest made."""
        samples: dict[str, list[ResultKey]] = {}
        for key in known:
            node = nodes[key]
            if not isinstance(node, KeyOperation) or node.kernel in self._seen:
                continue
            sample = samples.setdefault(node.kernel, [])
            if len(sample) < SAMPLE:
                sample.append(key)
        self._seen |= samples.keys()
        wanted = {name: keys for name, keys in samples.items() if self._has_version(name)}
        if not wanted:
            return []
        try:
            records = self._store.records(
                [key for keys in wanted.values() for key in keys], self._since
            )
        except StoreError as error:
            logger.debug("the code of kernels is not compared: %s", error)
            return []
        changed = []
        for name, keys in wanted.items():
            code = self._kernels.code(name)
            made_by = {records[key].provenance.code for key in keys if key in records}
            if made_by - {code, ""}:
                version = self._kernels.spec(name).signature.version
                changed.append(KernelChanged(name, version))
        return changed

    def _has_version(self, kernel: str) -> bool:
        spec = self._kernels.spec(kernel)
        return spec.signature.version > 0 and not isinstance(spec.implementation, str)
