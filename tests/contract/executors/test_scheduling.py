"""Every executor follows a third-party scheduling policy."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pytest

from tests.support.plans_and_runs import Memory, PlanMaker, Unfused, engine_on
from voxk8s.errors import InvalidUsage
from voxk8s.execution.events import OperationFinished
from voxk8s.execution.executors.protocol import Executor
from voxk8s.execution.tasks.fusion import FusionGroup, OperationTraits
from voxk8s.execution.tasks.scheduling import Ranks
from voxk8s.execution.tasks.task import TaskKey
from voxk8s.plan import ResultKey
from voxk8s.storage import ResultStore


class Apart(Unfused):
    """Every operation has a task of its own; the last ones come first.

    `forgotten` operations at the end have none.
    """

    def __init__(self, forgotten: int = 0) -> None:
        self.forgotten = forgotten
        self.tasks = 0

    def fuse(
        self,
        order: Sequence[ResultKey],
        arguments: Mapping[ResultKey, Sequence[ResultKey]],
        known: Collection[ResultKey],
        traits: OperationTraits,
    ) -> list[FusionGroup]:
        """Leave out the last operations."""
        done = order[: len(order) - self.forgotten]
        return super().fuse(done, arguments, known, traits)

    def schedule(
        self, needs: Mapping[TaskKey, Collection[TaskKey]], targets: Sequence[TaskKey]
    ) -> Ranks:
        """Reverse the order."""
        self.tasks += len(needs)
        return {key: -number for number, key in enumerate(needs)}


def test_a_policy_decides(executor: Executor, store: ResultStore, make: PlanMaker) -> None:
    """Tasks are those of the policy."""
    total = make("addition", 5.0, 3.0)
    for number in range(6):
        make.show(f"goal{number}", make("multiplication", total, float(number)))
    policy, memory = Apart(), Memory()
    engine = engine_on(store, executor, scheduling=policy, listeners=(memory,))
    result = engine.execute_workplan(make.plan())
    assert list(result.values()) == [8.0 * number for number in range(6)]
    assert policy.tasks == 7
    finished = [each for each in memory.events if isinstance(each, OperationFinished)]
    assert len(finished) == 7


def test_a_policy_that_forgets_is_told(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """What a policy leaves out is an error of it, before anything runs."""
    make.show("sum", make("addition", make("addition", 1.0, 2.0), 3.0))
    engine = engine_on(store, executor, scheduling=Apart(forgotten=1))
    with pytest.raises(InvalidUsage, match="is not in any group"):
        engine.execute_workplan(make.plan())
