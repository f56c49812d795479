"""The traits of operations on which fusion depends."""

from __future__ import annotations

from tests.support.plans_and_runs import PlanMaker
from voxk8s.costs.cost_model import CostModel
from voxk8s.execution.tasks.fusion import OperationTraits
from voxk8s.execution.tasks.traits import operation_traits
from voxk8s.kernels import kernel, registry
from voxk8s.plan import KeyConstant, KeyGraph, KeyOperation, key_graph
from voxk8s.values import Array


@kernel("traits.unknown")
def unknown(x: float) -> Array:
    """Never called."""
    raise AssertionError(x)


def _traits(make: PlanMaker) -> tuple[KeyGraph, OperationTraits]:
    graph = key_graph(make.plan(), registry())
    order = [key for key, node in graph.nodes.items() if not isinstance(node, KeyConstant)]
    model = CostModel(registry())
    return graph, operation_traits(graph.nodes, order, (), (), model, registry(), 3)


def _kernels(graph: KeyGraph, keys: object) -> list[str]:
    return sorted(
        node.kernel
        for key, node in graph.nodes.items()
        if isinstance(node, KeyOperation) and key in keys  # type: ignore[operator]
    )


def test_values_made_of_small_ones_are_small() -> None:
    """A sum of numbers is small, a sum with an array may not be; a truth value always is."""
    make = PlanMaker()
    array = make("traits.unknown", 1.0)
    make.show("a", make("addition", array, make("multiplication", 2.0, 3.0)))
    make.show("b", make("equal", array, array))
    make.show("c", make("sequence", make("floor", 2.5), 1.0))
    graph, traits = _traits(make)
    assert _kernels(graph, traits.small) == [
        "default.equal",
        "default.floor",
        "default.multiplication",
        "default.sequence",
    ]
    assert traits.parallelism == 3


def test_kernels_without_hint_have_no_seconds() -> None:
    """Cheap kernels and those with a hint have expected seconds, users' kernels do not."""
    make = PlanMaker()
    make.show("a", make("addition", make("traits.unknown", 1.0), 1.0))
    graph, traits = _traits(make)
    assert _kernels(graph, traits.seconds) == ["default.addition"]
    assert _kernels(graph, traits.cheap) == ["default.addition"]
