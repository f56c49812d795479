"""Loops: written out when their sequence is known, deferred when only the run knows it."""

from __future__ import annotations

import pytest

from tests.support.plan_documents import (
    INDEX,
    Form,
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
    pinned,
    plan,
)
from voxk8s.errors import InvalidPlan
from voxk8s.plan import (
    KeyConstant,
    KeyGraph,
    KeyOperation,
    blockers,
    decode,
    encode,
    expand,
    expansion_limit,
    key_graph,
    operation_id,
    sequence_kernels,
)


def by_hand(*items: Form) -> KeyGraph:
    """Return the same loop out by hand."""
    labels = [str(item["id"]) for item in items]
    sums = [operation(f"s {label}", "addition", label, "k") for label in labels]
    every = operation("m", "sequence", *(f"s {label}" for label in labels))
    return graph_of(*items, constant("k", 2.0), *sums, every, goals=[goal("m")])


def test_loop_over_a_range_is_what_one_writes_by_hand() -> None:
    """A loop over a known range has the keys of the same work written out."""
    graph = graph_of(constant("n", 3.0), operation("xs", "range", "n"), *loop(), goals=[goal("m")])
    hand = by_hand(constant("0", 0), constant("1", 1), constant("2", 2))
    assert goal_key(graph) == goal_key(hand)
    assert graph.nodes.keys() >= hand.nodes.keys()


def test_loop_over_a_sequence_takes_its_operations() -> None:
    """A loop over a sequence of operations computes on them."""
    items = [constant("c", 1), operation("a", "near", "c"), operation("b", "volume", "c")]
    graph = graph_of(*items, operation("xs", "sequence", "a", "b"), *loop(), goals=[goal("m")])
    hand = graph_of(
        *items, constant("k", 2.0), operation("p", "addition", "a", "k"),
        operation("q", "addition", "b", "k"), operation("m", "sequence", "p", "q"),
        goals=[goal("m")],
    )  # fmt: skip
    assert goal_key(graph) == goal_key(hand)


def test_names_of_variables_do_not_count() -> None:
    """Loops that differ in the name of their variable are the same work."""
    keys = set()
    for name in ("x", "y"):
        body = [parameter(name), operation("s", "near", name)]
        graph = graph_of(
            constant("n", 2), operation("xs", "range", "n"), closure("f", name, body, "s"),
            operation("m", "map", "f", "xs"), goals=[goal("m")],
        )  # fmt: skip
        keys.add(goal_key(graph))
    assert len(keys) == 1


def test_captures_make_different_work() -> None:
    """Loops that capture different values are different, also inside another loop."""
    nodes = [constant("n", 2.0), operation("xs", "range", "n")]
    one = graph_of(*nodes, *loop(), goals=[goal("m")])
    changed = [constant("k", 3.0) if form["id"] == "k" else form for form in loop()]
    assert goal_key(one) != goal_key(graph_of(*nodes, *changed, goals=[goal("m")]))


def test_body_without_its_variable_is_evaluated_once() -> None:
    """What does not depend on the item is one operation for all items."""
    body = [parameter("k"), operation("s", "near", "k")]
    graph = graph_of(
        constant("n", 50), operation("xs", "range", "n"), *loop("xs", *body), goals=[goal("m")]
    )
    assert len(set(argument_keys(graph, goal_key(graph)))) == 1
    nears = [n for n in graph.nodes.values() if isinstance(n, KeyOperation) and "near" in n.kernel]
    assert len(nears) == 1


def test_loop_in_a_loop() -> None:
    """Inner loops see the outer item, and give sequences of sequences."""
    inner = closure(
        "g", "y", [parameter("y"), parameter("x"), operation("s", "addition", "x", "y")], "s", x="x"
    )
    body = [parameter("x"), parameter("xs"), inner, operation("i", "map", "g", "xs")]
    graph = graph_of(
        constant("n", 3), operation("xs", "range", "n"),
        closure("f", "x", body, "i", xs="xs"), operation("m", "map", "f", "xs"),
        goals=[goal("m")],
    )  # fmt: skip
    rows = argument_keys(graph, goal_key(graph))
    cells = [argument_keys(graph, row) for row in rows]
    numbers = [
        tuple(
            node.value if isinstance(node := graph.nodes[each], KeyConstant) else None
            for each in argument_keys(graph, cell)
        )
        for row in cells
        for cell in row
    ]
    assert numbers == [(x, y) for x in range(3) for y in range(3)]


def test_loop_over_a_loop() -> None:
    """The value of a loop over known items is itself a known sequence."""
    again = closure("h", "z", [parameter("z"), operation("r", "near", "z")], "r")
    graph = graph_of(
        constant("n", 2), operation("xs", "range", "n"), *loop(), again,
        operation("mm", "map", "h", "m"), goals=[goal("mm"), goal("m")],
    )  # fmt: skip
    inner = [argument_keys(graph, each) for each in argument_keys(graph, goal_key(graph))]
    assert [each for (each,) in inner] == [*argument_keys(graph, goal_key(graph, 1))]


def test_loop_over_a_folder() -> None:
    """A listing is a sequence of names once it is pinned; each image is an input of its own."""
    made = plan(
        constant("root", "s3://x/"),
        operation("files", "dir", "root"),
        closure("f", "x", [parameter("x"), operation("l", "load", "x")], "l"),
        operation("images", "map", "f", "files"),
        goals=[goal("images")],
    )
    graph = key_graph(made, INDEX)
    assert blockers(graph, graph.goals[0].operation) == set(graph.unpinned)
    graph = pinned(graph, {"s3://x/": ("a", "b")})
    images = [graph.nodes[each] for each in argument_keys(graph, goal_key(graph))]
    assert [node.pin.url for node in images if isinstance(node, KeyOperation) and node.pin] == [
        "a",
        "b",
    ]


def test_loop_over_a_computed_sequence_waits_for_it() -> None:
    """A loop over a range that the run computes names the value that it needs."""
    graph = deferred_loop()
    assert [each.key is None for each in graph.goals] == [True, False]
    (deferred,) = graph.deferred
    pivot = graph.nodes[deferred.pivot]
    assert isinstance(pivot, KeyOperation)
    assert pivot.kernel == sequence_kernels.RANGE
    assert blockers(graph, graph.goals[0].operation) == {deferred.operation}


def test_value_of_the_pivot_expands_the_loop() -> None:
    """With the sequence's value a deferred loop has the keys of one that was known."""
    graph = deferred_loop()
    grown = expand(graph, {graph.deferred[0].pivot: [0, 1]})
    assert not grown.deferred
    (loop_key,) = argument_keys(grown, goal_key(grown))
    assert loop_key == goal_key(by_hand(constant("0", 0), constant("1", 1)))
    assert grown.goals[1] == graph.goals[1]


@pytest.mark.parametrize("value", [5, "text", None, {"a": 1}])
def test_value_that_is_no_sequence_rejects_the_loop(value: object) -> None:
    """A loop over what turns out to be no sequence fails its goals, and no others."""
    graph = deferred_loop()
    grown = expand(graph, {graph.deferred[0].pivot: value})
    assert not grown.deferred
    (name,) = grown.rejected
    assert "not a sequence" in grown.rejected[name]
    assert blockers(grown, grown.goals[0].operation) == {name}
    assert grown.goals[1].key is not None


def test_constant_is_no_sequence() -> None:
    """A loop over a number is rejected at once."""
    graph = graph_of(constant("xs", 3.0), *loop(), goals=[goal("m")])
    assert graph.goals[0].key is None
    assert list(graph.rejected.values()) == ["cannot loop: float is not a sequence"]


def test_endless_loops_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops that come to too many operations are an invalid plan, before memory runs out."""
    monkeypatch.setattr(expansion_limit, "_limit", 50)
    nodes = [constant("n", 1e15), operation("xs", "range", "n"), *loop()]
    with pytest.raises(InvalidPlan, match="split"):
        graph_of(*nodes, goals=[goal("m")])
    inner = closure("g", "y", [parameter("y"), operation("s", "near", "y")], "s")
    body = [parameter("xs"), inner, operation("i", "map", "g", "xs")]
    with pytest.raises(InvalidPlan, match="split"):
        graph_of(
            constant("n", 10), operation("xs", "range", "n"),
            closure("f", "x", body, "i", xs="xs"),
            operation("m", "map", "f", "xs"), goals=[goal("m")],
        )  # fmt: skip


def test_sequence_that_turns_out_too_long_fails_its_loop_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A loop over too many run-time items is rejected; a shorter one is expanded."""
    monkeypatch.setattr(expansion_limit, "_limit", 50)
    graph = graph_of(
        constant("a", 1), operation("xs", "near", "a"), operation("ys", "near", "xs"),
        *loop("xs"), operation("n", "map", "f", "ys"), goals=[goal("m"), goal("n")],
    )  # fmt: skip
    long, short = (deferred.pivot for deferred in graph.deferred)
    grown = expand(graph, {long: [1.0] * 60, short: [1.0] * 3})
    assert ["split the plan" in text for text in grown.rejected.values()] == [True]
    assert [each.key is None for each in grown.goals] == [True, False]


def test_ids_in_loops_are_those_of_the_work_written_out() -> None:
    """The id of an operation in a loop is that of the node with the item written in."""
    graph = graph_of(constant("n", 2), operation("xs", "range", "n"), *loop(), goals=[goal("m")])
    hand = by_hand(constant("0", 0), constant("1", 1))
    wanted = {n.operation for n in hand.nodes.values() if isinstance(n, KeyOperation)}
    found = {n.operation for n in graph.nodes.values() if isinstance(n, KeyOperation)}
    assert {name for name in wanted if "addition" in kernel_of(hand, name)} <= found
    assert operation_id("range", []) not in found


def kernel_of(graph: KeyGraph, operation: str) -> str:
    """Return the kernel of an operation by its id."""
    return next(
        node.kernel
        for node in graph.nodes.values()
        if isinstance(node, KeyOperation) and node.operation == operation
    )


def test_expanding_changes_nothing_in_the_graph_before() -> None:
    """One graph can be expanded with different values: growing leaves no trace in it."""
    graph = deferred_loop()
    pivot = graph.deferred[0].pivot
    nodes = dict(graph.nodes)
    first = expand(graph, {pivot: [0, 1]})
    then = expand(graph, {pivot: [7]})
    again = expand(graph, {pivot: [0, 1]})
    assert goal_key(first) == goal_key(again) != goal_key(then)
    assert graph.nodes == nodes
    assert set(argument_keys(then, goal_key(then))) <= set(then.nodes)


def test_many_loops_inside_each_other() -> None:
    """Sixty loops inside each other are read, written and keyed."""
    nodes = [parameter("x"), operation("s", "near", "x")]
    result = "s"
    for level in range(60):
        nodes = [
            parameter("x"),
            constant("one", 1),
            operation("r", "range", "one"),
            closure(f"f{level}", "x", nodes, result),
            operation(f"m{level}", "map", f"f{level}", "r"),
        ]
        result = f"m{level}"
    made = plan(*nodes[1:], goals=[goal(result)])
    assert decode(encode(made), index=INDEX) == made
    graph = key_graph(made, INDEX)
    assert len([node for node in graph.nodes.values() if isinstance(node, KeyOperation)]) == 62


def fold(sequence: str = "xs", *, first: str = "k") -> list[Form]:
    """Return `fold - first sequence` as the operation `m`."""
    nodes = [
        parameter("x"),
        parameter("accumulator"),
        operation("s", "subtraction", "accumulator", "x"),
    ]
    return [
        constant("k", 2.0),
        closure("f", "x", nodes, "s", accumulator=first),
        operation("m", "fold", "f", sequence),
    ]


def folded_by_hand(*items: Form) -> KeyGraph:
    """Return the same fold out by hand."""
    forms, last = [constant("k", 2.0), *items], "k"
    for item in items:
        label = str(item["id"])
        forms.append(operation(f"s {label}", "subtraction", last, label))
        last = f"s {label}"
    return graph_of(*forms, goals=[goal(last)])


@pytest.mark.parametrize("count", [0, 1, 3])
def test_fold_over_a_range_is_what_one_writes_by_hand(count: int) -> None:
    """A fold goes from the left; over nothing it is its first value."""
    graph = graph_of(
        constant("n", count), operation("xs", "range", "n"), *fold(), goals=[goal("m")]
    )
    hand = folded_by_hand(*(constant(str(place), place) for place in range(count)))
    assert goal_key(graph) == goal_key(hand)


def test_fold_over_a_sequence_of_the_run_waits_for_it() -> None:
    """A fold is expanded when the items are known, with the same keys."""
    graph = graph_of(
        constant("c", "a"), operation("xs", "test.identity", "c"), *fold(), goals=[goal("m")]
    )
    (deferred,) = graph.deferred
    assert graph.goals[0].key is None
    grown = expand(graph, {deferred.pivot: [1, 2.5]})
    assert goal_key(grown) == goal_key(folded_by_hand(constant("a", 1), constant("b", 2.5)))


def test_fold_of_a_fold() -> None:
    """The value of one fold can be the first value of another."""
    nodes = fold()[1]["nodes"]
    assert isinstance(nodes, list)
    again = [
        closure("g", "x", nodes, "s", accumulator="m"),
        operation("mm", "fold", "g", "xs"),
    ]
    graph = graph_of(
        constant("n", 2), operation("xs", "range", "n"), *fold(), *again, goals=[goal("mm")]
    )
    zero, one = constant("0", 0), constant("1", 1)
    hand = graph_of(
        constant("k", 2.0), zero, one, operation("a", "subtraction", "k", "0"),
        operation("b", "subtraction", "a", "1"), operation("c", "subtraction", "b", "0"),
        operation("d", "subtraction", "c", "1"), goals=[goal("d")],
    )  # fmt: skip
    assert goal_key(graph) == goal_key(hand)


def test_fold_over_what_is_no_sequence_is_rejected() -> None:
    """A number cannot be folded; the goal fails, not the plan."""
    graph = graph_of(constant("xs", 3.0), *fold(), goals=[goal("m")])
    assert list(graph.rejected.values()) == ["cannot fold: float is not a sequence"]


def test_fold_without_a_first_value_is_refused() -> None:
    """The closure of a fold captures its first value under a fixed name."""
    forms = [*fold(), constant("n", 2), operation("xs", "range", "n")]
    forms[1] = closure("f", "x", [parameter("x")], "x", k="k")
    with pytest.raises(
        InvalidPlan, match="must capture its first value as 'accumulator'"
    ) as caught:
        graph_of(*forms, goals=[goal("m")])
    assert "$.nodes[2].arguments.0" in str(caught.value)
