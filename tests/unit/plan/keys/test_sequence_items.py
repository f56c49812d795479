"""Items of sequences: those that the plan spells out, and those of values of the run."""

from __future__ import annotations

import math

import pytest

from tests.support.plan_documents import (
    INDEX,
    argument_keys,
    closure,
    constant,
    deferred_loop,
    goal,
    goal_key,
    graph_of,
    loop,
    operation,
    parameter,
    pin,
    plan,
)
from voxk8s.plan import (
    KeyOperation,
    OperationId,
    ResultKey,
    Scalar,
    expand,
    key_graph,
    sequence_kernels,
)
from voxk8s.plan.keys.key_table import KeyTable
from voxk8s.plan.keys.partial_keys import PartialKey
from voxk8s.plan.keys.sequence_items import as_scalar, indexed_item, known_items, spelled_items
from voxk8s.plan.visible_kernels import VisibleKernels

SEQUENCE = PartialKey(OperationId("xs"), ResultKey("key of xs"))


def _table(value: object = None) -> KeyTable:
    """Return a table in which `SEQUENCE` has a value, if one is given."""
    values = {} if value is None else {ResultKey("key of xs"): value}
    return KeyTable(VisibleKernels(INDEX, ()), {}, values)


def _values(items: tuple[PartialKey, ...] | range | None) -> list[Scalar | None]:
    assert items is not None
    return [item if isinstance(item, int) else item.value for item in items]


def test_slices_and_items_of_known_sequences_are_known() -> None:
    """Slices are looped over, and an item of a known sequence is that item's operation."""
    items = [constant(label, number) for number, label in enumerate("abcd")]
    graph = graph_of(
        *items,
        operation("all", "sequence", "a", "b", "c", "d"),
        operation("xs", "subsequence", "all", "b", "c"),
        *loop(),
        operation("i", "index", "m", "b"),
        goals=[goal("m"), goal("i")],
    )
    assert goal_key(graph, 1) == argument_keys(graph, goal_key(graph))[1]
    assert len(argument_keys(graph, goal_key(graph))) == 2


@pytest.mark.parametrize("place", [4.0, -1.0, 0.5, "x", True])
def test_items_that_are_not_there_are_left_to_the_kernel(place: object) -> None:
    """An index out of range or not whole is an operation, which then says what is wrong."""
    graph = graph_of(
        constant("n", 3), operation("xs", "range", "n"), constant("at", place),
        operation("i", "index", "xs", "at"), goals=[goal("i")],
    )  # fmt: skip
    node = graph.nodes[goal_key(graph)]
    assert isinstance(node, KeyOperation)
    assert node.kernel == sequence_kernels.INDEX


def test_only_the_item_that_is_asked_for_is_needed() -> None:
    """The first image of a folder needs no pin of the others."""
    nodes = [
        constant("root", "s3://x/"),
        operation("files", "dir", "root"),
        closure("f", "x", [parameter("x"), operation("l", "load", "x")], "l"),
        operation("images", "map", "f", "files"),
        constant("zero", 0),
        operation("first", "index", "images", "zero"),
    ]
    made = plan(*nodes, goals=[goal("first")])
    graph = key_graph(made, INDEX)
    (listing,) = graph.unpinned
    graph = expand(graph, pins={listing: pin("s3://x/", "f", ("a", "b", "c"))})
    assert [ref.arguments for ref in graph.unpinned.values()] == [("a",)]


def test_items_that_are_no_scalars_are_picked_by_place() -> None:
    """Images in a computed sequence become items by index; scalars are constants."""
    graph = deferred_loop()
    grown = expand(graph, {graph.deferred[0].pivot: [object(), 5.0, float("nan"), None]})
    (loop_key,) = argument_keys(grown, goal_key(grown))
    firsts = [grown.nodes[argument_keys(grown, each)[0]] for each in argument_keys(grown, loop_key)]
    assert [node.kernel if isinstance(node, KeyOperation) else node.value for node in firsts] == [
        sequence_kernels.INDEX,
        5.0,
        sequence_kernels.INDEX,
        sequence_kernels.INDEX,
    ]


@pytest.mark.parametrize(("bounds", "expected"), [([3], [0, 1, 2]), ([2, 4.0], [2, 3]), ([-1], [])])
def test_a_range_of_constants_is_spelled_out(bounds: list[float], expected: list[int]) -> None:
    """Its items are integers, also where a bound is a float."""
    table = _table()
    arguments = [table.constant(bound) for bound in bounds]
    assert _values(spelled_items(table, sequence_kernels.RANGE, arguments)) == expected


def test_a_range_costs_nothing_before_its_items_are_needed() -> None:
    """A goal that is a range of 900,000 numbers is one operation over two constants."""
    nodes = [constant("a", 0), constant("b", 900_000), operation("r", "range", "a", "b")]
    graph = graph_of(*nodes, goals=[goal("r")])
    assert len(graph.nodes) == 3


def test_an_item_and_a_slice_of_a_range_are_known() -> None:
    """Both are found without the other items."""
    table = _table()
    numbers = PartialKey(OperationId("r"), ResultKey("r"), items=range(5, 900_000))
    item = indexed_item(table, [numbers, table.constant(2)])
    assert item is table.constant(7)
    arguments = [numbers, table.constant(1), table.constant(2)]
    found = spelled_items(table, sequence_kernels.SUBSEQUENCE, arguments)
    assert _values(found) == [6, 7]
    assert {item.value for item in table.partial.values()} == {1, 2, 7}


def test_a_range_to_a_fraction_is_left_to_the_kernel() -> None:
    """The kernel raises the error."""
    table = _table()
    assert spelled_items(table, sequence_kernels.RANGE, [table.constant(2.5)]) is None


@pytest.mark.parametrize(
    ("first", "count", "expected"),
    [(1, 2, [5, 6]), (0, 0, []), (2, 2, None), (-1, 1, None), (0, -1, None)],
)
def test_a_slice_that_lies_in_its_sequence_is_spelled_out(
    first: int, count: int, expected: list[int] | None
) -> None:
    """A slice that does not is left to the kernel."""
    table = _table()
    items = tuple(table.constant(number) for number in (4, 5, 6))
    sequence = PartialKey(OperationId("s"), ResultKey("s"), items=items)
    arguments = [sequence, table.constant(first), table.constant(count)]
    found = spelled_items(table, sequence_kernels.SUBSEQUENCE, arguments)
    assert (None if found is None else _values(found)) == expected


def test_an_item_of_a_sequence_of_the_run_is_not_known() -> None:
    """`index` chooses only among items that the plan spells out."""
    table = _table()
    assert indexed_item(table, [SEQUENCE, table.constant(0)]) is None


def test_items_of_the_run_are_known_with_its_value() -> None:
    """They are made once, and not at all before the value is there."""
    table = _table([1, "a"])
    items = known_items(table, SEQUENCE)
    assert _values(items) == [1, "a"]
    assert known_items(table, SEQUENCE) is items
    assert known_items(_table(), SEQUENCE) is None


@pytest.mark.parametrize("value", ["text", b"bytes", 3.0, {"a": 1}])
def test_a_value_that_is_not_a_sequence_has_no_items(value: object) -> None:
    """Strings are not sequences of letters."""
    with pytest.raises(TypeError, match=f"{type(value).__name__} is not a sequence"):
        known_items(_table(value), SEQUENCE)


@pytest.mark.parametrize("value", [True, 0, -1.5, "text", ""])
def test_scalars_are_constants(value: Scalar) -> None:
    """They are returned as they are, with their type."""
    assert as_scalar(value) is value


@pytest.mark.parametrize("value", [None, [1], math.nan, math.inf, "\ud800", b"b"])
def test_what_has_no_canonical_text_is_not_a_constant(value: object) -> None:
    """Such an item stays a value of the run."""
    assert as_scalar(value) is None
