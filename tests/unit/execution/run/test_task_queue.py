"""The queue of a run's tasks: what starts, what is released, what is given up."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.peak_values import peak_values
from voxk8s.execution.run.task_queue import QueuedTask, TaskQueue
from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.execution.tasks.scheduling import DefaultPolicy
from voxk8s.execution.tasks.task import StepKind, TaskKey, TaskOptions
from voxk8s.plan import KeyOperation, OperationId, ResultKey
from voxk8s.plan.kernel_version import numbered

Nodes = dict[ResultKey, KeyOperation]


def _key(number: int) -> ResultKey:
    return ResultKey(f"{number:064x}")


def _nodes(*needs: Sequence[int]) -> Nodes:
    """Return operations by their numbers, each with those it needs."""
    return {
        _key(number): KeyOperation(
            _key(number), "test.op", numbered(1), tuple(map(_key, below)), OperationId(str(number))
        )
        for number, below in enumerate(needs)
    }


def _add(
    queue: TaskQueue, nodes: Nodes, targets: Collection[int], only: Collection[int] | None = None
) -> None:
    """Add a task for each operation."""
    goals = {_key(number) for number in targets}
    options = TaskOptions(goals, must_store=(), cheap=(), codes={"test.op": ["0123", "4567"]})
    keys = nodes if only is None else [_key(number) for number in only]
    queue.add([FusionGroup([key], [key]) for key in keys], nodes, options, DefaultPolicy())


def _roots(tasks: Sequence[QueuedTask]) -> list[int]:
    return [int(task.root, 16) for task in tasks]


def _named(keys: Collection[TaskKey]) -> set[int]:
    return {int(key.split("-")[1], 16) for key in keys}


CHAIN = _nodes((), (0,), (1,))


def test_tasks_start_in_order_as_far_as_the_window_allows() -> None:
    """The next one starts when one has ended."""
    queue = TaskQueue()
    _add(queue, CHAIN, [2])
    first = queue.take(2)
    assert _roots(first) == [0, 1]
    assert queue.take(2) == []
    queue.done(first[0].key)
    assert _roots(queue.take(2)) == [2]


def test_a_value_is_released_when_all_that_need_it_have_started() -> None:
    """And not before it is there; targets are kept until they are settled."""
    queue = TaskQueue()
    _add(queue, CHAIN, [2])
    tasks = queue.take(9)
    assert queue.released() == []
    for task in tasks:
        queue.done(task.key)
    assert _named(queue.released()) == {0, 1}
    assert queue.producer(_key(2)) is not None
    queue.settle(tasks[2])
    assert _named(queue.released()) == {2}
    assert queue.producer(_key(2)) is None


def test_a_held_value_is_kept_until_no_loop_needs_it() -> None:
    """It is released when the hold ends."""
    queue = TaskQueue()
    queue.hold(frozenset({_key(0)}))
    _add(queue, CHAIN, [2])
    for task in queue.take(9):
        queue.done(task.key)
    assert _named(queue.released()) == {1}
    queue.hold(frozenset())
    assert _named(queue.released()) == {0}


def test_what_depends_on_a_dropped_task_is_dropped_unless_it_has_started() -> None:
    """A started task reports by itself that it has no value."""
    queue = TaskQueue()
    _add(queue, CHAIN, [2])
    first, second = queue.take(2)
    queue.drop(first)
    assert queue.producer(_key(0)) is None
    assert queue.producer(_key(1)) is not None
    assert queue.producer(_key(2)) is not None
    queue.drop(second)
    assert queue.producer(_key(2)) is None
    assert not queue.unfinished
    assert _named(queue.released()) == {0, 1}


def test_a_task_that_is_planned_again_has_another_key() -> None:
    """The executor may still have the first one."""
    queue = TaskQueue()
    _add(queue, CHAIN, [2], [0])
    [first] = queue.take(9)
    queue.drop(first)
    _add(queue, CHAIN, [2])
    again = queue.take(9)
    assert _roots(again) == [0, 1, 2]
    assert again[0].key == f"{first.key}-again1"
    assert queue.spec(again[1], CHAIN).dependencies == (again[0].key,)


def test_a_suspect_starts_alone() -> None:
    """Nothing else runs before it has ended."""
    queue, nodes = TaskQueue(), _nodes((), (), ())
    options = TaskOptions(goals=set(nodes), must_store=(), cheap=())
    groups = [FusionGroup([key], [key]) for key in nodes]
    queue.add(groups, nodes, options, DefaultPolicy(), frozenset({_key(1)}))
    [first] = queue.take(9)
    assert queue.take(9) == []
    queue.done(first.key)
    [suspect] = queue.take(9)
    assert (suspect.alone, queue.take(9)) == (True, [])
    queue.done(suspect.key)
    assert _roots(queue.take(9)) == [2]


def test_a_value_of_another_task_is_adopted() -> None:
    """The task that stores it is the one that has the target from then on."""
    queue = TaskQueue()
    _add(queue, CHAIN, [2])
    for task in queue.take(9):
        queue.done(task.key)
    assert queue.adopt(_key(2), "run")
    [adoption] = queue.take(9)
    spec = queue.spec(adoption, CHAIN)
    assert [step.rule.kind for step in spec.steps] == [StepKind.ADOPT]
    assert spec.steps[0].rule.ancestor_codes == ("test.op=0123", "test.op=4567")
    assert adoption.targets == (_key(2),)
    assert queue.producer(_key(2)) is adoption
    assert not queue.adopt(_key(0), "run")


def test_giving_up_all_tasks_changes_their_keys() -> None:
    """What another run has left behind is not used again."""
    queue = TaskQueue()
    _add(queue, CHAIN, [2])
    queue.take(1)
    queue.drop_all("mine")
    assert not queue.unfinished
    _add(queue, CHAIN, [2])
    assert all(task.key.endswith("-mine") for task in queue.take(9))


@pytest.mark.parametrize("threads", [1, 4])
def test_loops_that_become_known_one_after_the_other_are_finished_one_after_the_other(
    threads: int,
) -> None:
    """Of 20 images with a loop each, those are held that are worked on, and not all."""
    images, items = 20, 30
    needs: list[Sequence[int]] = []
    for number in range(images):
        needs += [(), (2 * number,)]  # an image, and the sequence of its loop
    for number in range(images):
        for _ in range(items):
            place = len(needs)
            needs += [(2 * number,), (place, 2 * number), (place + 1,)]
    nodes, queue = _nodes(*needs), TaskQueue()
    queue.hold(frozenset(_key(2 * number) for number in range(images)))
    _add(queue, nodes, range(1, 2 * images, 2), range(2 * images))
    order: list[int] = []
    while tasks := queue.take(threads):
        for task in tasks:
            root = int(task.root, 16)
            order.append(root)
            queue.done(task.key)
            queue.settle(task)
            if root % 2 and root < 2 * images:
                begin = 2 * images + root // 2 * items * 3
                body = range(begin, begin + items * 3)
                _add(queue, nodes, body[2::3], body)
    assert sorted(order) == list(range(len(needs)))
    # The last use of an image is in its loop.
    assert peak_values({key: needs[key] for key in order}, order) <= 3 * threads


@given(st.data())
def test_any_plan_runs_to_its_end_whatever_is_dropped(data: st.DataObject) -> None:
    """A task starts after its needs and while their values are there; all is released at last."""
    count = data.draw(st.integers(1, 25))
    needs = [
        sorted(data.draw(st.sets(st.integers(0, number - 1), max_size=3))) if number else []
        for number in range(count)
    ]
    nodes = _nodes(*needs)
    used = {each for below in needs for each in below}
    targets = {number for number in range(count) if number not in used}
    queue = TaskQueue()
    window = data.draw(st.integers(1, 6))
    reached: set[int] = set()
    there: set[TaskKey] = set()
    running: list[QueuedTask] = []
    drops = data.draw(st.integers(0, 4))
    while reached != targets:
        wanted = targets - reached
        missing: set[int] = set()
        stack = [number for number in wanted if queue.producer(_key(number)) is None]
        while stack:
            number = stack.pop()
            if number not in missing:
                missing.add(number)
                stack += [each for each in needs[number] if queue.producer(_key(each)) is None]
        _add(queue, nodes, targets, sorted(missing))
        while queue.unfinished:
            there -= set(queue.released())
            for task in queue.take(window):
                assert set(queue.spec(task, nodes).dependencies) <= there
                there.add(task.key)
                running.append(task)
            there -= set(queue.released())
            assert queue.started <= window
            task = running.pop(data.draw(st.integers(0, len(running) - 1)))
            if drops and data.draw(st.booleans()):
                drops -= 1
                queue.drop(task)
            elif queue.done(task.key) is not None and task.targets:
                reached.add(int(task.root, 16))
                queue.settle(task)
    there -= set(queue.released())
    assert not there
    assert not queue.provided
