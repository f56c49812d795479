"""Every executor follows a third-party scheduling policy."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pytest

from tests.support.plans_and_runs import Memory, PlanMaker, Unfused, engine_on
from voxk8s.errors import InvalidUsage
from voxk8s.execution.events import OperationFinished
from voxk8s.execution.executors.dask_executors import DistributedExecutor
from voxk8s.execution.executors.protocol import Executor
from voxk8s.execution.tasks.fusion import FusionGroup, OperationTraits
from voxk8s.execution.tasks.scheduling import Placement, Schedule
from voxk8s.execution.tasks.task import TaskKey
from voxk8s.plan import ResultKey
from voxk8s.storage import ResultStore


class Apart(Unfused):
    """Every operation has a task of its own, all on one worker; the last ones come first.

    `forgotten` operations at the end have none.
    """

    def __init__(self, *workers: str, forgotten: int = 0) -> None:
        self.placement = Placement(workers)
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
    ) -> Schedule:
        """Reverse the order, and name a worker."""
        self.tasks += len(needs)
        ranks = {key: -number for number, key in enumerate(needs)}
        return Schedule(ranks, dict.fromkeys(needs, self.placement))


def workers_of(executor: Executor) -> list[str]:
    """Return the addresses of its workers where it has any that could be chosen."""
    if not isinstance(executor, DistributedExecutor):
        return []
    return list(executor._client.scheduler_info(n_workers=-1)["workers"])


def test_a_policy_decides(executor: Executor, store: ResultStore, make: PlanMaker) -> None:
    """Tasks are those of the policy, on the workers that it names where there are some."""
    total = make("addition", 5.0, 3.0)
    for number in range(6):
        make.show(f"goal{number}", make("multiplication", total, float(number)))
    policy, memory = Apart(*workers_of(executor)[:1]), Memory()
    engine = engine_on(store, executor, scheduling=policy, listeners=(memory,))
    result = engine.execute_workplan(make.plan())
    assert list(result.values()) == [8.0 * number for number in range(6)]
    assert policy.tasks == 7
    finished = [each for each in memory.events if isinstance(each, OperationFinished)]
    assert len(finished) == 7
    assert len({each.worker for each in finished}) == 1


def test_a_policy_that_forgets_is_told(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """What a policy leaves out is an error of it, before anything runs."""
    make.show("sum", make("addition", make("addition", 1.0, 2.0), 3.0))
    engine = engine_on(store, executor, scheduling=Apart(forgotten=1))
    with pytest.raises(InvalidUsage, match="is not in any group"):
        engine.execute_workplan(make.plan())
