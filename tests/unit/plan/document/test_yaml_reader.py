"""The safe and fast YAML reader."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.plan_documents import INDEX
from voxk8s.errors import InvalidPlan
from voxk8s.plan import decode
from voxk8s.plan.document.yaml_reader import MAX_DEPTH, read_yaml

TEXT = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=20)
NUMBER = r'"[-+]?([0-9]*\.?[0-9]+|[0-9]+\.)([eE][-+]?[0-9]+)?"|"0o[0-7]+"'
"""A string that PyYAML, which follows YAML 1.1, may write without quotes."""
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_json_is_yaml(value: object) -> None:
    """A JSON document is the same document in YAML, number forms included."""
    assert repr(read_yaml(json.dumps(value, ensure_ascii=False))) == repr(value)


@given(JSON)
def test_what_pyyaml_writes_is_read(value: object) -> None:
    """What PyYAML dumps is read back, except strings that are numbers only in YAML 1.2."""
    assume(not re.search(NUMBER, json.dumps(value, ensure_ascii=False)))
    assert read_yaml(yaml.safe_dump(value, allow_unicode=False)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001), ("5", 5), ("5.", 5.0), (".5", 0.5), ("+3", 3), ("-0.0", -0.0),
        ("0x1f", 31), ("0o17", 15), ("017", 17), ("1_000", "1_000"), ("12:30", "12:30"),
        ("yes", "yes"), ("on", "on"), ("NO", "NO"), ("y", "y"), ("True", True), ("~", None),
        ("2024-01-01", "2024-01-01"), ("'5'", "5"), ('"true"', "true"), ("-", [None]),
        ("a: b", {"a": "b"}), ("0: a\n1: b", {"0": "a", "1": "b"}), ("", None),
        ("<<: {a: 1}", {"<<": {"a": 1}}), ("|\n  a\n  b\n", "a\nb\n"),
    ],
)  # fmt: skip
def test_scalars_follow_the_core_schema(text: str, value: object) -> None:
    """YAML 1.2's core schema decides what plain scalars are; keys are texts."""
    assert repr(read_yaml(text)) == repr(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x 1", "anchors"),
        ("a: &x [1]", "anchors"),
        ("a: *x", "alias"),
        ("a: !!python/object:os.system x", "tags"),
        ("!!set {a, b}", "tags"),
        ("a: !!str 5", "tags"),
        ("a: 1\nb: 2\na: 3", "duplicate key 'a' (line 3, column 1)"),
        ("[a]: 1", "key"),
        ("{a: 1", "line 2"),
        ("a: 1\n---\nb: 2", "more than one"),
        ("\x00", "not YAML"),
        ("[" * 100_000, "nesting"),
        ("{a: " * 100_000, "nesting"),
        ("- " * 100_000, "nesting"),
        ("1" * 5000, "digits"),
    ],
)
def test_what_is_not_safe_is_refused(text: str, words: str) -> None:
    """Tags, anchors, aliases, duplicate keys and deep nesting are refused in words."""
    with pytest.raises(InvalidPlan) as caught:
        read_yaml(text)
    assert words in str(caught.value)


def test_not_finite_is_refused_with_its_path() -> None:
    """YAML's .inf and .nan are no numbers of plans."""
    text = "nodes: [{id: c, type: constant, value: .nan}]\ngoals: []"
    with pytest.raises(InvalidPlan, match="finite") as caught:
        decode(text, index=INDEX, format="yaml")
    assert caught.value.path == "$.nodes[0].value"


def test_plan_by_hand_is_read() -> None:
    """A plan as a person writes it, with bare argument keys, is read."""
    text = """
imports: [vox1]
nodes:
- {id: mri, type: operation, operator: load, arguments: {0: url}}
- {id: url, type: constant, value: s3://bucket/mri.nii.gz}
- id: grown
  type: operation
  operator: near
  arguments:
    0: mri
goals:
- {operation: save, id: grown, name: grown.nii.gz}
"""
    assert len(decode(text, index=INDEX, format="yaml").nodes) == 3


def test_depth_that_is_allowed_is_read() -> None:
    """Nesting up to the bound is fine."""
    assert read_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH)


@pytest.mark.parametrize("text", ["", "- 1", "5"])
def test_plan_must_be_a_mapping(text: str) -> None:
    """A YAML document that is no mapping is no plan."""
    with pytest.raises(InvalidPlan, match="mapping"):
        decode(text, index=INDEX, format="yaml")
