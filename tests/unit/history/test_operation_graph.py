"""The graph of a run's operations."""

from __future__ import annotations

from voxk8s.execution import ExecutionEngine, ExecutionResult
from voxk8s.history.operation_graph import operation_graph
from voxk8s.program import compile_with_places
from voxk8s.report import Graph
from voxk8s.storage import open_store

LOOP = """let xs = for x in [1, 2, 0] do (x + 1) / x
print "xs" xs
print "sum" 1 + 2
"""


def run(text: str, most: int = 200) -> Graph:
    """Run a program and return its graph."""
    compiled = compile_with_places(text, name="a.imgql")
    engine = ExecutionEngine(open_store("memory://"), executor="synchronous")
    result: ExecutionResult = engine.execute_workplan(compiled.plan, places=compiled.origins)
    return operation_graph(result, compiled.origins, most)


def test_a_loop_has_one_node_for_each_operation_of_its_body() -> None:
    """With the line of the body, and how many of the items were computed or failed."""
    graph = run(LOOP)
    nodes = {node.kernel: node for node in graph.nodes if node.place.startswith("a.imgql:1:")}
    division = nodes["default.division"]
    assert (division.computed, division.failed, division.count) == (2, 1, 3)
    numbers = {id(node): number for number, node in enumerate(graph.nodes)}
    addition = next(
        node for node in graph.nodes if node.kernel == "default.addition" and node.count == 3
    )
    assert (numbers[id(addition)], numbers[id(division)]) in graph.edges
    assert graph.summary == ""


def test_many_operations_are_summed_up() -> None:
    """First by their lines, then by kernel and loop; at last some are left out, which is said."""
    text = "\n".join(f'print "{number}" {number} .+. {number} .*. 3' for number in range(5))
    assert run(text).summary == ""
    assert run(text, 9).summary == "by kernel and loop"
    assert len(run(text, 2).nodes) == 2
    assert run(text, 1).summary == "by kernel; 1 are left out"
