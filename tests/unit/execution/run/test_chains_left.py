"""The longest chain of tasks that is left in a run."""

from __future__ import annotations

from tests.support.plans_and_runs import PlanMaker
from voxk8s.execution.run.chains_left import ChainsLeft
from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.kernels import kernel, registry
from voxk8s.plan import KeyOperation, key_graph


@kernel("chains.work")
def work(x: float) -> float:
    """Return the argument."""
    return x


def test_the_longest_chain_gets_shorter_as_its_tasks_end() -> None:
    """Two branches of unequal length; the longer one counts until it is the shorter one."""
    make = PlanMaker()
    value = make("chains.work", 1.0)
    for _ in range(2):
        value = make("chains.work", value)
    make.show("long", value)
    make.show("short", make("chains.work", 2.0))
    nodes = key_graph(make.plan(), registry()).nodes
    keys = [key for key, node in nodes.items() if isinstance(node, KeyOperation)]
    seconds = [1.0, 2.0, 3.0, 4.0]
    chains = ChainsLeft()
    assert chains.seconds() == 0.0
    chains.add(
        nodes,
        [FusionGroup([key], [key], seconds=each) for key, each in zip(keys, seconds, strict=True)],
    )
    left = [chains.seconds()]
    for key in keys:
        chains.ended(key)
        left.append(chains.seconds())
    assert left == [6.0, 5.0, 4.0, 4.0, 0.0]


def test_a_task_ends_with_its_last_operation() -> None:
    """Of a task of several operations the whole counts until then."""
    make = PlanMaker()
    make.show("x", make("chains.work", make("chains.work", 1.0)))
    nodes = key_graph(make.plan(), registry()).nodes
    keys = [key for key, node in nodes.items() if isinstance(node, KeyOperation)]
    chains = ChainsLeft()
    chains.add(nodes, [FusionGroup(keys, keys[-1:], seconds=2.0)])
    chains.ended(keys[0])
    assert chains.seconds() == 2.0
    chains.ended(keys[1])
    assert chains.seconds() == 0.0
