"""Which inputs a plan reads, and their pins."""

from __future__ import annotations

import pytest

from tests.support.plan_documents import (
    INDEX,
    constant,
    goal,
    goal_key,
    load,
    operation,
    pin,
    plan,
)
from voxk8s.plan import (
    Role,
    blockers,
    constant_id,
    expand,
    inputs,
    key_graph,
    operation_id,
)


def test_inputs_are_those_that_goals_need() -> None:
    """Inputs are listed with the values of their arguments, once each."""
    made = plan(
        *load("a", "s3://x/a"),
        *load("b", "s3://x/b"),
        constant("p", "*.nii"),
        operation("d", "dir", "url of a", "p"),
        operation("s", "sequence", "a", "d", "a"),
        goals=[goal("s")],
    )
    found = {ref.operator: ref for ref in inputs(made, INDEX)}
    assert found.keys() == {"default.load", "default.dir"}
    assert found["default.load"].arguments == ("s3://x/a",)
    assert found["default.load"].id == operation_id("load", [constant_id("s3://x/a")])
    assert found["default.dir"].arguments == ("s3://x/a", "*.nii")
    assert found["default.dir"].role is Role.LISTING


def test_goals_without_a_pin_wait() -> None:
    """A goal whose input has no pin has no key and says what it waits for; others have theirs."""
    made = plan(
        *load("a", "s3://x/a"),
        *load("b", "s3://x/b"),
        operation("n", "near", "a"),
        operation("m", "near", "b"),
        goals=[goal("n", "n.nii", "save"), goal("m"), goal("url of a")],
    )
    graph = key_graph(made, INDEX, {inputs(made, INDEX)[1].id: pin("s3://x/b")})
    assert [each.key is None for each in graph.goals] == [True, False, False]
    (waiting,) = graph.unpinned.values()
    assert waiting.arguments == ("s3://x/a",)
    assert blockers(graph, graph.goals[0].operation) == {waiting.id}
    grown = expand(graph, pins={waiting.id: pin("s3://x/a")})
    assert not grown.unpinned
    assert not grown.pending
    assert grown.goals[1].key == graph.goals[1].key
    assert grown.goals[0].key is not None
    assert grown.nodes.keys() > graph.nodes.keys()


def test_one_file_has_one_reference() -> None:
    """Loads of one URL are one input, however often the plan writes them."""
    made = plan(
        *load("a", "s3://x/a"),
        constant("again", "s3://x/a"),
        operation("b", "default.load", "again"),
        operation("s", "sequence", "a", "b"),
        goals=[goal("s")],
    )
    graph = key_graph(made, INDEX)
    pins = {ref.id: pin("s3://x/a") for ref in graph.unpinned.values()}
    first, second = expand(graph, pins=pins).nodes[goal_key(expand(graph, pins=pins))].arguments
    assert first == second


@pytest.mark.parametrize("entries", [None, (), ("a.nii",)])
def test_the_entries_of_a_folder_are_part_of_its_pin(entries: tuple[str, ...] | None) -> None:
    """A file, an empty folder and a folder with a file are three pins."""
    others = {None, (), ("a.nii",)} - {entries}
    made = pin("s3://x/a", "1", entries)
    assert made == pin("s3://x/a", "1", entries)
    assert all(made != pin("s3://x/a", "1", other) for other in others)
