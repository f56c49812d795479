"""The graph of a run's operations."""

from __future__ import annotations

from pathlib import Path

from voxk8s.execution import ExecutionEngine, ExecutionResult
from voxk8s.history import Recorder
from voxk8s.history.operation_graph import operation_graph
from voxk8s.program import compile_with_places
from voxk8s.report import Graph
from voxk8s.storage import open_store

LOOP = """let xs = for x in [1, 2, 0] do (x + 1) / x
print "xs" xs
print "sum" 1 + 2
"""


def run(text: str, most: int = 200, *, skip: bool = False) -> Graph:
    """Run a program and return its graph."""
    compiled = compile_with_places(text, name="a.imgql")
    recorder = Recorder()
    engine = ExecutionEngine(
        open_store("memory://"),
        executor="synchronous",
        on_item_failure="skip" if skip else "fail",
        listeners=[recorder],
    )
    result: ExecutionResult = engine.execute_workplan(compiled.plan, places=compiled.origins)
    earlier = recorder.operations()
    return operation_graph(result, compiled.origins, plan=compiled.plan, earlier=earlier, most=most)


def states(graph: Graph, line: int) -> dict[str, tuple[int, int, int, int]]:
    """Return how many operations of a line were computed, failed, skipped and not run."""
    return {
        node.kernel.partition(".")[2]: (node.computed, node.failed, node.skipped, node.rest)
        for node in graph.nodes
        if node.place.startswith(f"a.imgql:{line}:")
    }


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


def test_items_that_are_skipped_show_what_failed() -> None:
    """What was computed before the failure counts, what needs it was skipped."""
    graph = run(
        """let xs = for x in [1, 2, 0] do (((x + 1) / x) * 5)
print "xs" xs
""",
        skip=True,
    )
    found = states(graph, 1)
    assert found["addition"] == (3, 0, 0, 0)
    assert found["division"] == (2, 1, 0, 0)
    assert found["multiplication"] == (2, 0, 1, 0)


def test_inputs_that_cannot_be_read_have_failed(tmp_path: Path) -> None:
    """They have no result key, and what needs them neither: the plan has their kernels."""
    good = tmp_path / "good.json"
    good.write_text("[1, 2]")
    text = f"""let xs = for f in ["{good}", "{tmp_path}/gone.json"] do [load(f), 1]
print "xs" xs
print "gone" [load("{tmp_path}/none.json"), 2]
"""
    assert states(run(text, skip=True), 1)["load"] == (1, 1, 0, 0)
    graph = run(text)
    loads = [node for node in graph.nodes if node.kernel == "default.load"]
    assert [node.failed for node in loads] == [1, 1]
    assert graph.goals[1] is not None
    assert graph.nodes[graph.goals[1]].kernel == "default.sequence"
    needed = [source for source, target in graph.edges if target == graph.goals[1]]
    assert graph.nodes.index(loads[1]) in needed


def test_operations_and_goals_know_their_nodes() -> None:
    """Every item of a loop is in the node of its place; a saved file has one of its own."""
    graph = run(LOOP)
    kernels = {graph.nodes[number].kernel for number in graph.members.values()}
    assert {"default.addition", "default.division"} <= kernels
    assert all(
        graph.nodes[number].kernel == kernel for (_, kernel), number in graph.members.items()
    )
    total = graph.goals[1]
    assert total is not None
    assert graph.nodes[total].place.startswith("a.imgql:3:")
