"""Tests of the grammar: what is a program, and what is said about what is none."""

from __future__ import annotations

import pytest

from tests.support.imgql import check_text, compile_error
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


def _words(text: str) -> list[str]:
    return [
        token.text for token in tokenize(Source("p", text), Diagnostics(), suffixed_names(text))
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3 .5 1e-3 2.5E+2", ["3", ".5", "1e-3", "2.5E+2"]),
        ("3. (4.) [5.,6.]", ["3.", "(", "4.", ")", "[", "5.", ",", "6.", "]"]),
        ("3. + 4.", ["3.", "+", "4."]),
        ("10-4-3", ["10", "-", "4", "-", "3"]),
        ("3.<.4", ["3", ".<.", "4"]),
        ("vox1.near(a)", ["vox1.near", "(", "a", ")"]),
        ("a +?b", ["a", "+?", "b"]),
        ("xs[1:-1]", ["xs", "[", "1", ":", "-", "1", "]"]),
        ("a : b", ["a", ":", "b"]),
        ("_x_1 B_", ["_x_1", "B_"]),
        ("a // b\nc", ["a", "c"]),
        ("a //", ["a"]),
        ('"http://x" y', ['"http://x"', "y"]),
        ("let B+(a) = a B+ a", ["let", "B+", "(", "a", ")", "=", "a", "B+", "a"]),
        ("B+(a) = a\nx B+ a", ["", "B+", "(", "a", ")", "=", "a", "x", "B+", "a"]),
        ("+?(a,b) =a\n+(a)", ["", "+?", "(", "a", ",", "b", ")", "=", "a", "+", "(", "a", ")"]),
        ("let x=-3", ["let", "x", "=", "-", "3"]),
        ("let x=(a) + b", ["let", "x", "=", "(", "a", ")", "+", "b"]),
        ("let x' = 3 + x'", ["let", "x'", "=", "3", "+", "x'"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    """Characters make the words that a reader sees."""
    assert _words(text) == words


def test_definitions_without_let_begin_a_line() -> None:
    """`name = e` and `f(a) = e` at the start of a line are commands of their own."""
    commands = _commands('a = x\nf(p, q) = a\n  b =-1\nprint "r" f(b,\n b)')
    assert [type(each).__name__ for each in commands] == ["Define", "Define", "Define", "Output"]


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
    """Line breaks and comments stand between any two words of a load, and behind any `=`."""
    assert not check_text(f'{text}\nprint "x" img')


def test_a_program_may_be_empty() -> None:
    """Nothing but comments is a program without goals."""
    assert _commands("// nothing\n\n") == []


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("let a = (1 + 2\nlet b = 3", "1:9", "`(` is never closed"),
        ("let a = [1, 2", "1:9", "`[` is never closed"),
        ("let a = 1)", "1:10", "unmatched `)`"),
        ("let a = (1]", "1:9", "`(` is never closed"),
        ('let a =\nprint "x" 1', "1:7", "expected an expression after `=`"),
        ("let a = 1\nfor x in [1] do x", "2:1", "expected a command, found `for`"),
        ("let a = 1 for x in [1] do x", "1:11", "expected an operator or a new command, found"),
        ("let a = 1, 2", "1:10", "expected an operator or a new command, found `,`"),
        ("let a = for x in [1] for", "1:22", "expected an operator or `do`, found `for`"),
        ("let a = (1 fold", "1:12", "expected an operator, `)` or `,`, found `fold`"),
        ("let a = [1 for", "1:12", "expected an operator, `,`, `:` or `]`, found `for`"),
        ("let a = 1 +", "1:11", "expected an expression after `+`"),
        ("lte a = 1", "1:1", "expected a command, found `lte`"),
        ("print 3", "1:7", "expected a string in double quotes, found `3`"),
        ('print "a" for x on xs do x', "1:17", "expected `in`, found `on`"),
        ('let "a" = 3', "1:5", "expected an operator or a name, found"),
        ('print "a', "1:7", "unterminated string"),
        ("let a = {1}", "1:9", "unexpected character '{'"),
        ("let a == 3", "1:7", "expected `(` or `=`, found `==`"),
        ("let f(a,) = 1", "1:9", "expected a name, found `)`"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, place: str, message: str) -> None:
    """A syntax error names line and column, what is there and what was expected."""
    assert f"main.imgql:{place}: error: {message}" in compile_error(text)


def test_a_slip_in_a_command_word_is_suggested() -> None:
    """The nearest command is named."""
    assert "did you mean `print`?" in compile_error('prnit "x" 1')


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("let a = 1;", "commands do not end with `;`"),
        ("let a = 'x'", "strings are written in double quotes"),
        ("let a = “x”", "strings are written in double quotes"),
        ("let a == 1", "definitions use a single `=`"),
        ("let a := 1", "definitions use a plain `=`"),
        ("# a remark", "comments begin with `//`"),
        ("let a = 1\n# a remark", "comments begin with `//`"),
        ("let a = if 1 then 2 else 3", "`ifB(c, t, e)` chooses between two masks"),
        ('WriteImage("f.nii", 1)', "files are written by a command: save"),
        ("let f = lambda x: x", "functions need a name"),
        ("let a = sum([1])", "the sum of a sequence is fold + 0 xs"),
        ("let a = len([1])", "the length of a sequence is fold + 0 (for x in xs do 1)"),
        ("let a = {1}", "sequences are written in square brackets: [1, 2]; parameters as $NAME"),
        ("let a = True", "did you mean `true`?"),
        ("let in = 1", "`in` is a reserved word"),
        ('load a "f"', 'syntax: load name = "file"'),
        ("let a = 1\nprint a", 'syntax: print "label" expression'),
        ("let a = for x in [1]", "syntax: for x in xs do"),
        ("let a = let b = 1", "syntax: let a = … in …"),
        ("let f x = x", "functions are defined by let f(x) = …"),
        ("def f(x): return x", "functions are defined by let f(x) = …"),
        ("for x in [1] do x", 'print or save the result: print "name" for …'),
        ("let a = 1\nfold + 0 [1]", 'print or save the result: print "name" fold …'),
        ("let a = 1\nfloor(a)", "a definition begins with `let`; show a value by print"),
    ],
)
def test_habits_of_other_languages_are_known(text: str, hint: str) -> None:
    """What other languages would allow is explained."""
    assert f"help: {hint}" in compile_error(text)


def test_words_that_belong_to_an_unknown_one_are_no_further_errors() -> None:
    """`if` is told, `then` and `else` are not."""
    (found,) = check_text("let a = if 1 then 2 else 3")
    assert found.message == "unknown name `if`"


def test_a_string_in_typographic_quotes_is_one_error() -> None:
    """It stands for a string; what follows is read as usual."""
    found = check_text("print “a b” 1\nlet b = foo")
    assert [(each.line, each.column) for each in found] == [(1, 7), (2, 9)]


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
    """The first thing that is wrong with a word is told, not what follows from it."""
    assert len(check_text(text)) == 1


def test_a_definition_that_cannot_be_read_is_one_error() -> None:
    """Using what could not be defined is not told again."""
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
def test_nothing_follows_from_a_definition_that_cannot_be_read(text: str) -> None:
    """Neither a kernel of its name is meant, nor parts of it, nor is it unknown."""
    assert len(check_text(text)) == 1


def test_several_errors_are_told_at_once() -> None:
    """After an error the parser goes on with the next command."""
    found = check_text('let a = (1\nlet b = 2 +\nprint "x" 3 4\nlet c = 1)')
    assert [(each.line, each.column) for each in found] == [(1, 9), (2, 11), (3, 13), (4, 10)]


def test_the_line_is_shown_with_a_mark() -> None:
    """An error shows the line of the program and marks the word."""
    assert "  let a = nera(1)\n          ^^^^" in compile_error("let a = nera(1)")


def test_a_string_that_is_not_closed_is_one_error() -> None:
    """What stands in it is no further error, and the next line is read as usual."""
    found = check_text('print "a" "not closed (\nprint "b" foo')
    assert [(each.line, each.message) for each in found] == [
        (1, "unterminated string"),
        (2, "unknown name `foo`"),
    ]
    (label,) = check_text('print "a')
    assert label.message == "unterminated string"


def test_a_definition_without_its_value_is_told_at_its_sign() -> None:
    """The definition below it is not taken for a local one; neither name is unknown then."""
    (found,) = check_text('let a =\nlet b = 3\nprint "x" a + b')
    assert (found.line, found.message) == (1, "expected an expression after `=`")
