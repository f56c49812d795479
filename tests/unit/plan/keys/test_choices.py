"""Choices and filters: decided when their truth values are known, without computing the rest."""

from __future__ import annotations

import pytest

from tests.support.plan_documents import constant, goal, graph_of, operation
from voxk8s.plan import KeyGraph, KeyOperation, expand


def choice() -> KeyGraph:
    """Return the graph of a choice between two operations, by a third one."""
    return graph_of(
        constant("i", 1),
        operation("c", "addition", "i", "i"),
        operation("a", "near", "i"),
        operation("b", "volume", "i"),
        operation("if", "sequences.choose", "c", "a", "b"),
        operation("m", "sequence", "if"),
        goals=[goal("m")],
    )


def selection() -> KeyGraph:
    """Return the graph of two operations filtered by two others."""
    return graph_of(
        constant("i", 1),
        operation("a", "near", "i"),
        operation("b", "volume", "i"),
        operation("f", "addition", "i", "i"),
        operation("g", "subtraction", "i", "i"),
        operation("xs", "sequence", "a", "b"),
        operation("flags", "sequence", "f", "g"),
        operation("kept", "sequences.keep", "xs", "flags"),
        goals=[goal("kept")],
    )


def arguments(graph: KeyGraph) -> list[str]:
    """Return the kernels of the arguments of the graph's goal."""
    (wanted,) = graph.goals
    assert wanted.key is not None
    found = [graph.nodes[key] for key in graph.nodes[wanted.key].arguments]
    return [each.kernel for each in found if isinstance(each, KeyOperation)]


@pytest.mark.parametrize(("value", "kernel"), [(True, "vox1.near"), (0, "vox1.volume")])
def test_a_choice_is_the_branch_that_its_condition_takes(value: object, kernel: str) -> None:
    """Before the condition is known it has no key, and needs neither branch."""
    graph = choice()
    (deferred,) = graph.deferred
    assert graph.extra_needs == ()
    assert arguments(expand(graph, {deferred.pivot: value})) == [kernel]


def test_a_condition_that_is_no_truth_value_is_refused() -> None:
    """The reason stands with the operation."""
    graph = choice()
    (deferred,) = graph.deferred
    (reason,) = expand(graph, {deferred.pivot: "yes"}).rejected.values()
    assert reason == "if: expected a truth value between `if` and `then`"


@pytest.mark.parametrize(
    ("flags", "kernels"),
    [([True, False], ["vox1.near"]), ([0, 1.0], ["vox1.volume"]), ([False, False], [])],
)
def test_a_filter_keeps_operations(flags: list[object], kernels: list[str]) -> None:
    """What is kept has the key that it has elsewhere."""
    graph = selection()
    (deferred,) = graph.deferred
    assert arguments(expand(graph, {deferred.pivot: flags})) == kernels


@pytest.mark.parametrize("flags", [[True], ["a", "b"], 3])
def test_flags_must_be_truth_values_one_for_each_item(flags: object) -> None:
    """All others are refused."""
    graph = selection()
    (deferred,) = graph.deferred
    assert expand(graph, {deferred.pivot: flags}).rejected
