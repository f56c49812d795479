"""Names of a program, with their places and what they refer to."""

from __future__ import annotations

from voxk8s.imgql import NameUse, analyse_program
from voxk8s.imgql.lower.name_uses import NameUses
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import Token
from voxk8s.kernels import registry, symbols


def _names(text: str, **parameters: str) -> dict[tuple[int, int], NameUse]:
    found = analyse_program(text, index=registry(), symbols=symbols, parameters=parameters)
    return {(use.place.line, use.place.column): use for use in found.names}


def _declared(use: NameUse) -> tuple[int, int] | None:
    return None if use.declared is None else (use.declared.line, use.declared.column)


def test_the_innermost_declaration_counts() -> None:
    """A loop's variable hides the parameter outside, and only inside the loop."""
    names = _names("let f(a) = a + (for a in [1] do a)[0] + a\n")

    assert _declared(names[1, 12]) == (1, 7)
    assert _declared(names[1, 33]) == (1, 21)
    assert _declared(names[1, 41]) == (1, 7)
    assert names[1, 21].kind == "variable"


def test_a_name_outside_an_inner_definition_is_captured() -> None:
    """Its declaration is in the outer body."""
    names = _names("let f(a) = let g(b) = a + b in g(1)\n")

    assert _declared(names[1, 23]) == (1, 7)
    assert (names[1, 32].name, _declared(names[1, 32])) == ("g", (1, 16))


def test_a_definition_refers_to_the_one_before_it() -> None:
    """Names may be defined again."""
    names = _names('let a = 1\nlet a = a + 1\nprint "x" a\n')

    assert _declared(names[2, 9]) == (1, 5)
    assert _declared(names[3, 11]) == (2, 5)


def test_signs_that_are_written_together_are_names_of_their_own() -> None:
    """`&!` are two operators."""
    names = _names("let f(a, b) = a &!b\n")

    assert (names[1, 17].name, names[1, 17].kernel) == ("&", "vox1.and")
    assert names[1, 18].name == "!"


def test_places_are_those_of_the_text_with_its_parameters() -> None:
    """A value does not move what is behind it."""
    names = _names("let a = $LONG let b = a\n", LONG="123456789")

    assert _declared(names[1, 23]) == (1, 5)


def test_names_of_libraries_are_marked() -> None:
    """Their file is one of this package, and their own names are not listed."""
    names = _names("let a = N(tt)\n")

    declared = names[1, 9].declared
    assert declared is not None
    assert declared.library
    assert {use.place.file for use in names.values()} == {"<program>"}


def test_compilers_collect_nothing() -> None:
    """It would take time that only editors want to spend."""
    uses = NameUses()

    uses.declare(Source("a.imgql", "let a = 1"), Token("NAME", "a", 4))

    assert uses.all() == ()
