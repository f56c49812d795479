"""Reading documents: what is accepted, and the path of everything that is wrong."""

from __future__ import annotations

import contextlib
import json
import pickle
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.kernel_index import FakeIndex
from tests.support.plan_documents import (
    INDEX,
    Form,
    closure,
    constant,
    document,
    goal,
    operation,
    parameter,
    plan,
)
from voxk8s.errors import InvalidPlan
from voxk8s.plan import constant_id, decode, operation_id
from voxk8s.plan import operation as make_operation
from voxk8s.plan.model import Operation
from voxk8s.plan.signature import Signature

FIVE, THREE = constant_id(5.0), constant_id(3.0)
SUM = operation_id("addition", [FIVE, THREE])


def refused(source: str | bytes | Form) -> InvalidPlan:
    """Return the error that a document is refused with."""
    with pytest.raises(InvalidPlan) as caught:
        decode(source, index=INDEX)
    assert "\n" not in str(caught.value)
    return caught.value


def body(*nodes: Form, result: str) -> Form:
    """Return a closure over `x` named `f`."""
    return closure("f", "x", [*nodes], result)


def test_upstream_document_is_read() -> None:
    """A document with upstream's ids gives those ids."""
    read = decode(
        document(
            constant(FIVE, 5.0),
            constant(THREE, 3.0),
            operation(SUM, "addition", FIVE, THREE),
            goals=[goal(SUM, "sum")],
        ),
        index=INDEX,
    )
    assert list(read.nodes) == [FIVE, THREE, SUM]
    assert read.goals[0].id == SUM
    assert read.goals[0].name == "sum"


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


def test_eleven_arguments_keep_their_order() -> None:
    """Argument 10 stands after argument 9, not after argument 1."""
    labels = [f"c{place}" for place in range(12)]
    read = plan(
        *(constant(label, float(place)) for place, label in enumerate(labels)),
        operation("s", "sequence", *labels),
        goals=[goal("s")],
    )
    node = read.nodes[read.goals[0].id]
    assert isinstance(node, Operation)
    assert node.arguments == tuple(constant_id(float(place)) for place in range(12))


def test_buffer_id_is_kept_and_does_not_count() -> None:
    """`buffer_id` is kept but is not part of the id."""
    form = {**operation("o", "identity", "c"), "buffer_id": "b7"}
    read = decode(
        document(constant("c", 1), form, goals=[goal("o")], imports=["test"]), index=INDEX
    )
    node = read.nodes[read.goals[0].id]
    assert isinstance(node, Operation)
    assert node.buffer_id == "b7"
    assert node.id == make_operation("identity", [constant_id(1)]).id


def test_order_of_nodes_does_not_matter() -> None:
    """Every order of one document gives an equal plan."""
    nodes = [constant(f"c{place}", place) for place in range(5)]
    nodes += [operation(f"o{place}", "addition", f"c{place}", "c0") for place in range(5)]
    first = plan(*nodes, goals=[goal("o3")])
    mixer = random.Random(1)
    for _ in range(5):
        mixer.shuffle(nodes)
        assert plan(*nodes, goals=[goal("o3")]) == first


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
    """Of several mistakes of one kind the first is told."""
    nodes = [constant("c", 1), operation("o", "nope", "c"), operation("p", "nope", "c")]
    assert refused(document(*nodes, goals=[])).path == "$.nodes[1].operator"


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("", "$", "not JSON"),
        ("{", "$", "not JSON"),
        ("[]", "$", "object"),
        ('{"nodes": []}', "$", "goals"),
        ('{"nodes": [], "goals": [], "nodse": []}', "$", "nodse"),
        ('{"nodes": [{"id": "c", "type": "constant", "value": NaN}], "goals": []}',
         "$.nodes[0].value", "finite"),
        ('{"nodes": [{"id": "c", "type": "constant", "value": -Infinity}], "goals": []}',
         "$.nodes[0].value", "finite"),
        ('{"nodes": [{"id": "c", "type": "constant", "value": 1e999}], "goals": []}',
         "$.nodes[0].value", "finite"),
        ('{"nodes": [{"id": "c", "type": "constant", "value": "\\ud800"}], "goals": []}',
         "$.nodes[0].value", "surrogate"),
        ('{"nodes": [{"id": "\\ud800", "type": "constant", "value": 1}], "goals": []}',
         "$.nodes[0].id", "surrogate"),
        ('{"nodes": [{"id": "c", "type": "constant", "value": 1}], "goals": []} x',
         "$", "not JSON"),
        ("[" * 100_000, "$", ""),
        ('{"nodes": [{"id": "c", "type": "constant", "value": NaN, "x": ' + "[" * 100_000,
         "$", "not JSON"),
        ('{"goals": [], "nodes": ' + '[{"id": "f", "type": "closure", "nodes": ' * 100_000,
         "$", "deep"),
        ('{"nodes": [{"id": "c", "type": "constant", "value": ' + "1" * 5000 + '}], "goals": []}',
         "$.nodes[0].value", "range"),
    ],
)  # fmt: skip
def test_wrong_text_is_refused(text: str, path: str, words: str) -> None:
    """Text that is no plan, or nests without end, gives one clear error."""
    error = refused(text)
    assert error.path == path
    assert words in error.message


def test_bytes_that_are_not_unicode_are_refused() -> None:
    """Bad UTF-8 is an invalid plan."""
    refused(b'{"nodes": [{"id": "\xff", "type": "constant", "value": 1}], "goals": []}')


def test_integers_are_exact() -> None:
    """Integers beyond 64 bits keep every digit."""
    number = 10**40 + 1
    read = decode(json.dumps(document(constant("c", number), goals=[goal("c")])), index=INDEX)
    assert read.goals[0].id == constant_id(number)


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


def test_long_cycle_is_told_short() -> None:
    """A cycle of many members is cut in the message."""
    count = 500
    nodes = [operation(f"n{at}", "near", f"n{(at + 1) % count}") for at in range(count)]
    error = refused(document(*nodes, goals=[]))
    assert error.path == "$.nodes[0]"
    assert len(error.message) < 200


def test_errors_cross_processes() -> None:
    """An invalid plan's error pickles whole."""
    error = refused("{")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.path, copy.message) == (error.path, error.message)


def test_long_chain_is_read() -> None:
    """A chain of 100,000 operations, last one first, is read without recursion."""
    count = 100_000
    nodes = [operation(f"n{at}", "near", f"n{at - 1}") for at in range(count, 0, -1)]
    read = plan(*nodes, constant("n0", 1.0), goals=[goal(f"n{count}")])
    assert len(read.nodes) == count + 1


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


@given(st.binary(max_size=60) | st.text(max_size=60), st.sampled_from(["json", "yaml"]))
def test_any_text_is_a_plan_or_an_invalid_plan(source: str | bytes, form: str) -> None:
    """Whatever the text is, the only error is InvalidPlan."""
    with contextlib.suppress(InvalidPlan):
        decode(source, index=INDEX, format=form)  # type: ignore[arg-type]  # json or yaml


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["nodes", "goals", "id", "type", "value", "arguments", "0"]), inner
            )
        ),
        max_leaves=20,
    )
)
def test_any_object_is_a_plan_or_an_invalid_plan(content: object) -> None:
    """Whatever stands in a resource, the only error is InvalidPlan."""
    with contextlib.suppress(InvalidPlan):
        decode({"nodes": content, "goals": []}, index=INDEX, from_resource=True)


TWO_FIRST_ARGUMENTS = (
    '{"type": "operation", "operator": "f", "arguments": {"0": "a", "0": "b"}, "id": "s"}'
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"nodes": [], "goals": [], "goals": []}', "duplicate key 'goals' in one object"),
        (
            '{"nodes": [{"id": "a", "type": "constant", "value": 1, "value": 2}], "goals": []}',
            "duplicate key 'value' in 'a'",
        ),
        (f'{{"goals": [], "nodes": [{TWO_FIRST_ARGUMENTS}]}}', "duplicate key '0' in 's'"),
    ],
)
def test_keys_that_stand_twice_are_refused(text: str, words: str) -> None:
    """A key that an object has twice is a mistake, never a silent choice of one of them."""
    assert words in str(refused(text))


def test_syntax_errors_have_line_and_column() -> None:
    """An error of syntax is told by line and column, in characters, and not twice."""
    error = refused('{"nodes": [],\n "göals"; []}')
    assert "the document is not JSON: " in str(error)
    assert "(line 2, column 9)" in str(error)
    assert "malformed" not in str(error)


def test_byte_order_mark_is_skipped() -> None:
    """A document may begin with a byte order mark, as text and as bytes."""
    text = '\ufeff{"nodes": [], "goals": []}'
    assert decode(text, index=INDEX) == decode(text.encode(), index=INDEX)


def test_unknown_imports_are_refused() -> None:
    """A namespace without kernels is named, with the nearest that there is."""
    error = refused(document(goals=[]) | {"imports": ["vox1", "strigns"]})
    assert error.path == "$.imports[1]"
    assert "unknown namespace 'strigns'; did you mean 'strings'?" in error.message


def test_buffer_ids_are_unicode() -> None:
    """What could not be written again is refused."""
    error = refused(document(constant("c", 1) | {"buffer_id": "\udc00"}, goals=[]))
    assert error.path == "$.nodes[0].buffer_id"
