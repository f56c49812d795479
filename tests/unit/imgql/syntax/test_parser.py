"""Tests of the parser: commands, and recovery after errors."""

from __future__ import annotations

import pytest

from tests.support.imgql import check_text
from voxk8s.imgql.syntax import syntax_tree
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.lexer import suffixed_names, tokenize
from voxk8s.imgql.syntax.parser import parse
from voxk8s.imgql.syntax.source_text import Source


def _commands(text: str) -> list[syntax_tree.Command]:
    source, diagnostics = Source("p", text), Diagnostics()
    commands = parse(source, tokenize(source, diagnostics, suffixed_names(text)), diagnostics)
    assert diagnostics.all() == ()
    return commands


def test_definitions_without_let_begin_a_line() -> None:
    """`name = e` and `f(a) = e` at the start of a line are commands of their own."""
    commands = _commands('a = x\nf(p, q) = a\n  b =-1\nprint "r" f(b,\n b)')
    assert [type(each).__name__ for each in commands] == [
        "Define",
        "Define",
        "Define",
        "OutputCommand",
    ]


def test_load_is_a_command_and_a_name() -> None:
    """`load x = e` defines x; elsewhere load is the kernel."""
    first, second = _commands('load a = "f"\nlet b = load("g")')
    assert isinstance(first, syntax_tree.Define)
    assert first.header.name.text == "a"
    assert isinstance(second, syntax_tree.Define)


@pytest.mark.parametrize(
    "text",
    [
        'load img // of today\n= "a.nii"',
        'load\n  img =\n  "a.nii"',
        'load img =// of today\n"a.nii"',
        'img =// of today\nload("a.nii")',
    ],
)
def test_a_command_may_be_broken_anywhere(text: str) -> None:
    """Line breaks and comments may be between any two tokens of a load, and after any `=`."""
    assert not check_text(f'{text}\nsave "x.nii" img')


def test_a_program_may_be_empty() -> None:
    """Nothing but comments is a program without goals."""
    assert _commands("// nothing\n\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "let ‘=>’(a, b) = b",
        'let tw"ice(a) = a * 2',
        '"let a = 1',
        'import "vox',
        'import "arrays" import "vox1" load a = "a.nii" print "x" a ‘=>’ a',
    ],
)
def test_a_place_has_one_error(text: str) -> None:
    """The first error of a token is reported, not its consequences."""
    assert len(check_text(text)) == 1


def test_a_definition_with_a_syntax_error_is_reported_once() -> None:
    """The use of its name is not a second error."""
    found = check_text('let a = (1\nprint "x" a + 1\nprint "y" foo')
    assert [(each.line, each.column) for each in found] == [(1, 9), (3, 11)]


@pytest.mark.parametrize(
    "text",
    [
        'let level = 5 +\nlet g(x) = x\nprint "x" level',
        'import "vox1"\nlet ff(x) = (x\nprint "x" ff(1) + 1',
        'let +?(a, b) = (a\nprint "x" 1 +? 2',
    ],
)
def test_a_definition_with_a_syntax_error_has_no_consequences(text: str) -> None:
    """Its name is neither unknown, nor a kernel's, nor split into parts."""
    assert len(check_text(text)) == 1


def test_several_errors_are_reported_at_once() -> None:
    """After an error, parsing resumes at the next command."""
    found = check_text('let a = (1\nlet b = 2 +\nprint "x" 3 4\nlet c = 1)')
    assert [(each.line, each.column) for each in found] == [(1, 9), (2, 11), (3, 13), (4, 10)]
