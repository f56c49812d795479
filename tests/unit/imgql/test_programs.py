"""Tests of whole programs of the kind that papers show."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.imgql import check_text, compile_text
from tests.support.paths import DATA
from voxk8s.errors import InvalidProgram
from voxk8s.imgql import format_program
from voxk8s.kernels import registry
from voxk8s.plan import decode, encode
from voxk8s.plan.model import Closure, Operation

PROGRAMS = DATA / "programs"
FILES = {
    str(path.relative_to(PROGRAMS)): path.read_text("utf-8")
    for path in sorted(PROGRAMS.rglob("*.imgql"))
}
PARAMETERS = {
    "INPUTDIR": "s3://in/cases",
    "OUTPUTDIR": "out",
    "CASE": "case01",
    "IMAGE": "nevus.jpg",
    "DIR": "scans",
    "FOLDER": "s3://in/folder",
    "THRESHOLD": "0.5",
}
NAMES = [name for name in FILES if "/" not in name]


@pytest.mark.parametrize("name", NAMES)
def test_a_program_compiles(name: str) -> None:
    """A program as published becomes a plan with its goals, in order."""
    result = compile_text(FILES[name], parameters=PARAMETERS, files=FILES, name=name)
    wanted = [
        line.split()[0] for line in FILES[name].splitlines() if line[:5] in ("print", "save ")
    ]
    assert [goal.operation for goal in result.plan.goals] == wanted
    assert result.warnings == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_of_a_program_is_a_valid_document(name: str) -> None:
    """Writing the plan as a document and reading it gives the same plan."""
    plan = compile_text(FILES[name], parameters=PARAMETERS, files=FILES, name=name).plan
    again = decode(encode(plan), index=registry())
    assert again.goals == plan.goals
    assert dict(again.nodes) == dict(plan.nodes)
    assert encode(again) == encode(plan)


@pytest.mark.parametrize("name", NAMES)
def test_operations_know_their_place_in_the_program(name: str) -> None:
    """Every operation, in loops too, has an origin, and none is in the library."""
    result = compile_text(FILES[name], parameters=PARAMETERS, files=FILES, name=name)
    waiting = [result.plan.nodes]
    while waiting:
        for node in waiting.pop().values():
            if isinstance(node, Operation):
                assert result.origins[node.id].file in (name, "lib/scores.imgql")
            elif isinstance(node, Closure):
                waiting.append(node.nodes)


@pytest.mark.parametrize("name", list(FILES))
def test_programs_are_in_the_usual_form(name: str) -> None:
    """The formatter leaves the programs of this repository as they are."""
    assert format_program(FILES[name]) == FILES[name]


def test_origins_name_line_and_column() -> None:
    """An operation points to the word of the program that it comes from."""
    result = compile_text('import "stdlib.imgql"\nload a = "f"\nlet b = B+ a\nprint "x" volume(b)')
    places = {
        node.operator: str(result.origins[node.id])
        for node in result.plan.nodes.values()
        if isinstance(node, Operation)
    }
    assert places == {
        "load": "main.imgql:2:1",
        "near": "main.imgql:3:9",
        "diff": "main.imgql:3:9",
        "volume": "main.imgql:4:11",
    }


def test_a_program_without_goals_is_a_plan_without_nodes() -> None:
    """Only what goals need is in the plan."""
    plan = compile_text('let a = load("f")').plan
    assert (dict(plan.nodes), plan.goals) == ({}, ())
    assert check_text('let a = load("f")') == ()


_WORDS = [
    "let",
    "in",
    "for",
    "do",
    "fold",
    "print",
    "save",
    "import",
    "load",
    "true",
    "a",
    "b",
    "f",
    "N",
    "B+",
    "x",
    "img",
    "(",
    ")",
    "[",
    "]",
    ",",
    ":",
    "=",
    "+",
    "-",
    "!",
    "*",
    "|",
    "~>",
    ".<=",
    ">.",
    "1",
    "2.5",
    "near",
    "volume",
    "mean",
    "range",
    "tt",
    "constant",
    "index",
    '"s"',
    '"vox1"',
    '"stdlib.imgql"',
    "$A",
    "{",
    '"',
    "_",
    ".",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*_WORDS, "\n", "\n"]), max_size=25))
def test_any_text_is_a_program_or_refused(words: list[str]) -> None:
    """Whatever stands in a file, it compiles or its errors are told; nothing else happens."""
    text = " ".join(words)
    if any(each.severity == "error" for each in check_text(text)):
        with pytest.raises(InvalidProgram):
            compile_text(text)
    else:
        compile_text(text)
