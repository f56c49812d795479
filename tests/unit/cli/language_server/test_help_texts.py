"""What an editor shows of a name."""

from __future__ import annotations

from voxk8s.cli.language_server.document import analyse
from voxk8s.cli.language_server.help_texts import describe, entry_of


def _no_file(path: str) -> str:
    raise FileNotFoundError(path)


_PROGRAM = """\
// Doubles a number,
// or an image.
let twice(a) = a + a
import "lib"
let b = twice(1) + own(2)
let c = N(tt) >. 1
"""


def _described(line: int, column: int) -> str:
    files = {"/p/lib.imgql": "let own(q) = q\n"}
    document = analyse("/p/a.imgql", _PROGRAM, files.__getitem__, {})
    use = document.name_at(line, column)
    assert use is not None
    return describe(use, document)


def test_a_definition_is_shown_with_the_comment_above_it() -> None:
    """As it stands in the program."""
    assert _described(5, 9) == (
        "```imgql\nlet twice(a) = a + a\n```\n\nDoubles a number,\nor an image."
    )


def test_a_definition_of_another_file_says_where_it_is() -> None:
    """With its line."""
    assert _described(5, 20).endswith("/p/lib.imgql:1")


def test_a_parameter_shows_the_line_that_declares_it() -> None:
    """Its type is not known before it is called."""
    assert "declared on line 3" in _described(3, 16)


def test_a_kernel_shows_signature_operators_and_definition() -> None:
    """An operator shows those of its kernel."""
    text = _described(6, 15)

    assert text.startswith("```imgql\ngt_sv(")
    assert "`>.`" in text
    assert text.endswith("*vox1*")


def test_a_function_of_a_library_shows_its_text() -> None:
    """The definition is short enough to be read."""
    assert "let N(a) = near(a)" in _described(6, 9)


def test_what_a_program_defines_has_no_entry() -> None:
    """Even if a library has a definition of that name."""
    document = analyse("a.imgql", "let N(a) = a\nlet b = N(1)\n", _no_file, {})
    use = document.name_at(2, 9)

    assert use is not None
    assert entry_of(use) is None
