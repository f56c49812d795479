"""Where in a program a failure comes from."""

from __future__ import annotations

from tests.support.imgql import compile_text
from voxk8s.execution.source_locations import NO_LOCATIONS, SourceLocations
from voxk8s.failure import Failure
from voxk8s.kernels import registry
from voxk8s.plan import KeyOperation, OperationId, WorkPlan, key_graph

NAME = OperationId("a" * 64)


BROKEN = Failure("it broke")


def test_a_failure_has_the_place_of_its_operation() -> None:
    """A known place is part of the failure; without one the failure stays as it is."""
    places = SourceLocations({NAME: "p.imgql:3:5"})
    assert places.locate(BROKEN, NAME).place == "p.imgql:3:5"
    assert places.locate(BROKEN, OperationId("b" * 64)) == BROKEN
    assert NO_LOCATIONS.locate(BROKEN, NAME) == BROKEN


def test_operations_of_loops_have_the_place_of_the_body() -> None:
    """Every operation of loops inside loops has the line that its body's node stands in."""
    program = compile_text(
        "let row(i) = for j in range(0, 2) do\n  i - j\n"
        'print "x" for i in range(5, 7) do\n  row(i * 2)\n'
    )
    places = _places(program.plan, program.origins)
    lines = {
        kernel: {places.locate(BROKEN, name).place.split(":")[1] for name in names}
        for kernel, names in _operations(places).items()
    }
    assert lines["default.subtraction"] == {"2"}
    assert lines["default.multiplication"] == {"4"}
    assert len(_operations(places)["default.subtraction"]) == 4


def test_inputs_with_computed_addresses_have_places() -> None:
    """An input whose address the plan computes points to its `load`, in a loop too."""
    program = compile_text(
        'import "vox1"\nprint "v" for n in ["a.nii", "b.nii"] do\n  volume(load(n))'
    )
    places = _places(program.plan, program.origins)
    assert places.graph is not None
    found = {places.locate(BROKEN, name).place for name in places.graph.unpinned}
    assert found == {"main.imgql:3:10"}


def test_a_failure_names_the_calls_that_led_to_an_operation() -> None:
    """Behind the message stand the calls, the innermost first; far ones are left out."""
    functions = "".join(f"let f{i}(a) = f{i - 1}(a)\n" for i in range(1, 5))
    program = compile_text(f'let f0(a) = a - 1\n{functions}print "x" f4(2)')
    places = _places(program.plan, program.origins)
    (name,) = _operations(places)["default.subtraction"]
    assert str(places.locate(BROKEN, name)) == (
        "main.imgql:1:15: it broke (in f0, called at main.imgql:2:13,"
        " in f1, called at main.imgql:3:13, in f2, called at main.imgql:4:13, …)"
    )


def test_a_saved_file_has_the_place_of_its_goal() -> None:
    """What goes wrong when a file is made points to the `save`, not to the value's operation."""
    program = compile_text(
        'let a = 1 + 2\nsave "a.txt" a\nprint "x" a\nsave "b.json" a\nsave "c.txt" a'
    )
    places = _places(program.plan, program.origins)
    assert places.graph is not None
    found = {
        goal.goal.name: places.graph.nodes[goal.key] for goal in places.graph.goals if goal.key
    }
    lines = {
        name: places.locate(BROKEN, node.location_id).place
        for name, node in found.items()
        if isinstance(node, KeyOperation)
    }
    assert lines == {
        "a.txt": "main.imgql:2:6",
        "x": "main.imgql:1:11",
        "b.json": "main.imgql:4:6",
        "c.txt": "main.imgql:2:6",
    }


def _places(plan: WorkPlan, origins: object) -> SourceLocations:
    places = SourceLocations(origins)  # type: ignore[arg-type] # a mapping of the compiler's
    places.graph = key_graph(plan, registry())
    return places


def _operations(places: SourceLocations) -> dict[str, list[OperationId]]:
    assert places.graph is not None
    found: dict[str, list[OperationId]] = {}
    for node in places.graph.nodes.values():
        if kernel := getattr(node, "kernel", None):
            found.setdefault(kernel, []).append(node.operation)  # type: ignore[union-attr] # not a constant
    return found
