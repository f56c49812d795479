"""The costs of one run: what the store has recorded, what is left to do, what the run measures."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from voxk8s.errors import StoreError
from voxk8s.execution.operation_reports import Report, Status
from voxk8s.execution.tasks.cost_model import CostModel
from voxk8s.kernels import registry
from voxk8s.plan import KeyNode, KeyOperation, ResultKey, Role
from voxk8s.storage import ResultStore
from voxk8s.storage.kernel_costs import CostRecorder, size_class

logger = logging.getLogger(__name__)

WAIT_SECONDS: Final = 0.1
"""How long a run waits for recorded costs before it plans without them."""
WORTH_SECONDS: Final = 1.0
"""A run that has computed for a shorter time does not write what it has measured."""
FLUSH_SECONDS: Final = 60.0
"""A run writes what it has measured this often, and at its end."""
_ENDED: Final = (Status.COMPUTED, Status.FOUND, Status.FAILED)


class RunCosts:
    """Reads recorded costs for planning, and records the seconds of operations.

    Everything except the store belongs to the thread that executes the run. A store that does not
    answer costs a tenth of a second, and its costs are lost.
    """

    def __init__(
        self,
        store: ResultStore | None,
        clock: Callable[[], float] = time.time,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        """Without a `store` nothing is read or written."""
        self.model = CostModel(registry())
        self._store = store
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._recorder = CostRecorder()
        self._left: Counter[tuple[str, int]] = Counter()
        self._means: dict[tuple[str, int], tuple[int, float]] = {}
        self._asked = False
        self.stored_bytes = 0
        """What this run has stored so far."""
        self._flushed_at = clock()

    def prepare(self, nodes: Mapping[ResultKey, KeyNode], compute: Sequence[ResultKey]) -> None:
        """Get the recorded costs once, unless all operations to compute are cheap."""
        store = self._store
        if store is None or self._asked:
            return
        kernels = {
            node.kernel
            for node in map(nodes.get, compute)
            if isinstance(node, KeyOperation) and node.role in (Role.COMPUTE, Role.GEOMETRY)
        }
        if all(map(registry().is_cheap, kernels)):
            return
        self._asked = True
        costs = store.costs.cached()
        if costs is None:
            # The answer comes too late for this run, perhaps, but not for the next one.
            reader = threading.Thread(target=_read, args=(store,), name="voxk8s-costs", daemon=True)
            reader.start()
            reader.join(self._wait_seconds)
            costs = store.costs.cached()
        if costs is not None:
            self.model.use(costs)

    def planned(self, nodes: Mapping[ResultKey, KeyNode], keys: Iterable[ResultKey]) -> None:
        """Add operations to what is left to do."""
        for key in keys:
            node = nodes[key]
            if isinstance(node, KeyOperation):
                self._left[node.kernel, size_class(self.model.size(nodes, node))] += 1

    def record(self, nodes: Mapping[ResultKey, KeyNode], reports: Iterable[Report]) -> None:
        """Record the seconds of operations that this run has computed."""
        for report in reports:
            node = nodes.get(ResultKey(report.key))
            if not isinstance(node, KeyOperation) or report.status not in _ENDED:
                continue
            kind = (node.kernel, size_class(self.model.size(nodes, node)))
            self._left[kind] -= 1
            if report.status is not Status.COMPUTED:
                continue
            if report.stored:
                self.stored_bytes += report.size
            size = report.voxels
            if node.pin is not None:
                size = node.pin.size
                self.model.measured(node.key, report.voxels)
            self._recorder.add(node.kernel, size, report.seconds, report.voxels)
            calls, seconds = self._means.get(kind, (0, 0.0))
            self._means[kind] = (calls + 1, seconds + report.seconds)
        if self._clock() - self._flushed_at > FLUSH_SECONDS:
            self.flush()

    def seconds_left(self, parallelism: int) -> float | None:
        """Return the expected seconds until all planned operations have ended; None if unknown."""
        total = 0.0
        for (kernel, size), count in self._left.items():
            if count <= 0:
                continue
            calls, measured = self._means.get((kernel, size), (0, 0.0))
            seconds = measured / calls if calls else self.model.kernel_seconds(kernel, size)
            if seconds is None:
                return None
            total += count * seconds
        return total / max(parallelism, 1)

    def flush(self) -> None:
        """Write what was measured since the last time, if it is worth that; never raises."""
        self._flushed_at = self._clock()
        if self._store is None or self._recorder.seconds < WORTH_SECONDS:
            return
        costs = self._recorder.costs(self._clock())
        self._recorder.clear()
        try:
            self._store.costs.add(costs)
        except StoreError as error:
            logger.debug("measured costs cannot be written: %s", error)


def _read(store: ResultStore) -> None:
    try:
        store.costs.read()
    except StoreError as error:
        logger.debug("recorded costs cannot be read: %s", error)
