"""Keys of loaded files and listed folders."""

from __future__ import annotations

import pytest

from tests.support.plan_documents import (
    INDEX,
    constant,
    goal,
    goal_key,
    graph_of,
    load,
    operation,
    pin,
    pinned,
    plan,
)
from voxk8s.plan import (
    KeyConstant,
    KeyGraph,
    KeyOperation,
    blockers,
    expand,
    inputs,
    key_graph,
)


def test_contents_are_in_the_key_and_places_are_not() -> None:
    """The same content under another URL is the same; another content is another."""

    def key(url: str, content: str) -> str:
        made = plan(*load("i", url), operation("n", "near", "i"), goals=[goal("n")])
        (ref,) = inputs(made, INDEX)
        return goal_key(key_graph(made, INDEX, {ref.id: pin(url, content)}))

    assert key("s3://a/x", "1") == key("s3://b/y", "1")
    assert key("s3://a/x", "1") != key("s3://a/x", "2")


def test_input_node_has_its_pin() -> None:
    """An input's node has the pin to read; its address is no argument."""
    graph = graph_of(*load("a", "s3://x/a"), goals=[goal("a")])
    node = graph.nodes[graph.goals[0].key]  # type: ignore[index]  # a result key, no constant
    assert isinstance(node, KeyOperation)
    assert node.pin == pin("s3://x/a")
    assert node.arguments == ()


def computed_address() -> KeyGraph:
    """Return the graph of a load whose address is computed."""
    return graph_of(
        constant("c", "s3://x/a"),
        operation("u", "strings.concat", "c"),
        operation("l", "load", "u"),
        operation("n", "near", "l"),
        goals=[goal("n")],
    )


def test_computed_address_waits_then_asks_for_its_pin() -> None:
    """An input whose address is computed is the same input as one whose address is written."""
    graph = computed_address()
    grown = expand(graph, {graph.deferred[0].pivot: "s3://x/a"})
    assert [ref.arguments for ref in grown.unpinned.values()] == [("s3://x/a",)]
    assert blockers(grown, grown.goals[0].operation) == set(grown.unpinned)
    written = graph_of(
        constant("c", "s3://x/a"), operation("l", "load", "c"), operation("n", "near", "l"),
        goals=[goal("n")],
    )  # fmt: skip
    assert goal_key(pinned(grown)) == goal_key(written)


@pytest.mark.parametrize("value", [5, None, ["a"]])
def test_address_must_be_a_text(value: object) -> None:
    """An address that turns out to be no text rejects the input."""
    graph = computed_address()
    grown = expand(graph, {graph.deferred[0].pivot: value})
    assert ["address" in text for text in grown.rejected.values()] == [True]


def test_pin_without_entries_is_no_folder() -> None:
    """Listing what is pinned as a file is rejected."""
    graph = graph_of(constant("r", "s3://x/r"), operation("d", "dir", "r"), goals=[goal("d")])
    assert ["not a folder" in text for text in graph.rejected.values()] == [True]


def test_a_computed_argument_must_be_a_scalar() -> None:
    """A pattern that turns out to be a list rejects the listing; the message counts from 0."""
    graph = graph_of(
        constant("root", "s3://x/"),
        operation("pattern", "test.nothing"),
        operation("files", "dir", "root", "pattern"),
        goals=[goal("files")],
    )
    grown = expand(graph, {graph.deferred[0].pivot: ["*.nii"]})
    [reason] = grown.rejected.values()
    assert reason == "dir: argument 1 must be a string, a number or a truth value"


def test_arguments_after_the_address_are_in_the_key() -> None:
    """Two listings of one content with different patterns are two operations."""
    made = plan(
        constant("root", "s3://x/"),
        constant("nii", "*.nii"),
        constant("png", "*.png"),
        operation("a", "dir", "root", "nii"),
        operation("b", "dir", "root", "png"),
        goals=[goal("a"), goal("b")],
    )
    graph = pinned(key_graph(made, INDEX), {"s3://x/": ("one",)})
    nodes = [graph.nodes[goal_key(graph, place)] for place in range(2)]
    patterns = [graph.nodes[key] for node in nodes for key in node.arguments]
    assert [each.value for each in patterns if isinstance(each, KeyConstant)] == ["*.nii", "*.png"]
    assert nodes[0].key != nodes[1].key
