"""Checks of plan documents: nodes, goals, imports and kernels."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.support.kernel_index import FakeIndex
from tests.support.plan_documents import (
    INDEX,
    Form,
    body,
    closure,
    constant,
    document,
    goal,
    operation,
    parameter,
    plan,
    refused,
)
from voxk8s.plan import constant_id, decode, operation_id
from voxk8s.plan.signature import Signature

FIVE, THREE = constant_id(5.0), constant_id(3.0)

SUM = operation_id("addition", [FIVE, THREE])


def test_labels_become_ids() -> None:
    """Words may be used for ids, and nodes may stand in any order."""
    read = plan(
        operation("sum", "addition", "five", "three"),
        constant("three", 3.0),
        constant("five", 5.0),
        goals=[goal("sum")],
    )
    assert read.goals[0].id == SUM


def test_equal_content_is_one_node() -> None:
    """Two labels with the same content are merged."""
    read = plan(
        constant("a", 5.0), constant("b", 5.0), operation("s", "addition", "a", "b"),
        goals=[goal("s")],
    )  # fmt: skip
    assert len(read.nodes) == 2


@pytest.mark.parametrize(
    ("nodes", "path", "words"),
    [
        ([operation("o", "addition", "o2", "o"), operation("o2", "identity", "o")],
         "$.nodes[1].operator", "namespace 'test'"),
        ([operation("a", "near", "b"), operation("b", "near", "a")],
         "$.nodes[0]", "'a' -> 'b' -> 'a'"),
        ([constant("c", 1), operation("o", "near", "o")], "$.nodes[1]", "'o' -> 'o'"),
        ([constant("c", 1), operation("o", "nera", "c")], "$.nodes[1].operator", "'near'"),
        ([constant("c", 1), operation("o", "vox1.volum", "c")],
         "$.nodes[1].operator", "'vox1.volume'"),
        ([constant("c", 1), operation("o", "addition", "c")],
         "$.nodes[1].arguments", "takes 2 arguments, not 1"),
        ([constant("c", 1), operation("o", "test.nothing", "c")],
         "$.nodes[1].arguments", "takes 0 arguments, not 1"),
        ([constant("c", 1), operation("o", "range")],
         "$.nodes[1].arguments", "takes 1 to 2 arguments, not 0"),
        ([operation("o", "concat")], "$.nodes[0].operator", "strings"),
        ([constant("c", 1), operation("o", "addition", "c", "d")],
         "$.nodes[1].arguments.1", "'d'"),
        ([constant("c", 1), constant("d", 2), constant("c", 1)],
         "$.nodes[2].id", "duplicate id"),
        ([constant("a" * 64, 1)], "$.nodes[0].id", constant_id(1)),
        ([constant(FIVE.upper(), 5.0)], "$.nodes[0].id", FIVE),
        ([constant("c", float("nan"))], "$.nodes[0].value", "finite"),
        ([constant("c", float("-inf"))], "$.nodes[0].value", "finite"),
        ([constant("c", "\ud800")], "$.nodes[0].value", "surrogate"),
        ([constant("c", None)], "$.nodes[0].value", "null"),
        ([constant("c", [1])], "$.nodes[0].value", "array"),
        ([{"id": "c", "type": "constant"}], "$.nodes[0]", "exactly one"),
        ([{"id": "c", "type": "constant", "value": 1, "int": "1"}],
         "$.nodes[0]", "exactly one"),
        ([{"id": "c", "type": "constant", "float": "1e999"}], "$.nodes[0].float", "finite"),
        ([{"id": "c", "type": "constant", "float": "nan"}], "$.nodes[0].float", "number"),
        ([{"id": "c", "type": "constant", "int": "5.0"}], "$.nodes[0].int", "number"),
        ([{"id": "c", "type": "konstant", "value": 1}], "$.nodes[0].type", "konstant"),
        ([{"id": "c", "value": 1}], "$.nodes[0]", "type"),
        ([{**constant("c", 1), "valeu": 1}], "$.nodes[0]", "valeu"),
        ([{"id": "o", "type": "operation", "operator": "near", "arguments": {"1": "o"}}],
         "$.nodes[0].arguments", "exactly"),
        ([{"id": "o", "type": "operation", "operator": "near", "arguments": {"00": "o"}}],
         "$.nodes[0].arguments", "'00'"),
        ([constant("c", 1), operation("o", "save", "c")], "$.nodes[1].operator", "save"),
        ([constant("c", 1), operation("o", "voxk8s.save", "c")],
         "$.nodes[1].operator", "save goals"),
        ([operation("t", "tt"), operation("v", "volume", "t")], "$.nodes[0]", "loads none"),
        ([parameter("x")], "$.nodes[0]", "closure"),
        ([body(parameter("x"), result="x"), constant("c", 1), operation("m", "map", "c", "c")],
         "$.nodes[2].arguments.0", "closure"),
        ([body(parameter("x"), result="x"), operation("m", "volume", "f")],
         "$.nodes[1].arguments.0", "first argument of a loop"),
        ([body(parameter("x"), result="x"), operation("m", "map", "f", "f")],
         "$.nodes[1].arguments.1", "first argument of a loop"),
        ([body(parameter("y"), result="y")], "$.nodes[0].nodes[0].name", "'y'"),
        ([body(parameter("x"), result="z")], "$.nodes[0].result", "'z'"),
        ([body(operation("o", "nera", "x"), parameter("x"), result="o")],
         "$.nodes[0].nodes[0].operator", "near"),
        ([closure("f", "x", [parameter("x")], "x", k="c")], "$.nodes[0].captures.k", "'c'"),
        ([closure("f", "x", [parameter("x")], "x", x="c"), constant("c", 1)],
         "$.nodes[0].captures", "variable"),
        ([body(parameter("x"), result="x"), closure("g", "x", [parameter("x")], "x", k="f")],
         "$.nodes[1].captures.k", "captured"),
        ([body(closure("g", "y", [parameter("y")], "y"), result="g")],
         "$.nodes[0].result", "value"),
        ([body(operation("t", "tt"), result="t")], "$.nodes[0].nodes[0]", "loads none"),
    ],
)  # fmt: skip
def test_wrong_nodes_are_named(nodes: list[Form], path: str, words: str) -> None:
    """Each mistake in a node gives its path and words that help, though no goal needs the node."""
    error = refused(document(*nodes, goals=[]))
    assert error.path == path
    assert words in error.message


@pytest.mark.parametrize(
    ("form", "path"),
    [
        (goal("d"), "$.goals[1].id"),
        (goal("f"), "$.goals[1].id"),
        (goal("c", kind="write"), "$.goals[1].operation"),
        (goal("c", "", kind="save"), "$.goals[1].name"),
        (goal("c", "a\0b", kind="save"), "$.goals[1].name"),
        (goal("c", "folder/", kind="save"), "$.goals[1].name"),
        (goal("c", "a/..", kind="save"), "$.goals[1].name"),
        (goal("c", "\udfff"), "$.goals[1].name"),
        ({"operation": "print", "id": "c"}, "$.goals[1]"),
    ],
)
def test_wrong_goals_are_named(form: Form, path: str) -> None:
    """Each mistake in a goal gives its path."""
    nodes = [constant("c", 1), body(parameter("x"), result="x")]
    assert refused(document(*nodes, goals=[goal("c"), form])).path == path


def test_first_mistake_of_the_document_is_reported() -> None:
    """Of several mistakes of one kind the first is reported."""
    nodes = [constant("c", 1), operation("o", "nope", "c"), operation("p", "nope", "c")]
    assert refused(document(*nodes, goals=[])).path == "$.nodes[1].operator"


def test_too_many_loops_inside_each_other_are_refused() -> None:
    """Nesting of loops is bounded, with a message."""
    form = closure("f", "x", [parameter("x")], "x")
    for _ in range(70):
        form = closure("f", "x", [parameter("x"), form], "x")
    assert "deeper" in refused(document(form, goals=[])).message


def test_imports_decide_what_names_mean() -> None:
    """A bare name is found in the imported namespaces only."""
    nodes = [constant("c", "a"), operation("o", "concat", "c")]
    source = document(*nodes, goals=[goal("o")], imports=["strings"])
    assert decode(source, index=INDEX).imports == ("strings",)
    assert "strings.concat" in refused(document(*nodes, goals=[goal("o")])).message


def test_long_cycle_is_abbreviated() -> None:
    """A cycle of many members is cut in the message."""
    count = 500
    nodes = [operation(f"n{at}", "near", f"n{(at + 1) % count}") for at in range(count)]
    error = refused(document(*nodes, goals=[]))
    assert error.path == "$.nodes[0]"
    assert len(error.message) < 200


def test_kernels_are_looked_up_once_a_name() -> None:
    """A plan of many operations asks the index once for each name."""

    class Counting(FakeIndex):
        asked = 0

        def find(self, name: str, imports: Sequence[str]) -> Signature | None:
            self.asked += 1
            return super().find(name, imports)

    index = Counting()
    nodes = [operation(f"o{at}", "addition", "c", f"o{at - 1}" if at else "c") for at in range(50)]
    decode(document(constant("c", 1), *nodes, goals=[]), index=index)
    assert index.asked == 1


def test_unknown_imports_are_refused() -> None:
    """A namespace without kernels is named, with the nearest that there is."""
    error = refused(document(goals=[]) | {"imports": ["vox1", "strigns"]})
    assert error.path == "$.imports[1]"
    assert "unknown namespace 'strigns'; did you mean 'strings'?" in error.message


def test_buffer_ids_are_unicode() -> None:
    """What could not be written again is refused."""
    error = refused(document(constant("c", 1) | {"buffer_id": "\udc00"}, goals=[]))
    assert error.path == "$.nodes[0].buffer_id"
