"""Tests of whole programs of the kind that papers show: they compile to valid plans."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.imgql import check_text, compile_error, compile_text
from tests.support.paths import DATA
from tests.support.properties import examples
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
    """A published program becomes a plan with its goals in order."""
    result = compile_text(FILES[name], parameters=PARAMETERS, files=FILES, name=name)
    wanted = [
        line.split()[0] for line in FILES[name].splitlines() if line[:5] in ("print", "save ")
    ]
    assert [goal.operation for goal in result.plan.goals] == wanted
    # The picture of a volume is that of a slice, which is meant.
    assert [each for each in result.warnings if "middle axial slice" not in each.message] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_of_a_program_is_a_valid_document(name: str) -> None:
    """Encoding the plan as a document and decoding it returns the same plan."""
    plan = compile_text(FILES[name], parameters=PARAMETERS, files=FILES, name=name).plan
    again = decode(encode(plan), index=registry())
    assert again.goals == plan.goals
    assert dict(again.nodes) == dict(plan.nodes)
    assert encode(again) == encode(plan)


@pytest.mark.parametrize("name", NAMES)
def test_operations_have_an_origin_in_the_program(name: str) -> None:
    """Every operation, in loops too, has an origin, and none is in a library."""
    result = compile_text(FILES[name], parameters=PARAMETERS, files=FILES, name=name)
    waiting = [result.plan.nodes]
    while waiting:
        for node in waiting.pop().values():
            if isinstance(node, Operation):
                assert result.origins[node.id].file in (name, "lib/scores.imgql")
            elif isinstance(node, Closure):
                waiting.append(node.nodes)


@pytest.mark.parametrize("name", list(FILES))
def test_programs_are_in_canonical_form(name: str) -> None:
    """The formatter does not change the programs of this repository."""
    assert format_program(FILES[name]) == FILES[name]


def test_origins_name_line_and_column() -> None:
    """An origin is the line and column of the token that an operation comes from."""
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


def test_a_value_cannot_have_the_name_of_an_operator() -> None:
    """An operator is always applied to something, so such a value could not be used."""
    for line in ("let @@ = 5", "let @@() = 5"):
        assert "1:5: error: `@@` is an operator: expected one or two" in compile_error(line)


def test_all_errors_are_reported_in_the_order_of_the_program() -> None:
    """One compilation reports every error."""
    found = check_text("let a = foo + bar\nlet b = mean(1, 2)\nlet c = baz")
    assert [(each.line, each.column) for each in found] == [(1, 9), (1, 15), (2, 9), (3, 9)]


def test_errors_of_a_program_are_data() -> None:
    """InvalidProgram has the diagnostics one by one."""
    with pytest.raises(InvalidProgram) as caught:
        compile_text("let a = foo\nlet b = bar")
    lines = [each.line for each in check_text("let a = foo\nlet b = bar")]
    assert lines == [1, 2]
    assert len(caught.value.diagnostics) == 2


def test_geometry_without_any_image_is_refused() -> None:
    """A program that loads nothing has no geometry."""
    message = compile_error('import "vox1"\nlet a = 1\nprint "v" volume(tt)')
    assert "3:18: error: `tt` takes its geometry from the images that the program loads" in message


def test_geometry_outside_the_loop_that_loads_is_refused() -> None:
    """A loop loads any number of images, so they give no geometry to what is outside."""
    loop = 'for f in dir("d") do volume(load f)'
    message = compile_error(f'import "vox1"\nprint "a" {loop}\nprint "v" volume(tt)')
    assert "3:18: error: `tt` takes its geometry" in message
    assert compile_text(
        f'import "vox1"\nload i = "a"\nprint "a" {loop}\nprint "v" volume(tt)'
    ).plan.goals


MANY = 10_000


def _chain(count: int) -> str:
    lines = "\n".join(f"let a{i} = a{i - 1} + 1" for i in range(1, count))
    return f'let a0 = 1\n{lines}\nprint "x" a{count - 1}'


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        (_chain(MANY), MANY),
        ("\n".join(f"let a{i} = {i}" for i in range(MANY)) + '\nprint "x" a7', 1),
        ('print "x" ' + " + ".join(["1"] * 3000), 3000),
        ('print "x" ' + "(" * 5000 + "1" + ")" * 5000, 1),
        ('print "x" ' + "[" * 2000 + "1" + "]" * 2000, 2001),
        ('print "x" ' + "floor(" * 2000 + "1" + ")" * 2000, 2001),
        ('print "x" ' + "floor " * 2000 + "1", 2001),
        ('print "x" ' + "".join(f"let a{i} = {i} in " for i in range(2000)) + "a3", 1),
        (
            "let f0(x) = x\n"
            + "\n".join(f"let f{i}(x) = f{i - 1}(x) + 1" for i in range(1, 5000))
            + '\nprint "x" f4999(1)',
            5000,
        ),
        ('print "x" fold + 0 range(5000)', 10001),
        ('print "x" ' + "".join(f"for x{i} in range(2) do " for i in range(60)) + "x0", None),
    ],
    ids=[
        "chain",
        "unused",
        "infix",
        "parentheses",
        "brackets",
        "calls",
        "prefixes",
        "let in",
        "functions",
        "fold",
        "loops",
    ],
)
def test_large_programs_compile(text: str, nodes: int | None) -> None:
    """Neither length nor depth of a program is bounded by Python's stack."""
    plan = compile_text(text).plan
    assert nodes is None or len(plan.nodes) == nodes


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


@examples(150)
@given(st.lists(st.sampled_from([*_WORDS, "\n", "\n"]), max_size=25))
def test_any_text_compiles_or_is_refused(words: list[str]) -> None:
    """Any text either compiles or has errors; no other exception is raised."""
    text = " ".join(words)
    if any(each.severity == "error" for each in check_text(text)):
        with pytest.raises(InvalidProgram):
            compile_text(text)
    else:
        compile_text(text)


def test_an_empty_file_name_is_refused() -> None:
    """A goal needs a file to save to."""
    message = compile_error('save "" 1')
    assert "1:6: error: expected a file name, found an empty string" in message
