"""The costs of one run: what the store has recorded, what is left to do, what the run measures."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from voxk8s.costs.cost_model import CostGroup, CostModel
from voxk8s.costs.critical_path import UNKNOWN_SECONDS
from voxk8s.costs.recorded_costs import are_worth_reading, recorded_costs
from voxk8s.errors import StoreError
from voxk8s.execution.operation_reports import Report, Status
from voxk8s.execution.run.chains_left import ChainsLeft
from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.kernels import registry
from voxk8s.plan import KeyNode, KeyOperation, ResultKey
from voxk8s.storage import ResultStore
from voxk8s.storage.kernel_costs import CostRecorder, KernelCosts

logger = logging.getLogger(__name__)

WAIT_SECONDS: Final = 0.1
"""How long a run waits for recorded costs before it plans without them."""
WORTH_SECONDS: Final = 1.0
"""A run that has computed for a shorter time does not write what it has measured."""
FLUSH_SECONDS: Final = 60.0
"""A run writes what it has measured this often, and at its end."""
END_SECONDS: Final = 5.0
"""How long the end of a run waits until that is written."""
_ENDED: Final = (Status.COMPUTED, Status.FOUND, Status.FAILED)


class RunCosts:
    """Reads recorded costs for planning, and records the seconds of operations.

    Everything except the store belongs to the thread that executes the run. A store that does not
    answer costs a tenth of a second before the run, END_SECONDS after it, and nothing in between.
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
        self._left: Counter[CostGroup] = Counter()
        self._sums: dict[CostGroup, list[float]] = {}
        """The calls and the seconds of this run."""
        self._chains = ChainsLeft()
        self._expected = self._measured = 0.0
        self._changed = True
        self._parallelism = 0
        self._end: float | None = None
        self._asked = False
        self.kept_bytes = 0
        """What this run has stored beside goals so far, as far as is reported."""
        self._flushed_at = clock()
        self._writer: threading.Thread | None = None

    def prepare(self, nodes: Mapping[ResultKey, KeyNode], compute: Sequence[ResultKey]) -> None:
        """Get the recorded costs once, unless all operations to compute are cheap."""
        store = self._store
        if store is None or self._asked or not are_worth_reading(nodes, compute):
            return
        self._asked = True
        costs = recorded_costs(store, self._wait_seconds)
        if costs is not None:
            self.model.use(costs)

    def planned(self, nodes: Mapping[ResultKey, KeyNode], groups: Sequence[FusionGroup]) -> None:
        """Add the operations of tasks, given in topological order, to what is left to do."""
        for group in groups:
            for key in group.members:
                node = nodes[key]
                if isinstance(node, KeyOperation):
                    self._left[self.model.group(nodes, node)] += 1
        self._chains.add(nodes, groups)
        self._changed = True

    def record(self, nodes: Mapping[ResultKey, KeyNode], reports: Iterable[Report]) -> None:
        """Record the seconds of operations that this run has computed."""
        for report in reports:
            node = nodes.get(ResultKey(report.key))
            if not isinstance(node, KeyOperation) or report.status not in _ENDED:
                continue
            group = self.model.group(nodes, node)
            self._left[group] -= 1
            self._chains.ended(node.key)
            self._changed = True
            if report.status is not Status.COMPUTED:
                continue
            if report.kept:
                self.kept_bytes += report.size
            size = report.voxels
            if node.pin is not None:
                size = node.pin.size
                self.model.measured(node.key, report.voxels)
            self._recorder.add(node.kernel, size, report.seconds, report.voxels)
            expected = self.model.group_seconds(group)
            self._expected += UNKNOWN_SECONDS if expected is None else expected
            self._measured += report.seconds
            sums = self._sums.get(group)
            if sums is None:
                sums = self._sums[group] = [0, 0.0]
            sums[0] += 1
            sums[1] += report.seconds
        if self._clock() - self._flushed_at > FLUSH_SECONDS:
            self._write()

    def seconds_left(self, parallelism: int) -> float | None:
        """Return the expected seconds until all planned operations have ended.

        None without a basis: an operation whose cost is not known, or no thread to run it.
        """
        now = self._clock()
        if self._changed or parallelism != self._parallelism:
            # In between, the time that passes is taken off: operations may last for hours.
            self._changed, self._parallelism = False, parallelism
            left = self._estimate(parallelism)
            self._end = None if left is None else now + left
            return left
        return None if self._end is None else max(0.0, self._end - now)

    def _estimate(self, parallelism: int) -> float | None:
        total = 0.0
        for group, count in self._left.items():
            if count <= 0:
                continue
            calls, measured = self._sums.get(group, (0, 0.0))
            seconds = measured / calls if calls else self.model.group_seconds(group)
            if seconds is None:
                return None
            total += count * seconds
        if not total:
            return 0.0
        if not parallelism:
            return None
        # Chains were planned by the costs that were expected then.
        factor = self._measured / self._expected if self._expected else 1.0
        return max(total / parallelism, min(total, self._chains.seconds() * factor))

    def flush(self, wait_seconds: float = END_SECONDS) -> None:
        """Write what was measured since the last time, if it is worth that; never raises.

        Waits for it at most `wait_seconds`: after that it is written by and by, while the process
        lives.
        """
        end = time.monotonic() + wait_seconds
        self._wait(end)
        self._write()
        self._wait(end)

    def _wait(self, end: float) -> None:
        if self._writer is not None:
            self._writer.join(max(0.0, end - time.monotonic()))

    def _write(self) -> None:
        """Begin to write, unless the last write has not ended: it is for the next time then.

        In a thread of its own: a store that is overloaded may take minutes, and nobody would handle
        the messages of the executor.
        """
        self._flushed_at = self._clock()
        if self._store is None or self._recorder.seconds < WORTH_SECONDS:
            return
        if self._writer is not None and self._writer.is_alive():
            return
        costs = self._recorder.costs(self._clock())
        self._writer = threading.Thread(
            target=_add, args=(self._store, costs), name="voxk8s-costs", daemon=True
        )
        try:
            self._writer.start()
        except RuntimeError as error:  # no more threads, or the process is about to end
            self._writer = None
            logger.debug("measured costs cannot be written: %s", error)
        else:
            self._recorder.clear()


def _add(store: ResultStore, costs: KernelCosts) -> None:
    try:
        store.costs.add(costs)
    except StoreError as error:
        logger.debug("measured costs cannot be written: %s", error)
