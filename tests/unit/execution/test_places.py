"""Where in a program a failure comes from."""

from __future__ import annotations

from tests.support.imgql import compiled
from voxk8s.execution.places import NOWHERE, Places
from voxk8s.kernels import registry
from voxk8s.plan import OperationId, WorkPlan, key_graph

NAME = OperationId("a" * 64)


def test_a_message_begins_with_the_place() -> None:
    """A known place stands before the message; without one the message stays as it is."""
    places = Places({NAME: "p.imgql:3:5"})
    assert places.before(NAME, "it broke") == "p.imgql:3:5: it broke"
    assert places.before(OperationId("b" * 64), "it broke") == "it broke"
    assert NOWHERE.before(NAME, "it broke") == "it broke"


def test_operations_of_loops_have_the_place_of_the_body() -> None:
    """Every operation of loops inside loops has the line that its body's node stands in."""
    program = compiled(
        "let row(i) = for j in range(0, 2) do\n  i - j\n"
        'print "x" for i in range(5, 7) do\n  row(i * 2)\n'
    )
    places = _places(program.plan, program.origins)
    lines = {
        kernel: {places.of(name).split(":")[1] for name in names}
        for kernel, names in _operations(places).items()
    }
    assert lines["default.subtraction"] == {"2"}
    assert lines["default.multiplication"] == {"4"}
    assert len(_operations(places)["default.subtraction"]) == 4


def test_inputs_with_computed_addresses_have_places() -> None:
    """An input whose address the plan computes points to its `load`, in a loop too."""
    program = compiled('import "vox1"\nprint "v" for n in ["a.nii", "b.nii"] do\n  volume(load(n))')
    places = _places(program.plan, program.origins)
    assert places.graph is not None
    assert {places.of(name) for name in places.graph.unkeyed} == {"main.imgql:3:10"}


def _places(plan: WorkPlan, origins: object) -> Places:
    places = Places(origins)  # type: ignore[arg-type] # a mapping of the compiler's
    places.graph = key_graph(plan, registry())
    return places


def _operations(places: Places) -> dict[str, list[OperationId]]:
    assert places.graph is not None
    found: dict[str, list[OperationId]] = {}
    for node in places.graph.nodes.values():
        if kernel := getattr(node, "kernel", None):
            found.setdefault(kernel, []).append(node.operation)  # type: ignore[union-attr] # not a constant
    return found
