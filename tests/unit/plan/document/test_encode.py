"""Writing plans in normal form."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.paths import DATA
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
from voxk8s.plan import Goal, WorkPlan, decode, encode, validate
from voxk8s.plan import constant as make_constant
from voxk8s.plan import operation as make_operation

DATA = DATA / "plans"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = TEXT | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def documents(draw: st.DrawFn) -> Form:
    """Return a document of constants, operations and loops, in any order."""
    nodes = [constant("n0", draw(SCALARS))]
    for at in range(1, draw(st.integers(2, 9))):
        label = f"n{at}"
        kind = draw(st.sampled_from(["constant", "addition", "sequence", "loop"]))
        earlier = st.integers(0, at - 1).map(lambda place: f"n{place}")
        if kind == "constant":
            nodes.append(constant(label, draw(SCALARS)))
        elif kind == "addition":
            nodes.append(operation(label, kind, draw(earlier), draw(earlier)))
        elif kind == "sequence":
            nodes.append(operation(label, kind, *draw(st.lists(earlier, max_size=12))))
        else:
            name = draw(TEXT.filter(lambda text: text != "k"))
            inner = [
                {**parameter(name), "id": "x"},
                parameter("k"),
                operation("r", "addition", "x", "k"),
            ]
            nodes.append(closure(f"f{at}", name, inner, "r", k=draw(earlier)))
            nodes.append(operation(label, "map", f"f{at}", draw(earlier)))
    goals = [
        goal(f"n{at}", draw(TEXT))
        if draw(st.booleans())
        else goal(f"n{at}", draw(TEXT).replace("\0", "") + "file", "save")
        for at in draw(st.lists(st.integers(0, at), max_size=3))
    ]
    return document(*draw(st.permutations(nodes)), goals=goals)


@given(documents())
def test_normal_form_is_a_fixed_point(source: Form) -> None:
    """A plan survives a round trip in JSON and YAML, and its bytes do not change."""
    read = decode(source, index=INDEX)
    for form in ("json", "yaml"):
        text = encode(read, form)
        again = decode(text, index=INDEX, format=form)
        assert again == read
        assert encode(again, form) == text


@given(documents(), st.randoms(use_true_random=False))
def test_order_of_nodes_leaves_no_trace(source: Form, mixer: random.Random) -> None:
    """Documents that differ in the order of nodes have one normal form."""
    nodes = source["nodes"]
    assert isinstance(nodes, list)
    mixed = {**source, "nodes": mixer.sample(nodes, len(nodes))}
    first, then = decode(source, index=INDEX), decode(mixed, index=INDEX)
    assert first == then
    assert encode(first) == encode(then)


@given(documents())
def test_plan_of_a_document_is_valid(source: Form) -> None:
    """What was decoded passes the checks for plans made in this process."""
    read = decode(source, index=INDEX)
    assert validate(read, INDEX) == read


@pytest.mark.parametrize(
    "text", ["\x7f", "\x85", "\u2028", "\ufeff", "\uffff", "😀", "\\", '"', "\n"]
)
def test_every_text_survives_yaml(text: str) -> None:
    """Texts that YAML or JSON treat specially come back from YAML."""
    made = plan(constant("c", text), goals=[goal("c", text)])
    assert decode(encode(made, "yaml"), index=INDEX, format="yaml") == made


def test_buffer_ids_are_written() -> None:
    """`buffer_id` survives a round trip."""
    form = {**operation("o", "near", "c"), "buffer_id": 7}
    made = plan({**constant("c", 1), "buffer_id": "b"}, form, goals=[goal("o")])
    assert b'"buffer_id": 7' in encode(made)
    assert decode(encode(made), index=INDEX) == made


@pytest.mark.parametrize("form", ["json", "yaml", "dot"])
def test_normal_form_is_the_golden_one(form: str) -> None:
    """The normal form does not change unnoticed: other tools compare it byte by byte."""
    source = (DATA / "loop.yaml").read_bytes()
    made = decode(source, index=INDEX, format="yaml")
    golden = DATA / f"loop.normal.{form}"
    assert encode(made, form) == golden.read_bytes()  # type: ignore[arg-type]  # json or yaml


def test_dot_has_nodes_and_edges() -> None:
    """DOT shows each node with its operator and an edge from each argument; texts are quoted."""
    made = plan(constant("c", 'a"b\\c\nd'), operation("o", "near", "c"), goals=[goal("o", 'q"')])
    text = encode(made, "dot").decode()
    first, second = made.nodes
    assert f'"{second}" [label="near"]' in text
    assert f'"{first}" -> "{second}"' in text
    assert text.count("{") == text.count("}") == 1
    for line in text.splitlines():
        assert len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) % 2 == 0


def test_order_of_captures_leaves_no_trace() -> None:
    """Documents that differ in the order of captures have one normal form."""
    nodes = [constant("c", 1), constant("d", 2), operation("r", "sequence", "c")]
    inner = [parameter(name) for name in ("x", "k", "l")]
    texts = set()
    for captures in ({"k": "c", "l": "d"}, {"l": "d", "k": "c"}):
        loop = closure("f", "x", inner, "x", **captures)
        made = plan(*nodes, loop, operation("m", "map", "f", "r"), goals=[goal("m")])
        texts.add(encode(made))
    assert len(texts) == 1


def test_plan_with_a_wrong_id_is_no_plan() -> None:
    """A plan made by hand is checked like a document."""
    one = make_constant(1)
    wrong = make_operation("vox1.near", [make_operation("tt", []).id])
    with pytest.raises(InvalidPlan, match="no node has the id"):
        validate(WorkPlan({one.id: one, wrong.id: wrong}, ()), INDEX)
    with pytest.raises(InvalidPlan, match="no node has the id"):
        validate(WorkPlan({one.id: one}, (Goal("print", wrong.id, "r"),)), INDEX)
