"""Tests of the node table: shared nodes, types, loop depths and unbound geometry."""

from __future__ import annotations

from voxk8s.imgql.reduce.interpreter import CallSite
from voxk8s.imgql.reduce.node_table import NodeTable, postorder
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.kernels import registry
from voxk8s.plan.model import OperationId

SITE = CallSite(Source("p", ""), 0, 0)


def _operation(table: NodeTable, name: str, *arguments: OperationId) -> OperationId:
    signature = registry().find(name, ("vox1",))
    assert signature is not None
    return table.operation(name, signature, arguments, SITE)


def test_equal_constants_are_one_node() -> None:
    """Zero and minus zero differ, as do `1` and `true`."""
    table = NodeTable()
    assert table.constant(1.0) == table.constant(1.0)
    assert len({table.constant(each) for each in (0.0, -0.0, 1.0, True, "1")}) == 5
    assert table.types[table.constant(True)] == "bool"


def test_an_operation_is_as_deep_as_its_deepest_argument() -> None:
    """Outside loops the depth is 0."""
    table = NodeTable()
    one = table.constant(1.0)
    item = table.placeholder(2, "number")
    assert table.loop_depth([_operation(table, "addition", one, one)]) == 0
    assert table.loop_depth([_operation(table, "addition", one, item)]) == 2


def test_what_depends_on_geometry_without_an_image_is_unbound() -> None:
    """With an image as its argument, it is not."""
    table = NodeTable()
    image = _operation(table, "load", table.constant("a.nii"))
    alone = _operation(table, "border")
    near = _operation(table, "near", alone)
    bound = _operation(table, "border", image)
    assert table.unbound == {alone, near}
    assert table.is_unbound_geometry(alone)
    assert not table.is_unbound_geometry(near)
    assert not table.is_unbound_geometry(bound)


def test_loads_are_those_outside_loops() -> None:
    """A load that depends on an item is one of the loop."""
    table = NodeTable()
    image = _operation(table, "load", table.constant("a.nii"))
    item = table.placeholder(1, "string")
    inner = _operation(table, "near", _operation(table, "load", item))
    assert table.loads() == [image]
    assert table.loads([inner]) == []
    assert table.loads_in_loop(inner, 1)
    assert not table.loads_in_loop(image, 1)


def test_postorder_has_nodes_after_what_they_need() -> None:
    """Each node is yielded once."""
    table = NodeTable()
    one = table.constant(1.0)
    two = _operation(table, "addition", one, one)
    three = _operation(table, "addition", two, one)
    assert list(postorder([three, two], table.needed)) == [one, two, three]
