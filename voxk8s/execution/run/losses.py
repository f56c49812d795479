"""What a run has lost: results that vanished from the store, and tasks whose workers died.

Each loss counts once, however many goals report it. No I/O.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from voxk8s.execution.tasks.task import TaskKey
from voxk8s.plan import ResultKey

MAX_RECOMPUTATIONS: Final = 3
"""When a result has vanished from the store so often, the run holds it itself."""
MANY_LOSSES: Final = 8
"""When results have vanished again so many times in all, the run holds each that vanishes then.

Each loss costs a planning and the work above it: on a store that loses all the time a run would
take very long. A single collection of garbage makes no result vanish twice.
"""
MAX_WORKER_LOSSES: Final = 2
"""How often a task is tried again after the workers that ran it died.

Dask has tried it on several workers by then. The last time it runs alone, so that no other task can
be the one that kills its worker, and no other is blamed for it.
"""


class Losses:
    """The losses of one run."""

    def __init__(self) -> None:
        self._missing: set[ResultKey] = set()
        self._vanished: Counter[ResultKey] = Counter()
        self._again = 0
        self._unreliable: set[ResultKey] = set()
        self._counted: set[TaskKey] = set()
        self._killed: Counter[ResultKey] = Counter()

    def result_vanished(self, key: ResultKey) -> None:
        """Record that a result is not in the store any more.

        Until `result_computed`, further reports of the same loss do not count.
        """
        if key not in self._missing:
            self._vanished[key] += 1
            self._missing.add(key)
            self._again += self._vanished[key] > 1
            if self._vanished[key] >= MAX_RECOMPUTATIONS or self._again >= MANY_LOSSES:
                self._unreliable.add(key)

    def is_missing(self, key: ResultKey) -> bool:
        """Whether a result has vanished and was not computed again yet."""
        return key in self._missing

    def has_vanished(self, key: ResultKey) -> bool:
        """Whether a result was not in the store any more at some time."""
        return key in self._vanished

    def is_unreliable(self, key: ResultKey) -> bool:
        """Whether the store loses a result so often that the run does not read it from there.

        Its value stays with the executor until the end of the run.
        """
        return key in self._unreliable

    def result_computed(self, key: ResultKey) -> None:
        """Record that a result was computed, or found again."""
        self._missing.discard(key)

    def is_counted(self, task: TaskKey) -> bool:
        """Whether the death of this task's workers was recorded."""
        return task in self._counted

    def workers_died(self, task: TaskKey, root: ResultKey) -> bool:
        """Record that the workers of a task died; whether its operations are to be tried again.

        `root` names the operations of the task in later attempts, whose task has another key.
        """
        if task not in self._counted:
            self._counted.add(task)
            self._killed[root] += 1
        return self._killed[root] <= MAX_WORKER_LOSSES

    @property
    def suspects(self) -> frozenset[ResultKey]:
        """The operations whose tasks run alone from now on."""
        return frozenset(root for root, times in self._killed.items() if times >= MAX_WORKER_LOSSES)
