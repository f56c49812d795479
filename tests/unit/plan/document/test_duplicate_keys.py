"""Duplicate keys in plan documents."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.plan_documents import (
    INDEX,
    Form,
    closure,
    constant,
    document,
    goal,
    operation,
    parameter,
    refused,
)
from voxk8s.errors import InvalidPlan
from voxk8s.plan import decode
from voxk8s.plan.document import duplicate_keys

TWO_FIRST_ARGUMENTS = (
    '{"type": "operation", "operator": "f", "arguments": {"0": "a", "0": "b"}, "id": "s"}'
)


def every_member(label: str) -> Form:
    """Return a document that has, and leaves out, every member that may be absent."""
    return document(
        constant("a", 1),
        {"id": "b", "type": "constant", "float": "1.5", "buffer_id": 7},
        {**operation("o", "near", "a"), "buffer_id": None},
        {"id": "n", "type": "operation", "operator": "sequence"},
        closure(
            "f", "x", [parameter("x"), parameter("c"), operation("y", "near", "x")], "y", c="a"
        ),
        operation("m", "map", "f", "n"),
        goals=[goal("o", label), goal("m")],
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


@given(
    place=st.integers(0),
    apart=st.sampled_from(["", " ", "\n", "\t", "\r"]),
    everywhere=st.booleans(),
    escaped=st.booleans(),
    label=st.sampled_from(["", 'a":"b', "a : b", "\\"]),
)
def test_every_duplicate_is_found_in_every_layout(
    place: int, apart: str, everywhere: bool, escaped: bool, label: str
) -> None:
    """A repeated member is found wherever it is, whatever space there is before colons."""
    text = json.dumps(every_member(label), separators=(",", ":"))
    keys = list(re.finditer(r'"(\w+)":', text))
    key = keys[place % len(keys)]
    value, _ = json.JSONDecoder().raw_decode(text, key.end())
    name = f"\\u{ord(key[1][0]):04x}{key[1][1:]}" if escaped else key[1]
    member = f'"{name}"{apart}:{json.dumps(value)},'
    spoilt = text[: key.start()] + member + text[key.start() :]
    if everywhere:
        text, spoilt = (re.sub(r'"(\w+)":', rf'"\1"{apart}:', each) for each in (text, spoilt))
    decode(text, index=INDEX)
    with pytest.raises(InvalidPlan, match="duplicate key"):
        decode(spoilt, index=INDEX)


@pytest.mark.parametrize("indent", [None, 2])
def test_a_usual_document_is_read_once(indent: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second pass is for documents with a duplicate key, or of an unusual layout."""

    def fail(_: bytes) -> None:
        raise AssertionError("a second pass")

    monkeypatch.setattr(duplicate_keys, "_find_duplicate_key", fail)
    decode(json.dumps(every_member("a: b"), indent=indent), index=INDEX)
