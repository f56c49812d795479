"""Numbers of plans that passed through a Kubernetes API server."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.plan_documents import INDEX, constant, document, goal, plan
from voxk8s.errors import InvalidPlan
from voxk8s.plan import WorkPlan, constant_id, decode, to_resource
from voxk8s.plan.model import Constant, Scalar


def through_server(value: object) -> object:
    """Change numbers as the API server does."""
    if isinstance(value, dict):
        return {key: through_server(each) for key, each in value.items()}
    if isinstance(value, list):
        return [through_server(each) for each in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-(2**63), min(value, 2**63 - 1))
    return value


def value_of(read: WorkPlan) -> Scalar:
    """Return the only constant of a plan."""
    (node,) = read.nodes.values()
    assert isinstance(node, Constant)
    return node.value


@pytest.mark.parametrize("value", [5, 5.0, 0, 0.0, -0.0, 1e20, 10**18, 1.5, True, -7.0])
def test_id_decides_between_forms(value: Scalar) -> None:
    """A 64-hex id of a number says whether it was an integer or a float."""
    name = constant_id(value)
    source = through_server(document(constant(name, value), goals=[goal(name)]))
    assert isinstance(source, dict)
    assert repr(value_of(decode(source, index=INDEX, from_resource=True))) == repr(value)


def test_label_leaves_a_whole_number_an_integer() -> None:
    """Without an id that decides, 5 is 5."""
    source = document(constant("c", 5), goals=[goal("c")])
    assert repr(value_of(decode(source, index=INDEX, from_resource=True))) == "5"


def test_documents_take_numbers_as_they_are() -> None:
    """Outside resources an id of another form is a mistake."""
    name = constant_id(5.0)
    with pytest.raises(InvalidPlan, match="expected the id of"):
        decode(document(constant(name, 5), goals=[goal(name)]), index=INDEX)


def test_exact_form_is_taken() -> None:
    """`float` and `int` give numbers as text."""
    for field, text, value in (("float", "5.0", "5.0"), ("float", "-0", "-0.0"),
                               ("int", "9" * 30, "9" * 30)):  # fmt: skip
        form: dict[str, object] = {"id": "c", "type": "constant", field: text}
        assert repr(value_of(plan(form, goals=[goal("c")]))) == value


@given(st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False))
def test_resource_form_survives_the_server(value: int | float) -> None:
    """What `to_resource` writes comes back exactly, whatever the server does to numbers."""
    made = plan(constant("c", value), goals=[goal("c")])
    source = through_server(json.loads(json.dumps(to_resource(made))))
    assert isinstance(source, dict)
    assert decode(source, index=INDEX, from_resource=True) == made
    assert repr(value_of(decode(source, index=INDEX, from_resource=True))) == repr(value)


@pytest.mark.parametrize("sign", [1, -1])
def test_integers_have_a_bound(sign: int) -> None:
    """Integers that Python itself does not write out are refused with their path."""
    with pytest.raises(InvalidPlan, match="too many digits") as caught:
        plan(constant("a", sign * 10**4300), goals=[])
    assert caught.value.path == "$.nodes[0].value"
    largest = sign * (10**4300 - 1)
    assert value_of(plan(constant("a", largest), goals=[])) == largest
