"""From what is to be computed to tasks: what is stored in any case."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pytest

from tests.support.plans_and_runs import PlanMaker
from voxk8s.execution.tasks import planning
from voxk8s.execution.tasks.fusion import FusionGroup, OperationTraits
from voxk8s.execution.tasks.planning import plan_groups
from voxk8s.execution.tasks.scheduling import DefaultPolicy, find_policy
from voxk8s.execution.tasks.task import build_tasks
from voxk8s.kernels import kernel, registry
from voxk8s.plan import ResultKey, key_graph, resolve
from voxk8s.values import Image


@kernel("planning.blank")
def blank(size: float) -> Image:
    """Return an image of zeros."""
    array = np.zeros((int(size), int(size)), np.uint8)
    return Image(array, (1.0, 1.0), (0.0, 0.0), (1.0, 0.0, 0.0, 1.0))


@pytest.mark.parametrize(
    ("saved", "kept"),
    [("planning.blank", {"planning.blank", "save"}), ("addition", {"save"})],
    ids=["an image", "a number"],
)
def test_a_saved_image_is_stored_beside_its_file(saved: str, kept: set[str]) -> None:
    """Other plans use the image, not its file; a small value is not stored twice."""
    make = PlanMaker()
    arguments = (4.0,) if saved == "planning.blank" else (4.0, 5.0)
    make.save("x.nii", make(saved, *arguments))
    graph = key_graph(make.plan(), registry())
    compute = resolve(graph, lambda _: ()).compute
    goals = [goal.key for goal in graph.goals if goal.key is not None]
    groups, options = plan_groups(graph, compute, (), goals)
    tasks = build_tasks(groups, graph.nodes, options)
    steps = [step for task in tasks.values() for step in task.steps]
    named = {
        step.rule.kernel if step.rule.kind != "save" else "save"
        for step in steps
        if step.rule.must_store
    }
    assert named == kept


def test_only_groups_of_other_policies_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default policy has tests of its own; a check would slow down every plan."""
    checked: list[int] = []

    def check(groups: Sequence[FusionGroup], *_: object) -> None:
        checked.append(len(groups))

    class OtherPolicy(DefaultPolicy):
        def fuse(
            self,
            order: Sequence[ResultKey],
            _: Mapping[ResultKey, Sequence[ResultKey]],
            __: Collection[ResultKey],
            ___: OperationTraits,
        ) -> list[FusionGroup]:
            return [FusionGroup([key], [key]) for key in order]

    monkeypatch.setattr(planning, "check_groups", check)
    make = PlanMaker()
    make.show("sum", make("addition", 1.0, 2.0))
    graph = key_graph(make.plan(), registry())
    compute = resolve(graph, lambda _: ()).compute
    for policy in (find_policy("default"), OtherPolicy()):
        plan_groups(graph, compute, (), compute, policy=policy)
    assert checked == [1]


def test_only_what_targets_need_and_no_task_has_is_planned() -> None:
    """Failed operations are left out as well; what is held is exported."""
    make = PlanMaker()
    first = make("planning.blank", 1.0)
    second = make("vox1.not", first)
    make.show("third", make("vox1.max", second))
    make.show("other", make("addition", 1.0, 2.0))
    graph = key_graph(make.plan(), registry())
    compute = resolve(graph, lambda _: ()).compute
    blank, inverse, maximum, addition = compute
    groups, _ = plan_groups(
        graph, compute, (), [maximum], provided=[blank], held=[inverse], failed=[addition]
    )
    assert [key for group in groups for key in group.members] == [inverse, maximum]
    assert {key for group in groups for key in group.exports} == {inverse, maximum}
