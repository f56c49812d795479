"""Key graphs: merging, inputs, save goals, geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from tests.support.kernel_index import FakeIndex
from tests.support.plan_documents import (
    INDEX,
    Form,
    closure,
    constant,
    document,
    goal,
    goal_key,
    graph_of,
    load,
    operation,
    parameter,
    pin,
    pinned,
    plan,
)
from voxk8s.errors import InvalidPlan
from voxk8s.plan import (
    InputRef,
    KeyGraph,
    KeyOperation,
    OperationId,
    Pin,
    ResultKey,
    Role,
    constant_id,
    decode,
    grow,
    key_graph,
    operation_id,
)


def kernels_of(graph: KeyGraph) -> list[str]:
    """Return the kernels of a graph's operations, sorted."""
    return sorted(node.kernel for node in graph.nodes.values() if isinstance(node, KeyOperation))


def test_spelling_of_a_kernel_does_not_count() -> None:
    """A short and a qualified name give one operation."""
    graph = graph_of(
        constant("c", 1),
        operation("a", "near", "c"),
        operation("b", "vox1.near", "c"),
        goals=[goal("a"), goal("b")],
    )
    assert graph.goals[0].key == graph.goals[1].key
    assert kernels_of(graph) == ["vox1.near"]


def test_only_what_goals_need_is_in_the_graph() -> None:
    """Operations that no goal needs have no key."""
    graph = graph_of(
        constant("c", 1),
        operation("a", "near", "c"),
        operation("b", "volume", "c"),
        goals=[goal("a")],
    )
    assert kernels_of(graph) == ["vox1.near"]
    assert graph.key_of(operation_id("volume", [constant_id(1)])) is None
    assert graph.keys[operation_id("near", [constant_id(1)])] == graph.goals[0].key


def test_kernel_version_is_in_the_key() -> None:
    """A new version of a kernel gives new keys to it and to what needs it."""
    made = plan(
        constant("c", 1),
        operation("a", "near", "c"),
        operation("b", "volume", "a"),
        goals=[goal("b")],
    )
    old, new = (key_graph(made, FakeIndex({"vox1.near": each})) for each in (1, 2))
    assert goal_key(old) != goal_key(new)


def test_saves_are_operations() -> None:
    """A save goal is a node by its suffix: two names of one kind are one file."""
    graph = graph_of(
        constant("c", 1),
        operation("a", "near", "c"),
        goals=[goal("a", name, "save") for name in ("x.nii", "y/z.NII", "x.nii.gz")],
    )
    first, second, third = (each.key for each in graph.goals)
    assert first == second != third
    assert kernels_of(graph) == ["vox1.near", "voxk8s.save", "voxk8s.save"]
    node = graph.nodes[first]  # type: ignore[index]  # a result key, no constant
    assert isinstance(node, KeyOperation)
    assert (node.role, node.suffix) == (Role.SAVE, ".nii")


def test_unknown_kernel_is_refused() -> None:
    """A plan made for other kernels is an invalid plan."""
    made = plan(constant("c", 1), operation("a", "near", "c"), goals=[goal("a")])
    with pytest.raises(InvalidPlan, match="near"):
        key_graph(type(made)(made.nodes, made.goals, ()), INDEX)


def test_geometry_is_bound_to_the_images_of_the_plan() -> None:
    """Nullary geometry takes all images that the plan loads, whatever the order of nodes."""
    nodes = [*load("a", "s3://x/a"), *load("b", "s3://x/b"), operation("t", "tt")]
    first = graph_of(*nodes, operation("v", "volume", "t"), goals=[goal("v")])
    then = graph_of(operation("v", "volume", "t"), *reversed(nodes), goals=[goal("v")])
    other = graph_of(*nodes[:2], nodes[-1], operation("v", "volume", "t"), goals=[goal("v")])
    assert goal_key(first) == goal_key(then) != goal_key(other)
    (bound,) = (
        node
        for node in first.nodes.values()
        if isinstance(node, KeyOperation) and node.kernel == "vox1.tt"
    )
    assert len(bound.arguments) == 2


def test_geometry_with_one_argument_keeps_it_first() -> None:
    """`constant(k)` keeps its number before the images; with an image it is left alone."""
    nodes = [*load("a", "s3://x/a"), constant("k", 2.0)]
    graph = graph_of(*nodes, operation("c", "vox1.constant", "k"), goals=[goal("c")])
    explicit = graph_of(*nodes, operation("c", "vox1.constant", "k", "a"), goals=[goal("c")])
    assert goal_key(graph) == goal_key(explicit)


def test_same_image_twice_gives_geometry_once() -> None:
    """Two names of one content are one image."""
    one = graph_of(*load("a", "s3://x/a"), operation("t", "tt"), goals=[goal("t")])
    two = graph_of(
        *load("a", "s3://x/a"), *load("b", "s3://y/a"), operation("t", "tt"), goals=[goal("t")]
    )
    assert goal_key(one) == goal_key(two)


def loop_with_geometry(*inner: Form) -> list[Form]:
    """Return a loop over two URLs whose body loads the item and asks for geometry."""
    body = [
        parameter("u"),
        operation("i", "load", "u"),
        operation("t", "tt"),
        operation("v", "volume", "t"),
        *inner,
    ]
    return [
        constant("p", "s3://x/p"),
        constant("q", "s3://x/q"),
        operation("urls", "sequence", "p", "q"),
        closure("f", "u", body, "v" if not inner else "m"),
        operation("all", "map", "f", "urls"),
    ]


def test_geometry_in_a_loop_takes_the_images_of_its_body() -> None:
    """In a loop that loads images, geometry is that of the item's image."""
    graph = graph_of(*load("a", "s3://x/a"), *loop_with_geometry(), goals=[goal("all")])
    by_hand = graph_of(
        *load("p", "s3://x/p"), operation("t", "tt"), operation("v", "volume", "t"),
        goals=[goal("v")],
    )  # fmt: skip
    node = graph.nodes[goal_key(graph)]
    first, second = node.arguments
    assert first == goal_key(by_hand) != second


def test_geometry_of_an_inner_loop_takes_the_images_of_the_outer() -> None:
    """A loop in a loop is not shared between items whose images differ."""
    inner = closure("g", "n", [operation("t", "tt"), operation("w", "volume", "t")], "w")
    graph = graph_of(
        *loop_with_geometry(
            constant("one", 1.0), operation("r", "range", "one"), inner,
            operation("m", "map", "g", "r"),
        ),
        goals=[goal("all")],
    )  # fmt: skip
    first, second = graph.nodes[goal_key(graph)].arguments
    assert first != second


def test_long_chain_gets_keys() -> None:
    """A chain of 100,000 operations gets its keys without recursion."""
    count = 100_000
    nodes = [operation(f"n{at}", "near", f"n{at - 1}") for at in range(1, count + 1)]
    source = document(constant("n0", 1.0), *nodes, goals=[goal(f"n{count}")])
    graph = pinned(key_graph(decode(source, index=INDEX), INDEX))
    assert len(graph.nodes) == count + 1


def test_graphs_grow_until_nothing_more_is_known() -> None:
    """A pinned listing expands a loop, whose inputs are pinned in turn; each is asked for once."""
    graph = key_graph(
        plan(
            constant("url", "s3://x/"),
            operation("files", "dir", "url"),
            closure("body", "f", [parameter("f"), operation("image", "load", "f")], "image"),
            operation("images", "map", "body", "files"),
            goals=[goal("images")],
        ),
        INDEX,
    )
    asked: list[str] = []

    def pin_known(refs: Sequence[InputRef]) -> Mapping[OperationId, Pin]:
        urls = {ref.id: str(ref.arguments[0]) for ref in refs}
        asked.extend(urls.values())
        files = ("s3://x/a", "s3://x/b")
        return {
            name: pin(url, "", files if url == "s3://x/" else None)
            for name, url in urls.items()
            if url != "s3://x/b"
        }

    grown = grow(graph, pin_known, lambda _graph, _pivots: {})
    assert asked == ["s3://x/", "s3://x/a", "s3://x/b"]
    assert [ref.arguments for ref in grown.unpinned.values()] == [("s3://x/b",)]
    assert grown.goals[0].key is None


def test_graphs_grow_by_values_of_pivots() -> None:
    """The value of a pivot expands its loop; a pivot without a value is asked for once."""
    graph = graph_of(
        operation("numbers", "test.nothing"),
        closure("body", "x", [parameter("x"), operation("y", "addition", "x", "x")], "y"),
        operation("loop", "map", "body", "numbers"),
        goals=[goal("loop")],
    )
    asked: list[ResultKey] = []

    def values_of(_: KeyGraph, pivots: Sequence[ResultKey]) -> Mapping[ResultKey, object]:
        asked.extend(pivots)
        return {pivot: [1.0, 2.0] for pivot in pivots}

    assert grow(graph, lambda _: {}, values_of).goals[0].key is not None
    assert grow(graph, lambda _: {}, lambda _graph, _pivots: {}).goals[0].key is None
    assert asked == [deferred.pivot for deferred in graph.deferred]
