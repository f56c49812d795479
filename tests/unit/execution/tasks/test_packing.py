"""Small groups that become one task."""

from __future__ import annotations

from collections.abc import Collection

from voxk8s.execution.tasks.fusion_graph import FusionGraph
from voxk8s.execution.tasks.packing import PACK_FROM, PACK_IMAGES_FROM, pack
from voxk8s.plan import ResultKey


def _graph(count: int, small: Collection[int] | None = None, first: str = "") -> FusionGraph:
    """Return operations of a millisecond, which all need `first` if it is given."""
    order = [ResultKey(str(number)) for number in range(count)]
    names = order if small is None else [order[number] for number in small]
    arguments = {
        key: [ResultKey(first)] if first and key != first else list[ResultKey]() for key in order
    }
    costs = dict.fromkeys(order, 1e-3)
    return FusionGraph.create(order, arguments, (), (), names, order, costs)


def test_few_groups_stay_alone() -> None:
    """Below a number of groups packing saves nothing that would be noticed."""
    count = PACK_FROM - 1
    assert len(pack(_graph(count), range(count), 1.0)) == count
    assert len(pack(_graph(count + 1), range(count + 1), 1.0)) == 1


def test_packs_are_as_short_as_groups() -> None:
    """A pack takes no longer than a group may."""
    count = 2 * PACK_FROM
    packs = pack(_graph(count), range(count), 0.0105)
    assert max(group.seconds for group in packs) <= 0.0105
    assert sum(len(group.members) for group in packs) == count
    assert len(packs) == -(-count // 10)


def test_layers_are_not_mixed() -> None:
    """A group is never packed with one that it needs."""
    count = PACK_FROM + 1
    packs = pack(_graph(count, first="0"), range(count), 1.0)
    assert [group.members for group in packs] == [[0], list(range(1, count))]


def test_values_of_one_image_are_packed() -> None:
    """Groups that need the same image hold no more of them together than alone."""
    count = PACK_IMAGES_FROM + 1
    packs = pack(_graph(count, range(1, count), first="0"), range(count), 1.0)
    assert [len(group.exports) for group in packs] == [1, count - 1]
