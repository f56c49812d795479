"""Operation ids."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxk8s.plan import OperationId
from voxk8s.plan.identity import closure_id, constant_id, operation_id, parameter_id
from voxk8s.plan.model import Scalar

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
IDS = st.binary(min_size=32, max_size=32).map(lambda data: OperationId(data.hex()))


def _reference(pre_image: object) -> str:
    text = json.dumps(
        pre_image, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (5, "36060134d807a85bd4de45d03754fc36d6f73b2349587345f0f71b5548caeaee"),
        (5.0, "628650bedfae6bb102f1e277a4699eabd15ef5c8042b734305aa7f452bba7ee2"),
        (3.0, "d99d13c71c6d557d8ffa7ba66dc8b4103b596876b5712987890553f4215d22c8"),
        (True, "8c5aaab6e1efdec7f7f9f65cc0de77461c36a46e6b7c9ee7a35299dd6e8449ee"),
        ("hello", "5e99d76e946ff987af1402a9ef575fb4fbf3d2bc668d8be30ad48aac48cc3878"),
    ],
)
def test_constants_have_upstream_ids(value: Scalar, name: str) -> None:
    """Ids of constants are exactly upstream's."""
    assert constant_id(value) == name


def test_operations_have_upstream_ids() -> None:
    """Ids of operations are exactly upstream's, and the order of arguments counts."""
    five, three = constant_id(5.0), constant_id(3.0)
    assert operation_id("addition", [five, three]) == (
        "3347a88c96b782a62e8f1d2bca092c275f843d82c93b35ba3872ddde1c52d10c"
    )
    assert operation_id("addition", [three, five]) == (
        "7bc2e57277f7d38b87d6be3bb3e479e1e201d19e2f28cfda9d0a2ff83fa64b93"
    )
    assert operation_id("tt", []) == (
        "8f353e773dde3e1c41289d88d0340a4c6bd88b544ccf63bce0c26858a76bed1d"
    )


@given(TEXT, st.lists(IDS, max_size=25))
def test_operation_ids_are_those_of_json(operator: str, arguments: list[OperationId]) -> None:
    """The text made by hand is json.dumps's, also with more than ten arguments."""
    named = {str(place): name for place, name in enumerate(arguments)}
    expected = _reference({"arguments": named, "operator": operator})
    assert operation_id(operator, arguments) == expected


@given(TEXT, st.dictionaries(TEXT, IDS, max_size=4), IDS)
def test_closure_ids_take_captures_in(
    variable: str, captures: dict[str, OperationId], result: OperationId
) -> None:
    """A closure's id depends on what it captures."""
    pre_image = {"captures": captures, "result": result, "variable": variable}
    assert closure_id(variable, captures, result) == _reference(pre_image)
    other = {**captures, "one more": result}
    assert closure_id(variable, other, result) != closure_id(variable, captures, result)


@given(TEXT)
def test_kinds_of_nodes_never_share_an_id(text: str) -> None:
    """A parameter, a constant and an operation of one text differ."""
    assert len({parameter_id(text), constant_id(text), operation_id(text, [])}) == 3
