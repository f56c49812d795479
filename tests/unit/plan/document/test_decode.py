"""Decoding of plan documents as a whole."""

from __future__ import annotations

import contextlib
import pickle
import random

from hypothesis import given
from hypothesis import strategies as st

from tests.support.plan_documents import (
    INDEX,
    constant,
    document,
    goal,
    operation,
    plan,
    refused,
)
from voxk8s.errors import InvalidPlan
from voxk8s.plan import constant_id, decode, operation_id
from voxk8s.plan import operation as make_operation
from voxk8s.plan.model import Operation

FIVE, THREE = constant_id(5.0), constant_id(3.0)

SUM = operation_id("addition", [FIVE, THREE])


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
